"""The default phantom cohort behaves as real patients do, before any network (design, fixed)."""

import pandas as pd
import pytest

from paperlib import artifacts
from paperlib.config import PROFILES
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.patients import cohort
from paperlib.pipeline.comparisons import baselines
from paperlib.pipeline.method import patients
from paperlib.pipeline.run import Run

TRUTHS = {"NCR": "label1_px", "ED": "label2_px", "ET": "label4_px", "WT": "tumour_px"}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Evidence of the default test patients without any network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "ROOT", tmp_path_factory.mktemp("bands"))
        run = Run(PROFILES["phantom"])
        patients.make_cohort(run)
        patients.prepare_slices(run)
        patients.split_patients(run)
        baselines.segment_baselines(run, 0)
        table = patients.load_slices(run)
        test = table.iloc[patients.usable_of(table, patients.load_fold(run, 0).test)]
        folder = run.folder / "baselines" / "f0"
        counts, scores, pixels = (
            artifacts.load_table(folder, name) for name in ("counts", "scores", "pixels")
        )
    slices = test[["case", "z", "brain_px"]].assign(fold=0)
    for region, column in TRUTHS.items():
        slices[f"{region}_truth"] = test[column]
    slices["TC_truth"] = slices["NCR_truth"] + slices["ET_truth"]
    scores, pixels = scores.assign(method="B10"), pixels.assign(method=pixels["map"])
    counts = counts.drop(columns="fold")
    return Evidence(slices, counts, scores, pixels, pd.DataFrame(), pd.DataFrame(), {})


@pytest.mark.long
@pytest.mark.parametrize("key", cohort.BANDS)
def test_the_default_cohort_lies_inside_its_bands(found, key):
    band = cohort.BANDS[key]
    assert band.low <= cohort.measure(found)[key] <= band.high
    assert found.patients == 20
