"""Evidence small enough to compute every answer by hand: four patients, two folds, three slices.

Scores of the two folds have different zero points: fold 1 lies 100 above fold 0.
"""

import pandas as pd

from paperlib.evaluation.evidence import Evidence
from paperlib.labels import REGIONS

METHOD = "VAE-MSE-s0"
HEIGHTS = (70, 90, 110)
# WT pixels of the truth, of the prediction and of both, per case and height.
TRUTH = {0: (100, 50, 0), 1: (0, 80, 0), 2: (60, 0, 0), 3: (40, 40, 0)}
PREDICTED = {0: (100, 50, 10), 1: (20, 40, 0), 2: (60, 0, 0), 3: (0, 80, 0)}
OVERLAP = {0: (50, 50, 0), 1: (0, 40, 0), 2: (60, 0, 0), 3: (0, 40, 0)}
FOLDS = {0: 0, 1: 0, 2: 1, 3: 1}
SCORES = {0: (5.0, 4.0, 1.0), 1: (2.0, 6.0, 0.5), 2: (104.0, 101.0, 102.0), 3: (105.0, 100.5, 99.5)}
AREAS = (800, 600, 200)
HEALTHY = {0: (0.0, 1.0, 2.0), 1: (99.0, 100.0, 101.0)}  # validation slices of each fold
HEALTHY_AREAS = (100.0, 200.0, 300.0)


def make_evidence() -> Evidence:
    slices, counts, scores = [], [], []
    for case, fold in FOLDS.items():
        for number, z in enumerate(HEIGHTS):
            place = {"case": case, "z": z}
            truth = {f"{region}_truth": TRUTH[case][number] for region in ("WT", "ED")}
            truth |= {f"{region}_truth": 0 for region in ("TC", "ET", "NCR")}
            slices.append({**place, "fold": fold, "brain_px": AREAS[number], **truth})
            parts = {
                f"{region}_{part}": 0 for region in REGIONS for part in ("overlap", "predicted")
            }
            for region in ("WT", "ED"):
                parts[f"{region}_overlap"] = OVERLAP[case][number]
                parts[f"{region}_predicted"] = PREDICTED[case][number]
            named = {"method": METHOD, "reading": "both", "component": "all"}
            counts.append({**named, **place, **parts})
            score = {"mean_residual": SCORES[case][number], "latent_distance": AREAS[number] / 10}
            score |= {"brain_area": float(AREAS[number]), "fold": fold}
            scores.append({"method": METHOD, "role": "test", **place, **score})
    for fold, values in HEALTHY.items():
        for z, value, area in zip(HEIGHTS, values, HEALTHY_AREAS, strict=True):
            row = {"method": METHOD, "role": "validation", "case": 10 + fold, "z": z, "fold": fold}
            row |= {"mean_residual": value, "latent_distance": area / 10, "brain_area": area}
            scores.append(row)
    scores.reverse()  # an order that nobody may rely on
    milestones = pd.DataFrame({"model": ["VAE"], "loss": ["MSE"]})
    provenance = {"seeds": [0], "folds": 2, "mixture": {"readings": ["both"], "reading": "both"}}
    provenance["networks"] = [
        {"slice_steps": 12_000, "converged": False},
        {"slice_steps": 9_000, "converged": True},
    ]
    return Evidence(
        pd.DataFrame(slices),
        pd.DataFrame(counts).sort_values(["z", "case"]),
        pd.DataFrame(scores),
        pd.DataFrame(),
        milestones,
        pd.DataFrame(),
        provenance,
    )
