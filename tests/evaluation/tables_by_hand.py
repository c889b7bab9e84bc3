"""Evidence of three patients whose cells of Tables 2 and 3 are worked out by hand.

Patient 0 has a tumour slice and a healthy one, patient 1 a tumour slice, patient 2 two healthy
slices. Pixels of the truth: edema 6 + enhancing 4, and edema 8 + necrotic core 2.
"""

import dataclasses

import numpy as np
import pandas as pd

from paperlib.config import MixtureSettings
from paperlib.evaluation import tables
from paperlib.evaluation.evidence import Evidence

DRAWS = tables.Draws(number=200, seed=0)
PLACES = [(0, 80), (0, 81), (1, 80), (2, 80), (2, 100)]
TRUTH = {"WT": [10, 0, 10, 0, 0], "TC": [4, 0, 2, 0, 0], "ET": [4, 0, 0, 0, 0],
         "NCR": [0, 0, 2, 0, 0], "ED": [6, 0, 8, 0, 0]}  # fmt: skip
# Half of the outline of patient 0, 4 false pixels beside it, patient 1 whole but all edema.
FOUND = {
    "overlap": {"WT": [5, 0, 10, 0, 0], "TC": [4, 0, 0, 0, 0], "ET": [4, 0, 0, 0, 0],
                "NCR": [0, 0, 0, 0, 0], "ED": [3, 0, 8, 0, 0]},
    "predicted": {"WT": [10, 4, 10, 0, 0], "TC": [4, 0, 0, 0, 0], "ET": [4, 0, 0, 0, 0],
                  "NCR": [0, 0, 0, 0, 0], "ED": [6, 4, 10, 0, 0]},
}  # fmt: skip
NOTHING = {part: {region: [0] * 5 for region in TRUTH} for part in FOUND}
PERFECT = dict.fromkeys(FOUND, TRUTH)
OUTLINE = (0.5 + 0 + 1 + 0 + 0) / 5
SEMANTIC = (0 + (0.5 + 0 + 16 / 18 + 0 + 0) / 5 + (1 + 0 + 0 + 0 + 0) / 5) / 3
READINGS = ("both", "neighbourhood", "weights")
SCORE = [0.9, 0.5, 0.4, 0.1, 0.2]  # of PLACES; the first and the third hold tumour
HEALTHY = {80: 0.45, 100: -0.5}  # height and score of the slices that set thresholds


def slice_rows(fold=0, first=0):
    columns = {f"{region}_truth": pixels for region, pixels in TRUTH.items()}
    cases, heights = zip(*PLACES, strict=True)
    return pd.DataFrame(
        {"case": np.add(cases, first), "fold": fold, "z": heights, "brain_px": 5000, **columns}
    )


def count_rows(method, parts, reading=np.nan, component="all", first=0):
    cases, heights = zip(*PLACES, strict=True)
    columns = {f"{r}_{part}": pixels for part, by in parts.items() for r, pixels in by.items()}
    named = {"method": method, "reading": reading, "component": component}
    return pd.DataFrame(named | {"case": np.add(cases, first), "z": heights, **columns})


def network_counts(method, **by_reading):
    parts = {"both": NOTHING, "neighbourhood": FOUND, "weights": PERFECT} | by_reading
    return [count_rows(method, parts[reading], reading) for reading in READINGS]


def score_rows(method="VAE-MSE-s0", fold=0, first=0, offset=0.0):
    cases, heights = zip(*PLACES, strict=True)
    test = pd.DataFrame({"role": "test", "case": np.add(cases, first), "z": heights})
    values = np.array(SCORE) + offset
    for name in tables.TABLE_3:
        test[name] = values
    test["mean_residual_blind"] = np.array([0.3, 0.5, np.nan, 0.1, 0.2]) + offset
    free = pd.DataFrame({"role": "validation", "case": first + 99, "z": list(HEALTHY)})
    for name in tables.TABLE_3:
        free[name] = np.array(list(HEALTHY.values())) + offset
    return pd.concat([test, free]).assign(method=method, fold=fold)


def make_evidence(counts, *, slices=None, scores=None, models=("VAE",), seeds=(0,)):
    milestones = pd.DataFrame({"model": models, "loss": "MSE"})
    provenance = {
        "seeds": list(seeds),
        "mixture": dataclasses.asdict(MixtureSettings()),
        "patients": 11,
        "folds": 1,
        "profile": "hand",
        "commit": "abc1234",
        "networks": [{"slice_steps": 64}],
    }
    return Evidence(
        slices=slice_rows() if slices is None else slices,
        counts=pd.concat(counts),
        scores=score_rows() if scores is None else scores,
        pixels=pd.DataFrame(),
        milestones=milestones,
        epochs=pd.DataFrame(),
        provenance=provenance,
    )


def make_three_patients() -> Evidence:
    """Return counts of a network, of a method without a mixture and of the truth."""
    return make_evidence(
        [*network_counts("VAE-MSE-s0"), count_rows("B2", FOUND), count_rows("B11 truth", PERFECT)]
    )
