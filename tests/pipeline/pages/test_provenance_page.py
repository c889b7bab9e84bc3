"""The provenance page, from manifests written by hand."""

import json

import nbformat
import pandas as pd
import pytest

from paperlib import artifacts
from paperlib.config import PROFILES
from paperlib.evaluation.evidence import Evidence
from paperlib.pipeline.pages import provenance_page
from paperlib.pipeline.run import NOTEBOOKS, Run
from paperlib.publish.gate import stamp

ORIGIN = {
    "cohort": "phantom",
    "profile": "smoke",
    "seeds": [0],
    "commit": "abc1234",
    "patients": 8,
    "folds": 1,
    "networks": [
        {"pair": "VAE-MSE-f0-s0", "sequence": "flair", "seconds": 90.0, "commit": "aaa1111",
         "slice_steps": 800, "stopped_by": "budget"}
    ],
    "versions": {"numpy": "2.4.6", "torch": "2.13.0"},
    "platform": {"python": "3.11.7", "system": "Linux", "machine": "x86_64", "cores": 2},
}  # fmt: skip
REAL = {
    **ORIGIN,
    "cohort": "real",
    "profile": "full",
    "versions": {"numpy": "2.4.5", "numba": "0.68.1"},
}


def evidence(origin):
    empty = pd.DataFrame()
    return Evidence(pd.DataFrame({"case": [1, 1, 4]}), *[empty] * 5, origin)


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Return the page of a run with two steps and all notebooks, beside one reference run."""
    monkeypatch.setattr(artifacts, "ROOT", tmp_path / "somebody")
    run = Run(PROFILES["smoke"])
    for name, seconds in {"models/VAE-MSE-f0-s0/flair": 90.04, "prepare": 3.21}.items():
        folder = run.stage(name)
        folder.mkdir(parents=True)
        made = {"seconds": seconds, "commit": "aaa1111", "key": "k" * 16, "content": "c" * 16}
        artifacts.write_json(folder / artifacts.MANIFEST, made)
    source = tmp_path / "x.py"
    source.write_text("# %%\n")
    (run.folder / "notebooks").mkdir()
    for name in NOTEBOOKS:
        notebook = nbformat.v4.new_notebook()
        stamp(notebook, source, {"data": str(tmp_path)})
        nbformat.write(notebook, run.folder / "notebooks" / f"{name}.ipynb")
    made = {"seconds": 12.34, "commit": "bbb2222"}
    artifacts.write_json(run.folder / "notebooks" / f"{NOTEBOOKS[0]}.made.json", made)
    references = tmp_path / "references"
    (references / "real36").mkdir(parents=True)
    (references / "real36" / "cases.csv").write_text("case\n1\n")
    known = {"run": evidence(ORIGIN), "real36": evidence(REAL)}

    def write():
        return provenance_page.write(run, known, references, {"ablations": "rows, commit ccc3333"})

    write.references = references
    return write


def rows(text, first):
    return [line for line in text.splitlines() if line.startswith(f"| {first}")]


def test_each_run_has_a_section_that_figures_can_link_to(page):
    text = page()
    assert "(provenance-run)=\n## The run of this build\n\nphantom, profile smoke, seed 0" in text
    assert "(provenance-real36)=\n## Reference real36\n\nreal, profile full, seed 0" in text
    assert "(provenance-ablations)=\n## Reference ablations\n\nrows, commit ccc3333." in text
    assert "8 patients, 2 of them tested" in text
    assert "trained in 1.5 minutes" in text


def test_steps_stand_in_their_order_with_time_commit_and_hashes(page):
    steps = [*rows(page(), "`prepare`"), *rows(page(), "`models/")]
    hashes = f"`{'k' * 12}` | `{'c' * 12}` |"
    assert steps[0] == f"| `prepare` | 3.2 | aaa1111 | {hashes}"
    assert steps[1] == f"| `models/VAE-MSE-f0-s0/flair` | 90.0 | aaa1111 | {hashes}"
    assert page().index(steps[0]) < page().index(steps[1])


def test_each_notebook_has_its_hashes_and_where_it_was_noted_its_time(page):
    first, *others = [rows(page(), f"`{name}`")[0] for name in NOTEBOOKS]
    assert first.startswith(f"| `{NOTEBOOKS[0]}` | 12.3 | bbb2222 | `")
    assert all("| – | – | `" in other for other in others)


def test_versions_of_all_runs_stand_beside_each_other(page):
    assert rows(page(), "package") == ["| package | this run | real36 |"]
    assert rows(page(), "numpy") == ["| numpy | 2.4.6 | 2.4.5 |"]
    assert rows(page(), "numba") == ["| numba | – | 0.68.1 |"]


def test_the_hash_of_a_reference_follows_its_content(page):
    before = page()
    (page.references / "real36" / "cases.csv").write_text("case\n2\n")
    assert [line for line in page().splitlines() if line not in before.splitlines()] == [
        line for line in page().splitlines() if line.startswith("Content of its files")
    ]


def test_the_page_names_no_place(page, tmp_path):
    assert str(tmp_path) not in page()
    assert "somebody" not in json.dumps(page())
