"""How far a slice score is the area of brain in the slice (control of section 4.2)."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.slices import slice_scores


def without_area(found: Evidence, method: str, score: str) -> Float[ndarray, " slice"]:
    """Return a score minus what the area of brain in the slice says about it in healthy slices.

    A line is fitted to the fold's healthy validation slices, score over area.

    Args:
        found: Evidence of a run.
        method: A network with its seed.
        score: A column of the scores.

    Returns:
        In the order of `load_test_slices`; NaN where the fold's healthy slices have one area.
    """
    healthy, test = (
        slice_scores.load_healthy_slices(found, method),
        slice_scores.load_test_slices(found, method),
    )
    rest = np.full(len(test), np.nan)
    for fold, part in test.groupby("fold"):
        free = healthy[healthy["fold"] == fold]
        if free["brain_area"].nunique() > 1:
            line = np.polyfit(free["brain_area"], free[score], 1)
            rest[part.index] = part[score] - np.polyval(line, part["brain_area"])
    return rest


def area_control(found: Evidence) -> pd.DataFrame:
    """Return how far the paper's two scores follow the area of brain, for each network.

    Returns:
        One row per network and score: `correlation` with the area over all test slices, `free`
        over those without tumour (scores in healthy units), `auroc`, and `without_area`, the
        area under the curve after `without_area`.
    """
    lines = []
    for model, loss in found.networks:
        method = slice_scores.first_seed(found, model, loss)
        test = slice_scores.load_test_slices(found, method)
        tumour, area = test["tumour"].to_numpy(), test["brain_px"].to_numpy(float)
        of = [test[column].to_numpy() for column in ("tumour", "case", "fold")]
        for score in ("mean_residual", "latent_distance"):
            scaled = slice_scores.in_healthy_units(found, method, score)
            line: dict[str, object] = {"method": method, "score": score}
            line["correlation"] = float(np.corrcoef(scaled, area)[0, 1])
            line["free"] = float(np.corrcoef(scaled[~tumour], area[~tumour])[0, 1])
            line["auroc"] = slice_scores.mean_auroc(test[score].to_numpy(float), *of)
            line["without_area"] = slice_scores.mean_auroc(without_area(found, method, score), *of)
            lines.append(line)
    return pd.DataFrame(lines).set_index(["method", "score"])
