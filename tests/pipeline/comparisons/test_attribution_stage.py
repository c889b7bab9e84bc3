"""Variants of one patient made by hand, and the stage against what other stages stored."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from paperlib import artifacts
from paperlib.config import PROFILES, MixtureSettings
from paperlib.evaluation import evidence
from paperlib.evaluation.comparisons import variants
from paperlib.evaluation.measures import metrics
from paperlib.labels import FLAIR, REGIONS, SEQUENCES, T1CE
from paperlib.pipeline.comparisons import attribution
from paperlib.pipeline.method import patients, results, segments
from paperlib.pipeline.pages import shown
from paperlib.pipeline.run import Run
from paperlib.pipeline.stages import STAGES, Request

PAIR, METHOD = "VAE-MSE-f0-s0", "VAE-MSE-s0"
SIDE = 24
SETTINGS = MixtureSettings(max_iterations=50)


def square(low, high):
    mask = np.zeros((1, SIDE, SIDE), bool)
    mask[:, low:high, low:high] = True
    return mask


def make_material(flair, t1ce, *, perfect=None, pooled=None):
    """One slice: whole tumour 8 to 16, enhancing 10 to 14 with a hole of one core pixel."""
    labels = np.zeros((1, SIDE, SIDE), np.uint8)
    labels[square(8, 16)] = 2
    labels[square(10, 14)] = 4
    labels[0, 12, 12] = 1
    slices = pd.DataFrame({"case": [3], "z": [80]})
    brain = square(1, 23)
    images = {sequence: np.zeros(labels.shape, np.float32) for sequence in SEQUENCES}
    patient = segments.Patient(slices, images, brain, labels)
    network = {FLAIR: flair, T1CE: t1ce}
    return attribution.Material(patient, network, perfect or network, SETTINGS, pooled or {})


def residual(*squares):
    """Noise, and squares that lie lower or higher by a given step."""
    image = np.random.default_rng(1).normal(0, 0.05, (1, SIDE, SIDE)).astype(np.float32)
    for (low, high), step in squares:
        image[square(low, high)] += step
    return image


def dice(material, *changes):
    _, counted = attribution.segment_variant(material, changes)
    truth = material.patient.labels
    counts = metrics.region_counts(truth, truth).truth[0]
    row = counted.iloc[0]
    return {
        region: 2 * row[f"{region}_overlap"] / max(row[f"{region}_predicted"] + size, 1)
        for region, size in zip(REGIONS, counts, strict=True)
    }


GOOD = residual(((8, 16), -2.0)), residual(((10, 14), -2.0))
BLIND = residual(), residual()


def test_a_good_residual_needs_no_oracle():
    found = dice(make_material(*GOOD))
    assert found["WT"] == 1
    assert found["TC"] == 1
    assert found["ET"] == pytest.approx(30 / 31)  # the one core pixel is taken for enhancing


def test_a_perfect_reconstruction_replaces_both_residuals():
    material = make_material(*BLIND, perfect=dict(zip(SEQUENCES, GOOD, strict=True)))
    assert dice(material)["WT"] < 0.5
    assert dice(material, "reconstruction")["WT"] == 1
    assert dice(material, "reconstruction", "threshold")["TC"] == 1


def test_the_oracle_cluster_turns_a_slice_whose_tumour_is_the_larger_cluster():
    # Most of the brain lies low: the smaller cluster is what is left above.
    flipped = residual(((1, 23), -2.0), ((8, 16), 2.0))
    material = make_material(-flipped, GOOD[1])  # tumour low, as it should be
    assert dice(material)["WT"] == dice(material, "cluster")["WT"] == 1
    wide = np.full((1, SIDE, SIDE), -2.0, np.float32)
    wide[square(8, 16)] = 0
    labels = np.where(square(1, 23) & ~square(8, 16), 2, 0).astype(np.uint8)
    larger = make_material(wide + residual(), GOOD[1])
    larger = dataclasses.replace(larger, patient=larger.patient._replace(labels=labels))
    assert dice(larger)["WT"] == 0
    assert dice(larger, "cluster")["WT"] > 0.95


def test_the_oracle_threshold_parts_the_two_tails_that_a_cluster_holds():
    flair = residual(((8, 16), -1.0), ((18, 22), 9.0))
    material = make_material(flair, GOOD[1])
    assert dice(material)["WT"] < 0.9
    assert dice(material, "threshold")["WT"] == 1


def test_the_threshold_of_all_patients_is_taken_as_it_is_given():
    material = make_material(*GOOD, pooled={FLAIR: 1.0, T1CE: 1.0})
    assert dice(material, "pooled")["WT"] == 1
    nothing = make_material(*GOOD, pooled={FLAIR: 9.0, T1CE: 9.0})
    assert dice(nothing, "pooled")["WT"] == 0


def test_morphology_removes_a_line_unless_it_is_left_out():
    flair = GOOD[0].copy()
    flair[0, 4, 3:20] = -2.0  # 17 pixels in a row
    with_line = make_material(flair, GOOD[1])
    assert dice(with_line)["WT"] == 1
    assert dice(with_line, "morphology")["WT"] == pytest.approx(128 / (64 + 64 + 17))


def test_the_true_outline_frees_an_enhancing_tumour_that_was_cut_off():
    off = residual(((8, 12), -2.0))  # a quarter of the tumour
    material = make_material(off, GOOD[1])
    before, after = dice(material), dice(material, "outline")
    assert before["ET"] < 0.5
    assert after["ET"] > 0.9
    assert (before["WT"], after["WT"]) == (pytest.approx(32 / 80), 1)


def test_the_true_enhancing_tumour_is_still_cut_by_the_outline():
    assert dice(make_material(GOOD[0], BLIND[1]), "enhancing")["ET"] == 1
    off = make_material(residual(((8, 12), -2.0)), BLIND[1])
    assert dice(off, "enhancing")["ET"] == pytest.approx(2 * 4 / (4 + 15))
    assert dice(off, "enhancing", "outline")["TC"] == 1  # the hull fills the core pixel


def test_the_threshold_of_t1ce_is_the_best_inside_the_outline():
    t1ce = residual(((10, 14), -2.0), ((18, 22), -4.0))  # a vessel outside is darker still
    found = dice(make_material(GOOD[0], t1ce), "threshold")
    assert found["ET"] == pytest.approx(30 / 31)


def test_a_change_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"no change \['gate'\]; choose from reconstruction"):
        attribution.segment_variant(make_material(*GOOD), ("gate",))


def test_without_changes_the_counts_are_those_that_segment_stored(mini_run):
    fold = patients.load_fold(mini_run, 0)
    stored = artifacts.load_table(mini_run.folder / "segments" / PAIR, "counts")
    stored = stored.query("reading == 'neighbourhood' and component == 'all'")
    segmented = artifacts.load_array(mini_run.folder / "segments" / PAIR, "segmentation")
    found = [
        attribution.segment_variant(material, ())
        for material in attribution.load_materials(mini_run, PAIR, fold.test, {})
    ]
    np.testing.assert_array_equal(np.concatenate([codes for codes, _ in found]), segmented)
    table = pd.concat([counted for _, counted in found]).sort_values(["case", "z"])
    columns = [name for name in table if name.endswith(("_overlap", "_predicted"))]
    expected = stored.sort_values(["case", "z"])[columns].to_numpy()
    np.testing.assert_array_equal(table[columns].to_numpy(), expected)
    assert expected.sum() > 1000


def test_what_the_baselines_know_is_what_a_variant_gives(mini_run):
    stored = artifacts.load_table(mini_run.folder / "baselines" / "f0", "counts")
    known = {
        (
            "reconstruction",
        ): "method == 'B11 perfect reconstruction' and reading == 'neighbourhood'",
        ("outline", "enhancing"): "method == 'B11 hull of the true ET'",
    }
    (first, *_) = attribution.load_materials(
        mini_run, PAIR, patients.load_fold(mini_run, 0).test, {}
    )
    for changes, query in known.items():
        counted = attribution.segment_variant(first, changes)[1].sort_values("z")
        (case,) = counted["case"].unique()
        every = stored.query(query)
        expected = every[every["case"] == case].sort_values("z")
        columns = [name for name in counted if name.endswith(("_overlap", "_predicted"))]
        np.testing.assert_array_equal(counted[columns].to_numpy(), expected[columns].to_numpy())


def test_the_stage_is_gathered_and_every_variant_has_every_slice(own_run):
    STAGES["attribution"](own_run, Request(PAIR))
    STAGES["gather"](own_run, Request())
    rows = variants.load_rows(own_run.stage("evidence"))
    found = evidence.load_evidence(own_run.stage("evidence"), command="make book")
    places = set(found.slices[["case", "z"]].itertuples(index=False, name=None))
    names = [variants.name_of(variant) for variant in variants.VARIANTS]
    assert rows["changes"].unique().tolist() == names
    for _, part in rows.groupby("changes"):
        assert len(part) == len(places)
        assert set(part[["case", "z"]].itertuples(index=False, name=None)) == places
    manifest = artifacts.read_manifest(attribution.attribution_folder(own_run, PAIR))
    assert set(manifest["pooled_thresholds"]) == set(SEQUENCES)
    for order in (variants.NETWORK_FIRST, variants.NETWORK_LAST):
        for number in range(len(order) + 1):
            counted = variants.variant_counts(found, rows, METHOD, order[:number])
            assert len(counted.cases) == len(places)


def test_a_reference_holds_the_rows_and_forgets_those_of_another_run(own_run, tmp_path):
    STAGES["attribution"](own_run, Request(PAIR))
    STAGES["gather"](own_run, Request())
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "attribution-BiAAE-L1-s9.csv").write_text("method\n")
    names = results.export_reference(own_run, tmp_path / "reference")
    assert f"attribution-{METHOD}.csv" in names
    assert not (tmp_path / "reference" / "attribution-BiAAE-L1-s9.csv").exists()
    assert variants.choose_method(variants.load_rows(tmp_path / "reference")) == METHOD


def test_a_pair_that_the_run_does_not_have_is_refused(mini_run):
    with pytest.raises(ValueError, match="no pair 'AAE-L1-f0-s0'; its pairs are VAE-MSE-f0-s0"):
        STAGES["attribution"](mini_run, Request("AAE-L1-f0-s0"))


def test_the_pairs_shown_are_the_papers_in_every_fold_or_else_the_first():
    phantom = Run(dataclasses.replace(PROFILES["laptop"], seeds=(4, 5)), folds=2)
    assert shown.shown_pairs(phantom) == ["dVAE-SSIM-f0-s4", "dVAE-SSIM-f1-s4"]
    assert shown.shown_pairs(Run(PROFILES["smoke"])) == [PAIR]
    for fold, seed in itertools.product((0, 3), (0, 11)):
        assert shown.pair_of(f"VAE-CE-SSIM-s{seed}", fold) == f"VAE-CE-SSIM-f{fold}-s{seed}"
