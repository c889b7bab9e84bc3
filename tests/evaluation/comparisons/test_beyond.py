"""Rows beyond the paper beside those of a reference run, by hand."""

import numpy as np
import pandas as pd
import pytest
from evidence_by_hand import FOLDS, HEIGHTS, METHOD, TRUTH, make_evidence

from paperlib import artifacts
from paperlib.evaluation import present
from paperlib.evaluation.comparisons import beyond
from paperlib.evaluation.comparisons.beyond import Way
from paperlib.evaluation.figures import beyond as figures
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGIONS
from paperlib.pipeline.pages import publishing

DRAWS = Draws(number=50)


def rows_of(method, reading, share, *, regions=REGIONS, component="all"):
    """Rows of a method that finds a share of each true tumour and nothing else."""
    lines = []
    for case in FOLDS:
        for z, truth in zip(HEIGHTS, TRUTH[case], strict=True):
            parts = dict.fromkeys(
                [f"{region}_{part}" for region in regions for part in ("overlap", "predicted")], 0
            )
            parts |= {"WT_overlap": int(share * truth), "WT_predicted": int(share * truth)}
            named = {"method": method, "reading": reading, "component": component}
            lines.append({"fold": FOLDS[case], **named, "case": case, "z": z, **parts})
    return pd.DataFrame(lines)


def volumes_of(method, reading, share, *, component="ball", enhancing="Otsu"):
    rows = rows_of(method, reading, share, regions=beyond.SCORED, component=component)
    rows = rows.assign(enhancing=enhancing)
    return rows.drop(columns="z").groupby(["fold", "case", *beyond.WAY]).sum().reset_index()


@pytest.fixture
def evidence():
    found = make_evidence()
    plain = rows_of("B2 fixed", "", 0.2).drop(columns="fold")
    return found._replace(counts=pd.concat([found.counts, plain]))


@pytest.fixture
def folder(tmp_path, evidence):
    home = tmp_path / "rows"
    home.mkdir()
    artifacts.save_table(home, "slices", evidence.slices.iloc[::-1])
    shares = {
        ("clean-up", "threshold"): 0.5,
        ("clean-up", "clearest"): 1.0,
        (METHOD, "smoothed threshold"): 0.5,
        ("AAE-MSE-s0", "smoothed threshold"): 0.8,
    }
    (home / "residuals").mkdir()
    for place, methods in ((home, ["clean-up"]), (home / "residuals", [METHOD, "AAE-MSE-s0"])):
        chosen = {named: share for named, share in shares.items() if named[0] in methods}
        counts = [
            rows_of(*named, share, regions=beyond.SCORED, component="ball")
            for named, share in chosen.items()
        ]
        volumes = [volumes_of(*named, share) for named, share in chosen.items()]
        if place == home:
            volumes += [volumes_of("clean-up", "threshold", 0.25, component="all")]
        else:
            volumes += [volumes_of("B3", "volume", 0.5, enhancing="mixture")]
        artifacts.save_table(place, "counts", pd.concat(counts))
        artifacts.save_table(place, "volumes", pd.concat(volumes).assign(foci_found=1))
    table = pd.DataFrame({"method": ["clean-up"], "case": [0], "fold": [0]})
    artifacts.save_table(home, "pixels", table)
    artifacts.save_table(home, "doubts", pd.DataFrame({"case": list(FOLDS), "networks": 0.5}))
    origin = {
        "folds": 2,
        "segmented": [
            {"training_patients": 7, "patient_cpu_s": {"clean-up": 1.0, "synthetic": 2.0}},
            {"training_patients": 6, "patient_cpu_s": {"clean-up": 3.0, "synthetic": 4.0}},
        ],
        "networks": [
            {"fold": fold, "seed": seed, "patient_cpu_s": 0.5 + seed}
            for fold in (0, 1)
            for seed in (0, 1, 2)
        ],
        "settings": {"seeds": [0, 1, 2], "averaged": [0, 1]},
    }
    artifacts.write_json(home / artifacts.PROVENANCE, origin)
    return home


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
    threshold = Way("", "clean-up", "threshold", "ball")
    assert volume_dice(found, threshold) == pytest.approx(2 * 0.5 / 1.5)
    assert volume_dice(found, Way("", "clean-up", "clearest", "ball")) == 1
    with pytest.raises(KeyError, match="clean-up"):
        volume_dice(found, Way("", "clean-up", "unknown"))


def test_slices_and_volumes_give_the_same_dice(found):
    one = found.volumes.query("method == 'clean-up' and component == 'ball'")
    one = one[one["reading"] == "threshold"].set_index("case")["WT"]
    other = beyond.by_patient(found, Way("", "clean-up", "threshold", "ball"))
    pd.testing.assert_series_equal(one.sort_index(), other, check_names=False)


def test_what_the_reference_says_of_the_papers_method_stays(found):
    table = beyond.by_patient(found, Way("", METHOD, "both"))
    assert table.loc[2] == 1  # by hand: 60 of 60 pixels
    assert list(table.index) == sorted(FOLDS)


def test_a_patient_without_the_region_in_truth_and_result_is_left_out(found):
    way = Way("", "clean-up", "threshold", "ball")
    assert beyond.by_patient(found, way, region="ET").isna().all()
    assert found.volumes["ET"].isna().all()


def test_rules_without_rows_are_left_open(found):
    table = beyond.compare_rules(found)
    assert table.loc[("clean-up", "threshold"), "ball"] == pytest.approx(2 / 3)
    assert table.loc[("clean-up", "threshold"), "all"] == pytest.approx(0.4, rel=0.01)
    assert table.loc[("clean-up", "clearest")].isna().to_list() == [True, True, False, True, False]
    assert table["n"].to_list() == [4] * len(table)
    assert table.loc[("B3", "volume"), "ball"] == pytest.approx(2 / 3)
    text = figures.show_rules(found).text
    assert "–" in text
    assert "both" not in text  # a reading that only the reference has
    names = [line.split()[0] for line in text.splitlines() if line.startswith(("clean", METHOD))]
    assert names == [METHOD, "clean-up"]  # each once: its readings stand together


def test_the_best_network_is_named_as_chosen_with_the_truth_in_view(found):
    assert beyond.best_network(found) == "AAE-MSE-s0"
    (way,) = [way for way in beyond.ways(found) if way.method == "AAE-MSE-s0"]
    assert "best of its networks" in way.name
    assert volume_dice(found, way) == pytest.approx(2 * 0.8 / 1.8)
    without = found._replace(volumes=found.volumes[found.volumes["method"] == "clean-up"])
    assert beyond.best_network(without) == ""


def test_a_way_without_rows_of_every_slice_is_not_compared(folder, evidence):
    file = folder / "counts.csv"
    table = pd.read_csv(file)
    table[(table["reading"] != "clearest") | (table["z"] > 70)].to_csv(file, index=False)
    names = [way.reading for way in beyond.ways(beyond.load_beyond(folder, evidence))]
    assert "threshold" in names
    assert "clearest" not in names


def test_a_network_with_rows_of_fewer_patients_is_compared_on_these(folder, evidence):
    for name in ("counts.csv", "volumes.csv"):
        file = folder / "residuals" / name
        table = pd.read_csv(file)
        table[table["fold"] == 1].to_csv(file, index=False)
    found = beyond.load_beyond(folder, evidence)
    (way,) = [way for way in beyond.ways(found) if way.method == "AAE-MSE-s0"]
    own = beyond.restrict(found, way)
    assert own.evidence.patients == 2
    assert found.evidence.patients == 4
    lines = figures.show_last(found, draws=DRAWS).text.splitlines()
    (line,) = [line for line in lines if "AAE-MSE-s0" in line]
    assert line.split("(AAE-MSE-s0)")[1].split()[0] == "2"
    assert beyond.compare_rules(found).loc[("AAE-MSE-s0", "smoothed threshold"), "n"] == 2


def test_the_last_row_is_subtracted_on_the_patients_of_each_row(folder, evidence):
    """The network has patients of fold 1 alone, where the last row is perfect; .2 elsewhere."""
    file = folder / "residuals" / "counts.csv"
    table = pd.read_csv(file)
    table[table["fold"] == 1].to_csv(file, index=False)
    agreed = [
        rows_of("synthetic", "agreed", share, regions=beyond.SCORED, component="ball").query(part)
        for share, part in ((0.2, "fold == 0"), (1.0, "fold == 1"))
    ]
    counts = pd.read_csv(folder / "counts.csv")
    pd.concat([counts, *agreed]).to_csv(folder / "counts.csv", index=False)
    found = beyond.load_beyond(folder, evidence)
    lines = figures.show_last(found, draws=DRAWS).text.splitlines()
    (network,) = [line for line in lines if "AAE-MSE-s0" in line]
    (last,) = [line for line in lines if "synthetic lesions, agreed outline" in line]
    assert "-0.11 [-0.11, -0.11]" in network  # 1.6 / 1.8 - 1
    assert "+0.33" in last  # (1 + 1 / 3) / 2 - 1 / 3
    assert last.count("[") == 3  # its own intervals and the difference to plain


def test_a_supervised_network_stands_beside_the_others(folder, evidence):
    rows = rows_of("x", "", 0.9).drop(columns=["method", "fold", "reading", "component"])
    (folder / "supervised").mkdir()
    artifacts.save_table(folder / "supervised", "counts", rows)
    found = beyond.load_beyond(folder, evidence)
    assert beyond.ways(found)[-1].method == beyond.SUPERVISED
    assert volume_dice(found, beyond.ways(found)[-1]) == pytest.approx(2 * 0.9 / 1.9, rel=0.02)


def test_seconds_of_a_patient_count_the_networks_that_are_averaged(found):
    assert beyond.patient_seconds(found, Way("", "clean-up", "clearest")) == 2.0
    assert beyond.patient_seconds(found, Way("", "synthetic", "agreed")) == 3.0 + 0.5 + 1.5
    assert beyond.patient_seconds(found, beyond.PLAIN) is None


def test_no_two_ways_have_one_name(found):
    names = [way.name for way in beyond.ways(found)]
    assert len(names) == len(set(names))


def test_other_slices_than_the_reference_are_refused(folder, evidence):
    moved = evidence._replace(slices=evidence.slices.assign(WT_truth=7))
    with pytest.raises(ValueError, match="make beyond"):
        beyond.load_beyond(folder, moved)


def test_rows_of_one_fold_are_compared_with_the_same_fold(folder, evidence):
    half = evidence.slices[evidence.slices["fold"] == 1]
    artifacts.save_table(folder, "slices", half)
    for file in (*folder.rglob("counts.csv"), *folder.rglob("volumes.csv")):
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
        "best of its networks with the clean-up (AAE-MSE-s0)",
        "clean-up: smoothed FLAIR",
        "clean-up, clearest outline",
    ]
    for name in (*names, "the paper prints", "n = 4 test patients", "a note"):
        assert name in text
    assert "1.00 [1.00, 1.00]" in text
    assert "+0.67" in text  # 1 minus a third, the same in each patient
    assert figures.plot_patients(found).note == ""


@pytest.mark.parametrize("name", publishing.REFERENCES)
def test_each_way_of_the_kept_rows_has_a_colour(name):
    reference = present.load_reference(publishing.reference_folder(name))
    drawn = figures.plot_patients(publishing.load_beyond(name, reference))
    named = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert len(named) == len(set(named)) > 4
    assert sum("synthetic" in one for one in named) == 1


def test_prose_gets_each_way_by_method_and_reading(found):
    facts = beyond.summarise(found, prefix="real36", draws=DRAWS)
    assert facts["real36.beyond.plain.value"] == pytest.approx(1 / 3)
    assert facts["real36.beyond.clean-up.threshold.value"] == pytest.approx(2 / 3)
    assert facts["real36.beyond.clean-up.clearest.low"] == 1
    assert not any("AAE" in key for key in facts)
