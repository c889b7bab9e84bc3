"""The rows that every table is made of, recomputed from stored pixels by other means."""

import numpy as np
import pandas as pd
import pytest
from skimage import measure
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from paperlib import artifacts
from paperlib.config import MixtureSettings
from paperlib.evaluation import evidence, tables
from paperlib.labels import FLAIR, T1CE
from paperlib.pipeline.method import patients, results, segments

CODES = {"WT": {1, 2, 4}, "TC": {1, 4}, "ET": {4}, "NCR": {1}, "ED": {2}}  # written out again
PAIR = "VAE-MSE-f0-s0"
METHOD = "VAE-MSE-s0"


class Pixels:
    """Everything about the usable slices of one test patient, straight from the arrays."""

    def __init__(self, run, case):
        slices = patients.load_slices(run)
        own = np.flatnonzero((slices["case"] == case) & slices["usable"])
        self.z = slices["z"].to_numpy()[own]
        prepared = run.stage("prepare")
        self.labels, self.brain, self.flair, self.t1ce = (
            np.asarray(artifacts.load_array(prepared, name))[own]
            for name in ("labels", "brain", FLAIR, T1CE)
        )
        segmented = run.folder / "segments" / PAIR
        rows = np.isin(artifacts.load_array(segmented, "place"), own)
        self.segmentation = np.asarray(artifacts.load_array(segmented, "segmentation"))[rows]
        self.residual = {}
        for sequence, image in ((FLAIR, self.flair), (T1CE, self.t1ce)):
            folder = run.folder / "reconstructions" / PAIR / sequence
            place = list(artifacts.load_array(folder, "place"))
            shown = artifacts.load_array(folder, "reconstruction")
            order = [place.index(one) for one in own]
            self.residual[sequence] = np.asarray(shown)[order].astype(float) - image


@pytest.fixture
def found(mini_run):
    return evidence.load_evidence(mini_run.stage("evidence"), command="make book")


def _tested(run):
    return patients.load_fold(run, 0).test


def _region(codes, region):
    return np.isin(codes, list(CODES[region]))


def test_counts_of_two_patients_are_scikit_learns_f1_of_every_slice(mini_run, found):
    cases = _tested(mini_run)
    assert len(cases) == 2
    predicted_px = 0
    for case in cases:
        pixels = Pixels(mini_run, case)
        rows = found.counts.query(
            "method == @METHOD and reading == 'neighbourhood' and component == 'all'"
            " and case == @case"
        ).sort_values("z")
        truth = found.slices[found.slices["case"] == case].sort_values("z")
        assert rows["z"].tolist() == truth["z"].tolist() == pixels.z.tolist()
        for region in CODES:
            overlap, predicted = rows[f"{region}_overlap"], rows[f"{region}_predicted"]
            sizes = predicted.to_numpy() + truth[f"{region}_truth"].to_numpy()
            dice = 2 * overlap.to_numpy() / np.maximum(sizes, 1)
            expected = [
                f1_score(wanted.ravel(), got.ravel(), zero_division=0.0)
                for wanted, got in zip(
                    _region(pixels.labels, region),
                    _region(pixels.segmentation, region),
                    strict=True,
                )
            ]
            np.testing.assert_allclose(dice, expected, atol=1e-12, err_msg=f"{case} {region}")
            predicted_px += predicted.sum()
    assert predicted_px > 1000  # the comparison above was not one of nothing with nothing


def test_the_cell_of_table_2_is_the_plain_mean_over_all_test_slices(mini_run, found):
    parts = [Pixels(mini_run, case) for case in _tested(mini_run)]
    (row,) = [row for row in tables.table_2_rows(found) if row.key == "VAE-MSE"]
    draws = tables.Draws(20)
    for target, regions in (("outline", ["WT"]), ("semantic", ["NCR", "ED", "ET"])):
        per_label = []
        for region in regions:
            dice = [
                f1_score(wanted.ravel(), got.ravel(), zero_division=0.0)
                for part in parts
                for wanted, got in zip(
                    _region(part.labels, region), _region(part.segmentation, region), strict=True
                )
            ]
            per_label.append(np.mean(dice))
        cell = tables.dice_interval(found, row, target, reading="neighbourhood", draws=draws)
        assert cell.value == pytest.approx(np.mean(per_label), abs=1e-12)


def test_the_slice_table_counts_brain_and_truth(mini_run, found):
    for case in _tested(mini_run):
        pixels = Pixels(mini_run, case)
        rows = found.slices[found.slices["case"] == case].sort_values("z")
        assert rows["brain_px"].tolist() == pixels.brain.sum(axis=(1, 2)).tolist()
        for region in CODES:
            counted = _region(pixels.labels, region).sum(axis=(1, 2)).tolist()
            assert rows[f"{region}_truth"].tolist() == counted


def test_the_table_of_cases_describes_the_true_tumour_of_each_test_patient(mini_run, found):
    prepared = artifacts.load_table(mini_run.stage("prepare"), "cases").set_index("case")
    voxel_ml = (180 / 128) ** 2 / 1000
    assert found.cases["case"].tolist() == sorted(_tested(mini_run))
    for _, row in found.cases.iterrows():
        labels = Pixels(mini_run, row["case"]).labels
        assert (row["fold"], row["grade"]) == (0, prepared.loc[row["case"], "grade"])
        for region, codes in CODES.items():
            volume = np.isin(labels, list(codes)).sum() * voxel_ml
            assert row[f"{region}_ml"] == pytest.approx(volume, rel=1e-6)
        for column, region in (("foci", "WT"), ("core_foci", "TC")):
            pieces = measure.label(_region(labels, region), connectivity=3)
            sizes = np.bincount(pieces.ravel())[1:] * voxel_ml
            assert row[column] == (sizes >= 0.05).sum()
            if region == "WT":
                assert row["largest_share"] == pytest.approx(sizes.max() / sizes.sum())
    assert (found.cases["foci"] > 0).all()


def test_slices_that_nobody_looks_at_add_nothing_to_a_case(mini_run, found):
    slices = patients.load_slices(mini_run)
    labels = np.array(artifacts.load_array(mini_run.stage("prepare"), "labels"))
    top = slices.groupby("case")["z"].idxmax()
    assert slices.loc[top, "usable"].any()  # the mini run has no unusable slice of its own
    slices.loc[top, "usable"] = False
    labels[top] = 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results.patients, "load_slices", lambda _: slices)
        patch.setattr(results.artifacts, "load_array", lambda *_: labels)
        again = results.describe_cases(mini_run, found.slices)
    free = (slices["z"] < slices["z"].max()) & slices["case"].isin(again["case"])
    px = slices[free].groupby("case")["label4_px"].sum()
    np.testing.assert_allclose(again["ET_ml"], px * (180 / 128) ** 2 / 1000)


def test_evidence_older_than_the_table_of_cases_has_an_empty_one(mini_run, tmp_path):
    results.export_reference(mini_run, tmp_path)
    (tmp_path / "cases.csv").unlink()
    assert evidence.load_evidence(tmp_path, command="make reference").cases.empty


def test_scores_of_two_patients_are_means_over_the_brain(mini_run, found):
    for case in _tested(mini_run):
        pixels = Pixels(mini_run, case)
        rows = found.scores.query("method == @METHOD and role == 'test' and case == @case")
        rows = rows.sort_values("z")
        for number, (_, row) in enumerate(rows.iterrows()):
            inside = pixels.brain[number]
            residual = pixels.residual[FLAIR][number][inside]
            assert row["mean_residual"] == pytest.approx(-residual.mean(), abs=1e-5)
            assert row["residual_variance"] == pytest.approx(residual.var(), rel=1e-4)
            assert row["mean_absolute"] == pytest.approx(np.abs(residual).mean(), rel=1e-4)
            assert row["mean_image"] == pytest.approx(pixels.flair[number][inside].mean(), abs=1e-5)
            t1ce = pixels.residual[T1CE][number][inside]
            assert row["t1ce_mean_residual"] == pytest.approx(-t1ce.mean(), abs=1e-5)
            assert row["brain_area"] == inside.sum()
            assert row["slice_height"] == -pixels.z[number]
    assert len(found.scores.query("method == @METHOD and role == 'test'")) == 60


def test_the_latent_distance_is_mahalanobis_of_the_flair_network(mini_run, found):
    folder = mini_run.folder / "reconstructions" / PAIR / FLAIR
    network = mini_run.folder / "models" / PAIR / FLAIR
    mean, variance = (artifacts.load_array(network, f"latent_{n}") for n in ("mean", "variance"))
    variance = np.maximum(variance, 1e-3 * np.median(variance))
    latent = np.asarray(artifacts.load_array(folder, "latent"), float)
    distance = np.sqrt(((latent - mean) ** 2 / variance).sum(axis=1))
    slices = patients.load_slices(mini_run)
    place = artifacts.load_array(folder, "place")
    shown = pd.DataFrame({"case": slices["case"].to_numpy()[place],
                          "z": slices["z"].to_numpy()[place], "expected": distance})  # fmt: skip
    rows = found.scores[found.scores["method"] == METHOD].merge(shown, on=["case", "z"])
    assert len(rows) == (found.scores["method"] == METHOD).sum() == len(place)
    np.testing.assert_allclose(rows["latent_distance"], rows["expected"], rtol=1e-4)


def test_pixel_rankings_are_those_of_minus_the_residual_in_the_brain(mini_run, found):
    checked = 0
    for case in _tested(mini_run):
        pixels = Pixels(mini_run, case)
        for sequence, region, image in ((FLAIR, "WT", pixels.flair), (T1CE, "ET", pixels.t1ce)):
            row = found.pixels.query(
                "method == @METHOD and case == @case and sequence == @sequence"
            ).iloc[0]
            assert row["region"] == region
            truth = _region(pixels.labels, region)[pixels.brain]
            if not truth.any():
                assert np.isnan(row["ap"])
                continue
            anomaly = -pixels.residual[sequence][pixels.brain]
            expected = average_precision_score(truth, anomaly)
            assert row["ap"] == pytest.approx(expected, abs=2e-3)
            assert row["auroc"] == pytest.approx(roc_auc_score(truth, anomaly), abs=2e-3)
            expected = average_precision_score(truth, image[pixels.brain])
            assert row["image_ap"] == pytest.approx(expected, abs=1e-5)
            checked += 1
    assert checked == 3  # the LGG patient has no enhancing tumour


def _drawn_patient():
    """A patient whose FLAIR residual shows 30 x 30 pixels and T1CE 10 x 10 inside of them."""
    rng = np.random.default_rng(0)
    brain = np.zeros((2, 128, 128), bool)
    brain[:, 14:114, 14:114] = True
    residuals = {name: rng.normal(0, 0.1, brain.shape) for name in (FLAIR, T1CE)}
    residuals[FLAIR][0, 40:70, 40:70] -= 3
    residuals[T1CE][0, 50:60, 50:60] -= 3
    labels = np.zeros(brain.shape, np.uint8)
    labels[0, 40:70, 40:70] = 2
    labels[0, 50:60, 50:60] = 4
    images = {name: -residual for name, residual in residuals.items()}
    slices = pd.DataFrame({"case": [5, 5], "z": [80, 81], "healthy": [False, True]})
    return segments.Patient(slices, images, brain, labels), residuals


def test_the_outline_is_taken_from_flair_and_the_enhancing_tumour_from_t1ce():
    patient, residuals = _drawn_patient()
    segmentation, rows = segments.cluster_rows(patient, residuals, MixtureSettings())
    np.testing.assert_array_equal(segmentation[0], patient.labels[0])
    first = rows.query("reading == 'neighbourhood' and component == 'all' and z == 80").iloc[0]
    assert (first["WT_overlap"], first["WT_predicted"]) == (900, 900)
    assert (first["ET_overlap"], first["ET_predicted"]) == (100, 100)
    assert (first["ED_overlap"], first["NCR_predicted"]) == (800, 0)


def test_every_reading_has_rows_and_the_one_taken_downstream_all_components():
    patient, residuals = _drawn_patient()
    _, rows = segments.cluster_rows(patient, residuals, MixtureSettings())
    assert rows.groupby(["reading", "component"]).size().to_dict() == {
        ("both", "all"): 2,
        ("neighbourhood", "all"): 2,
        ("neighbourhood", "largest_2d"): 2,
        ("neighbourhood", "largest_3d"): 2,
        ("weights", "all"): 2,
    }
    assert (rows["flair_iterations"] >= 1).all()


def test_a_blind_score_does_not_see_the_tumour():
    patient, residuals = _drawn_patient()
    scored = segments.score_patient(patient, residuals[FLAIR])
    assert scored["mean_residual"][0] > 0.2
    assert abs(scored["mean_residual_blind"][0]) < 0.01
    assert scored["mean_residual_blind"][1] == scored["mean_residual"][1]


def test_a_blind_score_is_missing_where_hardly_any_brain_is_left():
    patient, residuals = _drawn_patient()
    labels = patient.labels.copy()
    labels[0, 14:112, :] = 2
    scored = segments.score_patient(patient._replace(labels=labels), residuals[FLAIR])
    assert np.isnan(scored["mean_residual_blind"][0])
    assert np.isfinite(scored["mean_residual"]).all()


def test_a_perfect_reconstruction_leaves_the_tumour_and_nothing_else(mini_run):
    found = pd.read_csv(mini_run.stage("evidence") / "counts-B11_perfect_reconstruction.csv")
    truth = pd.read_csv(mini_run.stage("evidence") / "counts-B11_truth.csv")
    rows = found.query("reading == 'weights'").merge(truth, on=["case", "z"])
    dice = 2 * rows["WT_overlap_x"] / (rows["WT_predicted_x"] + rows["WT_predicted_y"])
    assert dice[rows["WT_predicted_y"] > 400].median() > 0.8
    assert (truth["WT_overlap"] == truth["WT_predicted"]).all()


def _identifying(run):
    names = artifacts.load_table(run.stage("prepare"), "cases")["id"].tolist()
    return [*names, "Phantom", str(artifacts.ROOT), str(run.patients), "/home", "/tmp", ".nii"]


def test_evidence_names_no_patient_and_no_path(mini_run, tmp_path):
    results.export_reference(mini_run, tmp_path / "reference")
    for folder in (mini_run.stage("evidence"), tmp_path / "reference"):
        files = sorted(folder.iterdir())
        assert len(files) > 10
        for file in files:
            text = file.read_text()
            assert text
            assert [word for word in _identifying(mini_run) if word in text] == [], file.name
    cases = (mini_run.stage("prepare") / "cases.csv").read_text()
    assert _identifying(mini_run)[0] in cases  # where it may stand the search does find it


def test_a_reference_gives_the_tables_of_its_run_and_keeps_nothing_of_an_older_one(
    mini_run, found, tmp_path
):
    (tmp_path / "counts-AAE-MSE-s0.csv").write_text("method,case\nAAE-MSE-s0,1\n")
    (tmp_path / "README.md").write_text("kept")
    names = results.export_reference(mini_run, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {*names, "README.md"}
    assert artifacts.MANIFEST not in names
    exported = evidence.load_evidence(tmp_path, command="make reference")
    draws = tables.Draws(20)
    pd.testing.assert_frame_equal(
        tables.table_2(exported, "outline", draws=draws),
        tables.table_2(found, "outline", draws=draws),
    )


def test_missing_evidence_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No evidence in here; run `make reference"):
        evidence.load_evidence(tmp_path / "here", command="make reference NAME=real36")
