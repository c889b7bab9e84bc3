"""ROC curves of one network's scores as a figure needs them (Table 3)."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.slices import slice_scores

FALSE_POSITIVES = np.linspace(0, 1, 201)  # where curves are read
SHOWN: Mapping[str, str] = {
    "mean_residual": "mean residual",
    "latent_distance": "latent distance",
    "t1ce_mean_residual": "mean residual, T1CE",
    "slice_height": "slice height, no image",
    "brain_area": "brain area, no network",
    "mean_image": "mean FLAIR, no network",
}


class RocPanel(NamedTuple):
    """Curves of one network, averaged over folds.

    Attributes:
        curves: Sensitivity at `FALSE_POSITIVES`, by name of the score with its area.
        gates: False-positive rate and sensitivity of each gate on the mean residual.
        tumour: Number of test slices with tumour.
        free: Number of those without.
    """

    curves: Mapping[str, Float[ndarray, " point"]]
    gates: Mapping[str, tuple[float, float]]
    tumour: int
    free: int


def roc_panel(found: Evidence, method: str) -> RocPanel:
    """Return the curves of a network and of what needs none.

    Args:
        found: Evidence of a run.
        method: A network with its seed, such as "VAE-MSE-s0".
    """
    test = slice_scores.load_test_slices(found, method)
    of = [test[column].to_numpy() for column in ("tumour", "case", "fold")]
    curves = {}
    for key, name in SHOWN.items():
        score = test[key].to_numpy(float)
        area = slice_scores.mean_auroc(score, *of)
        curve = slice_scores.mean_roc(score, *of, false_positives=FALSE_POSITIVES)
        curves[f"{name}: {area:.2f}"] = curve
    rates = slice_scores.gate_rates(found, method, "mean_residual")
    marks = zip(rates["false positives"], rates["sensitivity"], strict=True)
    tumour = int(test["tumour"].sum())
    return RocPanel(curves, dict(zip(rates.index, marks, strict=True)), tumour, len(test) - tumour)
