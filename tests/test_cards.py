"""Each card of "Change one thing", followed literally: one file, one command, one more row."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cards import PROJECT, Card, read_cards
from own_copy import changed_files, copy_project

CARDS = {card.title: card for card in read_cards()}
RUN = "runs/phantom-smoke"
PATIENTS = "data/phantom-seed0-2mm"
LINKED_BYTES = 100_000  # arrays are shared, everything that may be touched is copied
NUMBER = r"-?\d\.\d+"
# What stands in the printed table afterwards: the new row, and a row that was there before.
ROWS = {
    "A new loss": (rf"^loss Huber +your own +{NUMBER}", rf"^nothing changed +base +{NUMBER}"),
    "A new score": (rf"brightest_pixel +– +{NUMBER} \[", rf"mean residual +{NUMBER} +{NUMBER} \["),
    "A new mixture": (rf"^reading neither +your own +{NUMBER}", rf"^plain mixture.* {NUMBER}"),
    "A new data set": (r"^sub-01 +bids .*usable", r"^Phantom_0000 +brats2021 .*usable"),
    "A new metric": (rf"large slices +yes +{NUMBER} \[", rf"all pixels pooled +yes +{NUMBER} \["),
}
PAGES = {"A new score": ("04_anomaly_scores", "brightest_pixel"),
         "A new metric": ("06_results", "large slices")}  # fmt: skip

every_card = pytest.mark.parametrize("card", CARDS.values(), ids=list(CARDS))


def entries(source: str, registry: str) -> list[str]:
    """Return the keys of a dict of choices from a module's source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == registry:
            return [ast.literal_eval(key) for key in node.value.args[0].keys]
    raise AssertionError(f"no {registry}")


def test_there_is_a_card_for_everything_a_student_may_want_to_change():
    assert list(CARDS) == list(ROWS)


@every_card
def test_the_snippet_fits_into_its_place_and_adds_one_choice(card: Card):
    before = (PROJECT / card.file).read_text("utf-8")
    after = card.apply(before)
    old, new = (entries(text, card.registry) for text in (before, after))
    assert len(new) == len(old) + 1
    assert set(old) < set(new)
    ruff = [sys.executable, "-m", "ruff", "format", "--check", "-", "--stdin-filename", card.file]
    subprocess.run(ruff, input=after, text=True, cwd=PROJECT, check=True)


def link_or_copy(source, target):
    if Path(source).stat().st_size > LINKED_BYTES:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def follow(project, script):
    """Run the commands of a card; `make` takes the environment of these tests as installed."""
    made = f'make() {{ command make -o .venv/installed "$@"; }}\n{script}'
    kept = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "PAPERLIB_ROOT")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", made],
        cwd=project,
        env=kept | {"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return a copy of the project with a finished smoke run, and what its tables say."""
    project = copy_project(tmp_path_factory.mktemp("cards") / "finished")
    (project / ".venv").symlink_to(sys.prefix)
    if (PROJECT / RUN / "evidence" / "manifest.json").exists():
        shutil.copytree(PROJECT / RUN, project / RUN, copy_function=link_or_copy)
        shutil.copytree(PROJECT / PATIENTS, project / PATIENTS, copy_function=link_or_copy)
    return project, follow(project, "make tables PROFILE=smoke")


@pytest.mark.long
@every_card
def test_a_card_followed_literally_gives_a_new_row_beside_the_others(card, finished, tmp_path):
    base, before = finished
    project = tmp_path / "copy"
    shutil.copytree(base, project, symlinks=True, copy_function=link_or_copy)
    file = project / card.file
    text = card.apply(file.read_text("utf-8"))
    file.unlink()  # it may be shared with the finished run
    file.write_text(text, "utf-8")
    printed = follow(project, card.script)
    new, old = ROWS[card.title]
    assert re.search(new, printed, re.M), printed[-5000:]
    assert re.search(old, printed, re.M), printed[-5000:]
    assert not re.search(new, before, re.M)
    assert changed_files(project) == f" M {card.file}\n"
    if card.title in PAGES:
        name, row = PAGES[card.title]
        page = f".venv/bin/python -m paperlib execute notebooks/{name}.py page.ipynb"
        follow(project, page)
        assert row in (project / "page.ipynb").read_text("utf-8")
