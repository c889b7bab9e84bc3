"""What a choice gains, and what is left of it when other patients make it, by hand."""

import re

import pytest
from beyond_by_hand import CHOSEN, make_beyond

from paperlib.evaluation.comparisons import choices
from paperlib.evaluation.figures import choices as figures
from paperlib.evaluation.tables import Draws

DRAWS = Draws(number=50)


def test_residuals_are_no_choice():
    table = choices.tried(make_beyond())
    assert set(table.index.get_level_values("method")) == {"clean-up", "synthetic", "synthetic s0"}
    assert len(table) == 8


def test_a_change_is_paired_and_single():
    changed = choices.one_change(make_beyond(), draws=DRAWS)
    assert next(iter(changed)) == CHOSEN == choices.chosen_way(make_beyond())
    assert changed[CHOSEN]["WT"].value == pytest.approx(0.65)
    means = {way: drawn["TC"].value for way, drawn in changed.items() if way != CHOSEN}
    assert means == pytest.approx(
        {
            ("synthetic", "clearest", "ball", "Otsu"): -0.1,
            ("synthetic", "agreed", "foci", "Otsu"): -0.05,
            ("synthetic", "agreed", "largest_3d", "Otsu"): -0.05,
            ("synthetic s0", "agreed", "ball", "Otsu"): 0.2 / 6,
            ("clean-up", "near", "ball", "Otsu"): -0.15,
        }
    )
    paired = changed["synthetic", "clearest", "ball", "Otsu"]["WT"]
    assert paired.draws == pytest.approx(-0.1)  # each patient loses the same


def test_the_patients_of_a_fold_do_not_choose_for_it():
    """Without fold 0 the largest component looks best, and fails on the patients of fold 0."""
    values, chosen = choices.nested(make_beyond(), draws=DRAWS)
    assert chosen == {
        0: "synthetic, agreed, largest_3d, Otsu",
        1: "synthetic s0, agreed, ball, Otsu",
        2: "synthetic, agreed, ball, Otsu",
    }
    expected = (0.0 + 0.0 + 0.7 + 0.6 + 0.5 + 0.4) / 6
    assert values["WT"].value == pytest.approx(expected)
    facts = choices.summarise(make_beyond(), prefix="real36", draws=DRAWS)
    assert facts["real36.beyond.nested.ET.value"] == pytest.approx(expected)


def test_one_fold_has_nobody_to_choose():
    found = make_beyond()
    one = found.evidence.slices.assign(fold=0)
    found = found._replace(evidence=found.evidence._replace(slices=one))
    assert choices.summarise(found, prefix="phantom", draws=DRAWS) == {}
    assert "nobody is left" in figures.show_nested(found, draws=DRAWS).text
    with pytest.raises(ValueError, match="one fold, so none are left to choose"):
        choices.nested(found, draws=DRAWS)


def test_the_page_names_only_what_a_change_changes():
    text = figures.show_changes(make_beyond(), draws=DRAWS, note="a note").text
    lines = [line for line in text.splitlines() if re.search(r"\[[+-]?0", line)]
    assert len(lines) == 6
    assert "synthetic, agreed, ball, Otsu" in lines[0]
    assert "0.650 [" in lines[0]
    assert not any("agreed" in line for line in lines[1:])
    assert any("clearest" in line and "-0.100 [-0.10, -0.10]" in line for line in lines)
    assert "networks and outline" in text  # both change without a network
    assert "8 ways were run" in text
    nested = figures.show_nested(make_beyond(), draws=DRAWS).text
    assert "synthetic, agreed, largest_3d, Otsu (1 of 3 folds)" in nested
    for shown in (figures.show_changes, figures.show_nested):
        assert "make beyond" in shown(None, draws=DRAWS).text


def test_a_gain_is_seen_fold_by_fold():
    table = choices.by_fold(make_beyond())
    assert table.loc[("synthetic", "agreed")].to_list() == pytest.approx([0.85, 0.65, 0.45])
    assert table.loc[("clean-up", "near")].to_list() == pytest.approx([0.5] * 3)
    assert len(table) == 4  # not of other networks, and not of other rules for components
    text = figures.show_folds(make_beyond(), note="a note").text
    assert re.search(r"threshold +0.400 +0.400 +0.400", text)
    assert "fold 2, n = 2" in text
    assert "make beyond" in figures.show_folds(None).text


def test_what_was_trained_again_is_compared_patient_by_patient():
    found = make_beyond()
    assert "make beyond" in figures.show_again(found, draws=DRAWS).text
    with pytest.raises(ValueError, match="another training"):
        choices.trained_again(found, draws=DRAWS)
    first = found.volumes[found.volumes["method"].isin(["synthetic", "clean-up"])]
    lower = first.assign(
        WT=first["WT"] - 0.05 * (first["case"] % 2) * (first["reading"] == "agreed")
    )
    found = found._replace(trainings={"first": lower, "third": first})
    again = choices.trained_again(found, draws=DRAWS)
    assert again[CHOSEN]["first"].mean == pytest.approx(0.65 - 0.025)
    assert again[CHOSEN]["first"].difference.value == pytest.approx(-0.025)
    assert again[CHOSEN]["third"].difference.draws == pytest.approx(0.0)
    unchanged = again["clean-up", "near", "ball", "Otsu"]
    assert unchanged["first"].difference.draws == pytest.approx(0.0)
    ball = {name: rows[rows["component"] == "ball"] for name, rows in found.trainings.items()}
    text = figures.show_again(found._replace(trainings=ball), draws=DRAWS).text
    assert re.search(r"agreed +0.625 +-0.025 \[[^]]+\] +0.650 +\+0.000", text)


def test_prototypes_say_that_they_cannot_be_recomputed():
    text = figures.show_prototypes().text
    assert "cannot be recomputed" in text
    assert "looks at the truth" in text
