"""What gets into the book, the whole way: pages of a run, and what becomes of those that are not.

Each failure is made to happen for real; the pages are short, everything else is the real thing.
"""

import dataclasses
import json
import shutil

import pytest

from paperlib import artifacts
from paperlib.pipeline.method import results, segments
from paperlib.pipeline.pages import notebooks, provenance_page, publishing
from paperlib.pipeline.stages import Request, run_named
from paperlib.publish import commands, gate

PAGES = ("01_data", "03_training")
PAGE = """\
# %% [markdown]
# # A page

# %% tags=["parameters"]
profile: str = "mini"  # size of the run
data: str = ""  # folder of real patients
folds: int = 1  # from 1 to 9
seed: int = 0  # from 0 to 9

# %% tags=["remove-cell"]
from paperlib import scores
from paperlib.publish import parameters

parameters.validate(globals())

# %%
print(profile, folds, seed, len(scores.SCORES))
"""
OTHER = "01_data.ipynb is not publishable: it was made from something else: "


@pytest.fixture(scope="module")
def executed_once(mini_root, tmp_path_factory):
    """Return a root with two executed pages of the finished run."""
    root = shutil.copytree(mini_root, tmp_path_factory.mktemp("book") / "root")
    (root / "notebooks").mkdir()
    for name in ("_config.yml", "_toc.yml"):
        (root / name).touch()
    for name in PAGES:
        (root / "notebooks" / f"{name}.py").write_text(PAGE)
    return root


@pytest.fixture
def run(executed_once, mini_run, tmp_path, monkeypatch):
    """Return a run with two executed pages, to be spoilt."""
    for module in (publishing, provenance_page):
        monkeypatch.setattr(module, "NOTEBOOKS", PAGES)
    monkeypatch.setattr(artifacts, "ROOT", executed_once)
    for name in PAGES:
        notebooks.execute(mini_run, name)
    monkeypatch.setattr(artifacts, "ROOT", tmp_path / "root")
    shutil.copytree(executed_once, tmp_path / "root")
    return mini_run


@pytest.fixture
def builds(monkeypatch):
    """Return the list of books that were built; the build itself has tests of its own."""
    built = []

    def build(root):
        sources = (root / gate.SOURCES).glob("*.py")
        origins = gate.read_origins(root / gate.BOOK)
        built.append(commands.run_gate(root / gate.EXECUTED, list(sources), origins))
        (root / "_build" / "html").mkdir(parents=True, exist_ok=True)
        (root / publishing.FIRST_PAGE).touch()
        return built[-1]

    monkeypatch.setattr(publishing.commands, "run_book", build)
    return built


def _refused(run, caplog):
    """Return what publishing says against the pages; nothing of an earlier book may change."""
    caplog.clear()
    for name in ("01_data", "other"):
        (run.folder / "done" / "notebook").mkdir(parents=True, exist_ok=True)
        (run.folder / "done" / "notebook" / name).touch()
    with pytest.raises(ValueError, match=r"The book was not built: \d+ reasons against it"):
        run_named(run, "publish", Request())
    assert not (artifacts.ROOT / gate.EXECUTED).exists()
    assert not (run.folder / "done" / "notebook" / "01_data").exists()  # made again next time
    assert (run.folder / "done" / "notebook" / "other").exists()
    return [message for message in caplog.messages if "not publishable" in message]


def _source(name="01_data"):
    return artifacts.ROOT / gate.SOURCES / f"{name}.py"


def test_current_pages_are_published_with_a_reason_and_executed_only_once(run, builds, caplog):
    caplog.set_level("INFO")
    run_named(run, "publish", Request())
    assert builds == [0]
    assert "book: built because it was never finished" in caplog.messages
    assert not notebooks.execute(run, "01_data")
    assert "01_data: nothing changed" in caplog.messages
    run_named(run, "publish", Request())
    assert caplog.messages[-1] == "book: nothing changed"
    assert builds == [0]
    (artifacts.ROOT / publishing.FIRST_PAGE).unlink()
    run_named(run, "publish", Request())
    assert caplog.messages[-1] == "book: built because its first page was taken away"
    assert builds == [0, 0]


def test_a_page_executed_again_is_the_reason_for_the_next_book(run, builds, caplog):
    caplog.set_level("INFO")
    run_named(run, "publish", Request())
    _source().write_text(PAGE.replace("A page", "Another title"))
    assert notebooks.execute(run, "01_data")
    assert "01_data: runs because its source 01_data.py changed after the run" in caplog.messages
    run_named(run, "publish", Request())
    assert caplog.messages[-1] == "book: built because input changed: 01_data.ipynb"
    assert builds == [0, 0]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("raise OSError('no disk')", "raised OSError: no disk"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "its kernel died"),
    ],
)
def test_a_page_whose_run_failed_is_gone_and_stops_the_book(run, builds, caplog, cell, said):
    _source().write_text(f"{PAGE}\n# %%\n{cell}\n")
    with pytest.raises(ValueError, match=f"01_data.py: cell .*{said}"):
        notebooks.execute(run, "01_data")
    (message,) = _refused(run, caplog)
    assert "01_data.ipynb is not publishable: it is missing; run `" in message
    assert "stage --profile mini notebook 01_data`" in message
    assert builds == []


def test_what_plain_papermill_left_of_a_cell_that_took_too_long_stops_the_book(
    run, builds, caplog, tmp_path
):
    """Papermill calls such a run a success; somebody copies it to where the pages lie."""
    slow = artifacts.ROOT / "slow.py"
    slow.write_text(f"{PAGE}\n# %%\nimport time\ntime.sleep(60)\n")
    with pytest.raises(commands.NotebookError, match=r"raised Keyb|was running"):
        commands.execute_notebook(slow, tmp_path / "slow.ipynb", {}, cell_timeout_s=1)
    assert not (tmp_path / "slow.ipynb").exists()
    page = run.folder / "notebooks" / "01_data.ipynb"
    notebook = json.loads(page.read_text())
    del notebook["metadata"][gate.STAMP]  # papermill leaves none
    page.write_text(json.dumps(notebook))
    (message,) = _refused(run, caplog)
    assert "01_data.ipynb is not publishable: it carries no stamp of ours" in message


def test_a_page_edited_by_hand_stops_the_book(run, builds, caplog):
    page = run.folder / "notebooks" / "01_data.ipynb"
    page.write_text(page.read_text().replace("mini 1 0", "mini 1 1"))
    (message,) = _refused(run, caplog)
    assert "it was changed after the run, by hand or by another tool; run `" in message
    assert builds == []


def test_a_page_whose_source_changed_stops_the_book(run, builds, caplog):
    _source().write_text(PAGE + "\n# more\n")
    (message,) = _refused(run, caplog)
    assert "its source 01_data.py changed after the run; run `.venv/bin/paperlib stage" in message


def test_pages_whose_run_changed_afterwards_stop_the_book(run, builds, caplog):
    """Somebody segments again by hand with another setting; the pages show the old numbers."""
    mixture = dataclasses.replace(run.profile.mixture, max_iterations=2)
    changed = dataclasses.replace(run, profile=dataclasses.replace(run.profile, mixture=mixture))
    assert segments.segment_pair(changed, run.pairs()[0])
    messages = _refused(changed, caplog)
    assert len(messages) == len(PAGES)
    assert f"{OTHER}input changed: evidence, segments VAE-MSE-f0-s0; run `" in messages[0]
    assert builds == []


def test_pages_beside_reference_results_that_changed_stop_the_book(run, builds, caplog):
    table = artifacts.ROOT / "results" / "reference" / "real36" / "cases.csv"
    table.parent.mkdir(parents=True)
    table.write_text("case\n1\n")
    messages = _refused(run, caplog)
    assert f"{OTHER}input changed: results/reference/real36 (new); run `" in messages[0]


def test_pages_whose_code_changed_stop_the_book_and_other_code_does_not(
    run, builds, caplog, monkeypatch
):
    used = notebooks.code_used(_source())
    assert {"paperlib.scores", "paperlib.publish.parameters"} <= set(used)
    assert "paperlib.cli" not in used
    monkeypatch.setattr(notebooks, "code_used", lambda _: used | {"paperlib.scores": "new"})
    messages = _refused(run, caplog)
    assert f"{OTHER}code changed: paperlib.scores; run `" in messages[0]


def test_a_page_executed_with_other_parameters_than_the_books_stops_it(run, builds, caplog):
    page = run.folder / "notebooks" / "01_data.ipynb"
    given = {"profile": "mini", "data": "", "folds": "1", "seed": "3"}
    origin = notebooks.describe_origin(run, "01_data", {})
    commands.execute(_source(), page, given, None, origin)
    (message,) = _refused(run, caplog)
    assert f"{OTHER}settings changed: seed (3 -> 0); run `" in message


def test_a_page_executed_outside_the_run_stops_the_book(run, builds, caplog):
    page = run.folder / "notebooks" / "01_data.ipynb"
    assert commands.run_execute(_source(), page) == 0
    (message,) = _refused(run, caplog)
    assert "01_data.ipynb is not publishable: it was not executed for a book; run `" in message


def test_a_page_of_another_run_put_into_the_book_by_hand_stops_its_build(run, builds):
    run_named(run, "publish", Request())
    executed = artifacts.ROOT / gate.EXECUTED
    assert commands.run_execute(_source(), executed / "01_data.ipynb", [("folds", "2")]) == 0
    origins = gate.read_origins(artifacts.ROOT / gate.BOOK)
    (refusal,) = gate.check_published(executed, map(_source, PAGES), origins)
    assert str(refusal).startswith(f"{executed}/01_data.ipynb is not publishable")
    assert gate.check_published(executed, map(_source, PAGES)) == []  # by itself it is sound


def test_what_a_killed_execution_left_is_cleared_away_by_the_next(run):
    left = run.folder / "notebooks" / ".01_data-x1"
    left.mkdir()
    (left / "executed.ipynb").write_text("{")
    assert not notebooks.execute(run, "03_training")
    assert left.exists()
    (run.folder / "notebooks" / "01_data.ipynb").unlink()
    assert notebooks.execute(run, "01_data")
    assert not left.exists()


def test_without_gathered_results_the_command_is_named(run):
    shutil.rmtree(run.stage("evidence"))
    with pytest.raises(FileNotFoundError, match=r"evidence is missing .* run `make book PROFILE"):
        notebooks.execute(run, "01_data")
    assert results.gather(run)
