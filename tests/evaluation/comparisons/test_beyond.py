"""Rows beyond the paper beside those of a reference run, by hand."""

import numpy as np
import pandas as pd
import pytest
from evidence_by_hand import FOLDS, HEIGHTS, METHOD, TRUTH, make_evidence

from paperlib import artifacts
from paperlib.evaluation.comparisons import beyond
from paperlib.evaluation.comparisons.beyond import Way
from paperlib.evaluation.figures import beyond as figures
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGIONS

DRAWS = Draws(number=50)


def rows_of(method, reading, component, share):
    """Rows of a method that finds a share of each true tumour and nothing else."""
    lines = []
    for case in FOLDS:
        for z, truth in zip(HEIGHTS, TRUTH[case], strict=True):
            parts = dict.fromkeys(
                [f"{region}_{part}" for region in REGIONS for part in ("overlap", "predicted")], 0
            )
            parts |= {"WT_overlap": int(share * truth), "WT_predicted": int(share * truth)}
            named = {"method": method, "reading": reading, "component": component}
            lines.append({"fold": FOLDS[case], **named, "case": case, "z": z, **parts})
    return pd.DataFrame(lines)


@pytest.fixture
def evidence():
    found = make_evidence()
    plain = rows_of("B2 fixed", "", "all", 0.2).drop(columns="fold")
    return found._replace(counts=pd.concat([found.counts, plain]))


@pytest.fixture
def folder(tmp_path, evidence):
    artifacts.save_table(tmp_path, "slices", evidence.slices.iloc[::-1])
    tables = {
        "clean-up": [rows_of("clean-up", "", rule, 0.5) for rule in beyond.RULES]
        + [rows_of("clean-up", "clearest", "ball", 1.0)],
        METHOD: [rows_of(METHOD, "both", "all", 0.0), rows_of(METHOD, "smoothed", "ball", 0.5)],
    }
    for method, parts in tables.items():
        artifacts.save_table(tmp_path, f"counts-{method}", pd.concat(parts))
    for kind in ("scores", "pixels"):
        table = pd.DataFrame({"method": ["clean-up"], "case": [0], "fold": [0]})
        artifacts.save_table(tmp_path, f"{kind}-clean-up", table)
    origin = {
        "folds": 2,
        "segmented": [{"training_patients": 7}, {"training_patients": 6}],
        "settings": {"seeds": [0, 1]},
    }
    artifacts.write_json(tmp_path / artifacts.PROVENANCE, origin)
    return tmp_path


@pytest.fixture
def found(folder, evidence):
    return beyond.load_beyond(folder, evidence)


def volume_dice(found, way):
    return beyond.dice(found, way, "WT", aggregation="volume", empty=np.nan, draws=DRAWS).value


def test_without_rows_or_without_the_reference_there_is_nothing(tmp_path, folder, evidence):
    assert beyond.load_beyond(tmp_path / "none", evidence) is None
    assert beyond.load_beyond(folder, None) is None
    for shown in (
        figures.show_rules(None),
        figures.show_last(None, draws=DRAWS),
        figures.plot_patients(None),
    ):
        assert "make beyond" in shown.text
    assert "make beyond" in figures.describe(None)


def test_each_way_counts_the_rows_of_its_name_reading_and_rule(found):
    assert volume_dice(found, beyond.PLAIN) == pytest.approx(2 * 0.2 / 1.2)
    assert volume_dice(found, Way("", "clean-up", "", "ball")) == pytest.approx(2 * 0.5 / 1.5)
    assert volume_dice(found, Way("", "clean-up", "clearest", "ball")) == 1
    with pytest.raises(KeyError, match="clean-up"):
        volume_dice(found, Way("", "clean-up", "unknown"))


def test_what_the_reference_says_of_the_papers_method_is_not_replaced(found, evidence):
    own = Way("", METHOD, "both")
    table = beyond.by_patient(found, own)
    assert table.loc[2] == 1  # by hand: 60 of 60 pixels; the added rows of this name hold none
    assert list(table.index) == sorted(FOLDS)


def test_a_patient_without_the_region_in_truth_and_result_is_left_out(found):
    assert beyond.by_patient(found, Way("", "clean-up"), region="ET").isna().all()


def test_rules_without_rows_are_left_open(found):
    table = beyond.compare_rules(found, [("clean-up", ""), ("clean-up", "clearest")])
    assert table.loc[("clean-up", "")].to_list() == pytest.approx([2 / 3] * 3)
    assert table.loc[("clean-up", "clearest")].isna().to_list() == [True, True, False]
    text = figures.show_rules(found).text
    assert "–" in text
    assert "both" not in text  # a reading that only the reference has
    names = [line.split()[0] for line in text.splitlines() if line.startswith(("clean", METHOD))]
    assert names == ["VAE-MSE-s0", "clean-up"]  # each once: its readings stand together


def test_no_two_ways_have_one_name(found):
    whole = found._replace(added=(*found.added, "synthetic", METHOD))
    names = [way.name for way in beyond.ways(whole)]
    assert len(names) == len(set(names))


def test_other_slices_than_the_reference_are_refused(folder, evidence):
    moved = evidence._replace(slices=evidence.slices.assign(WT_truth=7))
    with pytest.raises(ValueError, match="make beyond"):
        beyond.load_beyond(folder, moved)


def test_rows_of_one_fold_are_compared_with_the_same_fold(folder, evidence):
    half = evidence.slices[evidence.slices["fold"] == 1]
    artifacts.save_table(folder, "slices", half)
    for file in folder.glob("counts-*.csv"):
        table = pd.read_csv(file)
        table[table["case"].isin(half["case"])].to_csv(file, index=False)
    found = beyond.load_beyond(folder, evidence)
    assert found.evidence.patients == half["case"].nunique()
    assert list(beyond.by_patient(found, beyond.PLAIN).index) == sorted(half["case"].unique())


def test_the_last_table_has_a_line_for_each_way_and_the_paper(found):
    text = figures.show_last(found, draws=DRAWS, note="a note").text
    names = [way.name for way in beyond.ways(found)]
    assert names == [
        "FLAIR z > 1",
        "smoothed FLAIR, cleaned up",
        "smoothed FLAIR, clearest outline",
    ]
    for name in (*names, "the paper prints", "n = 4 test patients", "a note"):
        assert name in text
    assert "1.00 [1.00, 1.00]" in text
    assert "+0.67" in text  # 1 minus a third, the same in each patient
    assert figures.plot_patients(found).note == ""


def test_prose_gets_each_way_by_method_and_reading(found):
    facts = beyond.summarise(found, prefix="real36", draws=DRAWS)
    assert facts["real36.beyond.plain.value"] == pytest.approx(1 / 3)
    assert facts["real36.beyond.clean-up.healthy.value"] == pytest.approx(2 / 3)
    assert facts["real36.beyond.clean-up.clearest.low"] == 1
    assert not any(METHOD in key for key in facts)
