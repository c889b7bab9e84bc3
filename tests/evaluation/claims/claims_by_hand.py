"""Evidence for claims, small enough to know every Dice: a tumour and a tumour-free slice each.

The tumour has 10 pixels and every prediction, too, so that the Dice of a tumour slice is its
overlap over 10, and the mean over every slice half of that. The gate flags the tumour slices.
"""

import pandas as pd

from paperlib.evaluation.evidence import Evidence
from paperlib.labels import REGIONS

READINGS = ("both", "neighbourhood", "weights")
TUMOUR_Z, FREE_Z, PX = 80, 110, 10


def make_claims_evidence(networks, *, cohort="real", readings=READINGS, wrong=0) -> Evidence:
    """Return evidence of networks.

    Args:
        networks: Pixels found in each patient's tumour slice, by model and loss.
        cohort: "real" or "phantom".
        readings: Of equation 1; all give the same masks.
        wrong: Predicted pixels in each tumour-free slice.
    """
    patients = range(max(map(len, networks.values())))
    slices, counts, scores = [], [], []
    for case in patients:
        for z, truth in ((TUMOUR_Z, PX), (FREE_Z, 0)):
            slices.append(_slice(case, z, truth))
    for (model, loss), overlaps in networks.items():
        method = f"{model}-{loss}-s0"
        for case, overlap in enumerate(overlaps):
            for reading in readings:
                named = {"method": method, "reading": reading, "component": "all", "case": case}
                counts.append({**named, "z": TUMOUR_Z, **_parts(overlap, PX)})
                counts.append({**named, "z": FREE_Z, **_parts(0, wrong)})
            for z, score in ((TUMOUR_Z, 2.0 + case), (FREE_Z, -1.0)):
                scores.append(_score(method, "test", case, z, score))
        scores.append(_score(method, "validation", len(patients), FREE_Z, 1.0))
    provenance = {
        **{"cohort": cohort, "seeds": [0], "healthy_slices": 3, "usable_slices": 12},
        "mixture": {"readings": list(readings), "reading": "neighbourhood"},
    }
    return Evidence(
        pd.DataFrame(slices),
        pd.DataFrame(counts),
        pd.DataFrame(scores),
        pd.DataFrame({"method": [], "sequence": [], "case": []}),
        pd.DataFrame(list(networks), columns=["model", "loss"]),
        pd.DataFrame(),
        provenance,
    )


def with_pixels(found, method="dVAE-SSIM-s0", sequence="flair", **columns) -> Evidence:
    """Return the evidence with further numbers per patient."""
    rows = pd.DataFrame(columns).rename_axis("case").reset_index()
    rows = rows.assign(method=method, sequence=sequence)
    return found._replace(pixels=pd.concat([found.pixels, rows], ignore_index=True))


def _slice(case, z, truth):
    truths = {f"{region}_truth": truth if region in ("WT", "ED") else 0 for region in REGIONS}
    return {"case": case, "fold": 0, "z": z, "brain_px": 100, **truths}


def _parts(overlap, predicted):
    parts = {f"{region}_{part}": 0 for region in REGIONS for part in ("overlap", "predicted")}
    for region in ("WT", "ED"):
        parts |= {f"{region}_overlap": overlap, f"{region}_predicted": predicted}
    return parts | {"flair_degenerate": 0, "flair_clusters_differ": 0}


def _score(method, role, case, z, score):
    row = {"method": method, "role": role, "fold": 0, "case": case, "z": z}
    return {**row, "mean_residual": score, "latent_distance": -score, "slice_height": -z}
