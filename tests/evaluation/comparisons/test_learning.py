"""Dice by what was learnt from, by hand: two folds of unequal training sets."""

import pandas as pd
import pytest

from paperlib import artifacts
from paperlib.evaluation.comparisons import learning
from paperlib.evaluation.comparisons.beyond import SCORED
from paperlib.evaluation.figures import learning as figures
from paperlib.evaluation.tables import Draws

DRAWS = Draws(number=50)
ALL = {0: 12, 1: 13}
# Pixels found of the 100 that each patient's tumour has; nothing else is found.
FOUND = {(3, 400): (20, 20), (9, 400): (40, 60), (None, 100): (10, 30), (None, 400): (80, 100)}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "curve").mkdir()
    slices, volumes = [], []
    for case, fold in ((0, 0), (1, 1)):
        slices.append({"case": case, "fold": fold, "z": 80, "WT_truth": 100})
        for (patients, steps), pixels in FOUND.items():
            for method, reading, share in (("synthetic", "agreed", 1.0), ("clean-up", "near", 0.5)):
                part = int(share * pixels[case])
                row = {"fold": fold, "patients": patients or ALL[fold], "slice_steps": steps}
                row |= {"case": case, "method": method, "reading": reading, "foci_found": 1}
                counts = [f"{r}_{n}" for r in SCORED for n in ("overlap", "predicted")]
                volumes.append(row | dict.fromkeys(counts, part))
    table = pd.DataFrame(slices).assign(TC_truth=100, ET_truth=100)
    artifacts.save_table(tmp_path, "slices", table)
    artifacts.save_table(tmp_path / "curve", "volumes", pd.DataFrame(volumes))
    artifacts.write_json(tmp_path / "curve" / artifacts.PROVENANCE, {"folds": 2})
    return tmp_path


def dice(pixels):
    return 2 * pixels / (100 + pixels)


def means(drawn):
    return {words: one.value for words, one in drawn.items()}


def test_patients_are_compared_at_all_steps_and_all_of_each_fold_are_one_point(folder):
    found = learning.load_learning(folder)
    assert means(learning.by_patients(found, "synthetic", draws=DRAWS)) == pytest.approx(
        {
            "3": dice(20),
            "9": (dice(40) + dice(60)) / 2,
            "all: 13": (dice(80) + dice(100)) / 2,
        }
    )
    plain = learning.by_patients(found, "clean-up", draws=DRAWS)
    assert plain["3"].value == pytest.approx(dice(10))


def test_steps_are_compared_with_all_patients(folder):
    found = learning.load_learning(folder)
    assert means(learning.by_steps(found, "synthetic", draws=DRAWS)) == pytest.approx(
        {"100": (dice(10) + dice(30)) / 2, "400": (dice(80) + dice(100)) / 2}
    )


def test_the_figure_has_a_point_for_each_and_an_interval(folder):
    figure = figures.plot_curves(learning.load_learning(folder), draws=DRAWS, note="a note")
    figure.canvas.draw()
    left, right = figure.axes
    assert [label.get_text() for label in left.get_xticklabels()] == ["3", "9", "all: 13"]
    assert [label.get_text() for label in right.get_xticklabels()] == ["100", "400"]
    names = [label.get_text() for label in left.get_legend().get_texts()]
    assert names == ["synthetic, WT", "synthetic, TC", "synthetic, ET", "clean-up, near, WT"]
    assert left.containers[0].has_yerr


def test_each_point_is_subtracted_from_the_last_patient_by_patient(folder):
    text = figures.show_differences(learning.load_learning(folder), draws=DRAWS, note="a note").text
    (three,) = [line for line in text.splitlines() if line.startswith("3 patients")]
    less = f"{dice(20) - (dice(80) + dice(100)) / 2:+.3f}"
    assert three.count(f"{less} [{less}, {less}]") == 3  # regions alike, one patient a fold
    for name in ("9 patients", "100 steps", "a note", "the same 2 test patients"):
        assert name in text
    assert "all: 13 patients" not in text


def test_without_rows_the_page_names_the_command(tmp_path):
    assert learning.load_learning(tmp_path) is None
    for show in (figures.plot_curves, figures.show_differences):
        assert "make curve" in show(None, draws=DRAWS).text
