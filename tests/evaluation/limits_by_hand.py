"""The four patients of `evidence_by_hand` with foci, enhancing tumour and a truth to compare with.

Voxels are 10 ml; volumes in the table of cases are made up, to have every kind. Pixels of the
whole tumour per patient: truth 150, 80, 60, 80; predicted 160, 60, 60, 80; overlap 100, 40, 60, 40:
volume Dice 200/310, 80/140, 1, 80/160. Patient 2 has no enhancing tumour.
"""

import pandas as pd
from evidence_by_hand import make_evidence

from paperlib.evaluation.evidence import TRUTH, Evidence
from paperlib.evaluation.patients.by_patient import Method

NETWORK = Method("VAE-MSE-s0", "both")
VOLUME_DICE = [200 / 310, 80 / 140, 1.0, 80 / 160]
# Truth, prediction and overlap of the enhancing tumour at z = 70, 90, 110.
ENHANCING = {
    0: ((4, 2, 0), (3, 0, 5), (2, 0, 0)),
    1: ((0, 20, 0), (0, 10, 0), (0, 10, 0)),
    2: ((0, 0, 0), (6, 0, 1), (0, 0, 0)),
    3: ((0, 5, 0), (0, 5, 0), (0, 5, 0)),
}
CASES = pd.DataFrame(
    {
        "case": [0, 1, 2, 3],
        "fold": [0, 0, 1, 1],
        "grade": ["HGG", "HGG", "LGG", "HGG"],
        "foci": [2, 1, 1, 0],
        "core_foci": [3, 1, 0, 1],
        "largest_share": [0.8, 1.0, 1.0, 1.0],
        "WT_ml": [150.0, 80.0, 60.0, 80.0],
        "TC_ml": [6.0, 20.0, 0.0, 5.0],
        "ET_ml": [6.0, 20.0, 0.0, 4.0],
    }
)


def make_limits() -> Evidence:
    found = make_evidence()
    slices, counts = found.slices.copy(), found.counts.copy()
    for case, columns in ENHANCING.items():
        for z, truth, predicted, overlap in zip((70, 90, 110), *columns, strict=True):
            for region in ("TC", "ET"):
                here = (slices["case"] == case) & (slices["z"] == z)
                slices.loc[here, f"{region}_truth"] = truth
                here = (counts["case"] == case) & (counts["z"] == z)
                parts = [f"{region}_overlap", f"{region}_predicted"]
                counts.loc[here, parts] = overlap, predicted
    provenance = {**found.provenance, "prepare": {"window": 100, "size": 1}}
    everything = [counts, _truth(slices), _largest(counts, 0), _largest(counts, 2)]
    return found._replace(
        slices=slices, counts=pd.concat(everything), cases=CASES, provenance=provenance
    )


def _truth(slices: pd.DataFrame) -> pd.DataFrame:
    rows = slices[["case", "z"]].assign(method=TRUTH, reading=None, component="all")
    for region in ("WT", "TC", "ET", "NCR", "ED"):
        for part in ("overlap", "predicted"):
            rows[f"{region}_{part}"] = slices[f"{region}_truth"]
    return rows


def _largest(counts: pd.DataFrame, lost: int) -> pd.DataFrame:
    """Return a rule that empties patient `lost` and leaves the others alone."""
    rule = {0: "largest_2d", 2: "largest_3d"}[lost]
    numbers = [c for c in counts if c.endswith(("overlap", "predicted"))]
    rows = counts.assign(component=rule)
    rows.loc[rows["case"] == lost, numbers] = 0
    return rows
