"""The crossed table of the small run, against what other stages say of the same slices."""

import numpy as np
import pandas as pd
import pytest

from paperlib import artifacts, cli
from paperlib.evaluation.comparisons import crossed as pages
from paperlib.evaluation.measures import metrics
from paperlib.labels import region_mask
from paperlib.pipeline.comparisons import crossed, unet_stages
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.stages import STAGES, Request
from paperlib.postprocessing import morphology, thresholds

pytestmark = pytest.mark.long

PARTS = ("overlap", "predicted")


@pytest.fixture
def crossed_run(own_run):
    STAGES["crossed"](own_run, Request("0"))
    return own_run


def test_the_crossed_table_agrees_with_the_other_stages(crossed_run, tmp_path, monkeypatch):
    monkeypatch.setattr(cli.workflow, "_run", lambda _options: crossed_run)
    run, folder = crossed_run, crossed_run.folder / "crossed" / "f0"
    _same_masks_as_the_stages_of_the_paper(run, folder)
    _a_threshold_is_applied_as_said(run, folder)
    _the_supervised_rows_are_counts_of_its_masks(run, folder)
    _pixels_are_ranked_per_patient(run, folder)
    _the_exported_rows_make_the_table(run, tmp_path / "reference")
    assert crossed.compare(run, 0) is False  # nothing changed


def _same_masks_as_the_stages_of_the_paper(run, folder):
    for method, source in (
        ("B3", run.folder / "baselines" / "f0"),
        ("VAE-MSE-s0", run.folder / "segments" / run.pairs()[0]),
    ):
        known = artifacts.load_table(source, "counts")
        if "method" in known:
            known = known[known["method"] == method]
        mine = artifacts.load_table(folder, f"counts-{method}")
        for name, reading in (("mixture", "neighbourhood"), ("weights", "weights")):
            theirs = known[(known["reading"] == reading) & (known["component"] == "all")]
            joined = mine.merge(theirs, on=["case", "z"], validate="one_to_one")
            assert len(joined) == len(mine) > 20
            for part in PARTS:
                assert (joined[f"{name}_{part}"] == joined[f"WT_{part}"]).all()
            assert joined[f"{name}_predicted"].any()


def _a_threshold_is_applied_as_said(run, folder):
    limits = artifacts.read_json(folder / "facts.json")["thresholds"]["B3"]
    fold = patients.load_fold(run, 0)
    healthy = [
        patient.images["flair"][patient.slices["healthy"]][patient.brain[patient.slices["healthy"]]]
        for patient in segments.load_patients(run, fold.validation)
    ]
    assert limits["healthy_95"] == pytest.approx(np.quantile(np.concatenate(healthy), 0.95))
    counts = artifacts.load_table(folder, "counts-B3")
    assert set(limits["others"]) == {str(case) for case in fold.test}
    for patient in segments.load_patients(run, fold.test):
        case = int(patient.slices["case"].iloc[0])
        own = limits | {"others": limits["others"][str(case)]}
        truth = region_mask(patient.labels, "WT")
        for name in ("healthy_95", "oracle", "others"):
            bright = thresholds.above(patient.images["flair"], patient.brain, threshold=own[name])
            mask = morphology.open_close(bright, patient.brain)
            mine = counts[counts["case"] == case]
            assert mine[f"{name}_predicted"].tolist() == mask.sum(axis=(1, 2)).tolist()
            assert mine[f"{name}_overlap"].tolist() == (mask & truth).sum(axis=(1, 2)).tolist()


def _the_supervised_rows_are_counts_of_its_masks(run, folder):
    unet = unet_stages.unet_folder(run, 0, "supervised")
    places = artifacts.load_array(unet, "place")
    segmentation = artifacts.load_array(unet, "segmentation")
    labels = artifacts.load_array(run.stage("prepare"), "labels")[places]
    brain = artifacts.load_array(run.stage("prepare"), "brain")[places]
    assert set(np.unique(segmentation)) <= {0, 1, 2, 4}
    assert not segmentation[~brain].any()
    found = metrics.region_counts(segmentation, labels)
    table = artifacts.load_table(folder, "supervised")
    for part in PARTS:
        assert table[f"WT_{part}"].tolist() == getattr(found, part)[:, 0].tolist()
    for name in ("denoiser", "supervised"):
        epochs = artifacts.load_table(unet_stages.unet_folder(run, 0, name), "epochs")
        assert np.isfinite(epochs["loss"]).all()


def _pixels_are_ranked_per_patient(run, folder):
    known = artifacts.load_table(run.folder / "segments" / run.pairs()[0], "pixels")
    known = known[known["sequence"] == "flair"].set_index("case")["ap"]
    table = artifacts.load_table(folder, "pixels")
    mine = table[table["method"] == "VAE-MSE-s0"].set_index("case")["ap"]
    pd.testing.assert_series_equal(mine.sort_index(), known.sort_index(), rtol=1e-5)


def _the_exported_rows_make_the_table(run, reference):
    assert cli.main(["reference", str(reference), "--profile", "smoke"]) == 0
    found = pages.load_crossed(reference)
    table = pages.dice_table(found, aggregation="every_slice")
    assert {"VAE-MSE-s0", "B3", "B4 median", "B4 Gaussian", "B4 mirror", "B5", "B8"} <= set(
        table.index
    )
    assert any(method.startswith("B6") for method in table.index)
    rows = found.counts["B5"]
    dice = 2 * rows["otsu_overlap"] / (rows["otsu_predicted"] + rows["WT_truth"]).clip(lower=1)
    assert table.loc["B5", "otsu"] == pytest.approx(dice.mean())
    assert np.isfinite(table.to_numpy()).all()
    assert len(pages.supervised_table(found, draws=pages.Draws(20, 0))) == 3
    text = "".join(file.read_text() for file in reference.glob("crossed*"))
    ids = artifacts.load_table(run.stage("prepare"), "cases")["id"]
    assert not [name for name in ids if name in text]
    assert str(run.folder.parents[1]) not in text


def test_an_unknown_fold_is_refused(mini_run):
    with pytest.raises(ValueError, match="This run has no fold '7'; it has 0"):
        STAGES["crossed"](mini_run, Request("7"))


def test_only_the_default_phantom_writes_into_the_checkout(mini_run, monkeypatch):
    called = []
    monkeypatch.setattr(crossed, "export_crossed", lambda *given: called.append(given))
    monkeypatch.setattr(artifacts, "read_manifest", lambda folder: {"key": ""})
    crossed.keep_crossed(mini_run)
    assert called == []


def test_an_export_before_the_stage_names_the_command(mini_run, tmp_path):
    with pytest.raises(FileNotFoundError, match="paperlib stage crossed FOLD --profile mini"):
        crossed.export_crossed(mini_run, tmp_path)
