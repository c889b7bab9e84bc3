"""Rows beyond the paper small enough to compute every answer by hand: six patients, three folds."""

import itertools

import pandas as pd
from evidence_by_hand import make_evidence

from paperlib.evaluation.comparisons.beyond import SCORED, WAY, Beyond

CHOSEN = ("synthetic", "agreed", "ball", "Otsu")
# Volume Dice of patients 0 to 5 under each way; two patients a fold.
DICE = {
    CHOSEN: (0.9, 0.8, 0.7, 0.6, 0.5, 0.4),
    ("synthetic", "clearest", "ball", "Otsu"): (0.8, 0.7, 0.6, 0.5, 0.4, 0.3),
    ("synthetic", "agreed", "foci", "Otsu"): (0.9, 0.8, 0.7, 0.6, 0.5, 0.1),
    ("synthetic", "agreed", "largest_3d", "Otsu"): (0.0, 0.0, 0.9, 0.9, 0.9, 0.9),
    ("synthetic", "clearest", "foci", "healthy"): (0.1,) * 6,
    ("synthetic s0", "agreed", "ball", "Otsu"): (0.9, 0.8, 0.7, 0.6, 0.5, 0.6),
    ("clean-up", "near", "ball", "Otsu"): (0.5,) * 6,
    ("clean-up", "threshold", "ball", "Otsu"): (0.4,) * 6,
    ("VAE-MSE-s0", "smoothed clearest", "ball", "Otsu"): (1.0,) * 6,
}
RADII = (9.0, 8.0, 7.0, 6.0, 5.0, 4.0)
AGREEMENT = (0.9, 0.95, 0.8, 0.7, 0.6, 0.5)  # orders the patients but for the first two
HEIGHTS = (80, 90)


def make_beyond(*, free=()) -> Beyond:
    """Return the rows; the patients `free` have no tumour."""
    volumes, slices, counts = [], [], []
    for way, dices in DICE.items():
        for case, dice in enumerate(dices):
            row = dict(zip(WAY, way, strict=True)) | {"fold": case // 2, "case": case}
            found = {"foci_found": 1 + (way[2] == "foci" and case == 5)}
            volumes.append(row | found | dict.fromkeys(SCORED, dice))
    for case, z in itertools.product(range(6), HEIGHTS):
        tumour = 0 if case in free else 10 * (z == 80)
        truth = {f"{region}_truth": tumour for region in SCORED}
        slices.append({"case": case, "fold": case // 2, "z": z, **truth})
        drawn = (("synthetic", "agreed"), ("clean-up", "clearest"), ("clean-up", "near"))
        for method, reading in drawn:
            named = {"method": method, "reading": reading, "component": "ball"}
            counts.append({**named, "case": case, "z": z, "WT_predicted": 7 * (z == 80)})
    doubts = pd.DataFrame(
        {
            "case": range(6),
            "networks": AGREEMENT,
            "methods": [0.5] * 6,
            "synthetic_ball_mm": RADII,
            "clean-up_ball_mm": RADII,
            "unlike": range(6),
        }
    )
    return Beyond(
        make_evidence()._replace(slices=pd.DataFrame(slices), counts=pd.DataFrame(counts)),
        pd.DataFrame(volumes),
        doubts.set_index("case"),
        {
            "folds": 3,
            "segmented": [{"training_patients": 4}] * 3,
            "settings": {"averaged": [0, 1]},
        },
    )
