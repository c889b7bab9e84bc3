"""How much of a residual is the input: both rank the same pixels of the same patient.

A network that reconstructs nothing leaves r = -x, whose ranking of pixels is that of the image.
A residual is worth its network only where it ranks better than the image does.
"""

import numpy as np
import pandas as pd

from paperlib.evaluation.comparisons.attribution import signed
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.measures.metrics import PatientRatios
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGION_NAMES, SHOWN_REGION

MEASURES = ("ap", "image_ap")


def per_patient(found: Evidence) -> pd.DataFrame:
    """Return the pixel average precision of residual and image for each patient.

    Args:
        found: Evidence of a run.

    Returns:
        One row per network, sequence and patient that has the region: `row` ("dVAE-SSIM"),
        `sequence`, `region`, `case`, `fold`, `ap` of the residual and `image_ap`; seeds averaged.
    """
    seeds = found.provenance["seeds"]
    rows = {
        f"{model}-{loss}-s{seed}": f"{model}-{loss}"
        for model, loss in found.networks
        for seed in seeds
    }
    chosen = found.pixels[found.pixels["method"].isin(list(rows))].dropna(subset="ap")
    chosen = chosen.assign(row=chosen["method"].map(rows))
    keys = ["row", "sequence", "region", "case", "fold"]
    return chosen.groupby(keys, as_index=False, sort=False)[list(MEASURES)].mean()


def compare_with_input(found: Evidence, *, draws: Draws) -> pd.DataFrame:
    """Return how the residual of each network ranks pixels, beside the image itself.

    Args:
        found: Evidence of a run.
        draws: Of the intervals over patients.

    Returns:
        Index row and sequence; `patients` with the region, mean `ap` of the residual and
        `image_ap`, their `difference` with `low` and `high`, paired by patient, the share of
        patients whose residual ranks `better`, and `input_correlation` of r with -x (mean over
        the networks of the row, at the weights that were kept).
    """
    lines = []
    for (row, sequence), part in per_patient(found).groupby(["row", "sequence"], sort=False):
        ranked = part.sort_values("case")
        residual, image = (_mean(ranked, measure, draws) for measure in MEASURES)
        gain = statistics.interval(statistics.difference(residual, image))
        lines.append(
            {
                "row": row,
                "sequence": sequence,
                "patients": gain.patients,
                "ap": residual.value,
                "image_ap": image.value,
                "difference": gain.value,
                "low": gain.low,
                "high": gain.high,
                "better": float((ranked["ap"] > ranked["image_ap"]).mean()),
            }
        )
    table = pd.DataFrame(lines).set_index(["row", "sequence"])
    table = table.join(_input_correlation(found.milestones))
    return table.sort_index(level="sequence", sort_remaining=False, kind="stable")


def lay_out(table: pd.DataFrame) -> pd.DataFrame:
    """Return the comparison as texts.

    Args:
        table: From `compare_with_input`.
    """
    gain = [signed(*line) for line in table[["difference", "low", "high"]].itertuples(index=False)]
    texts = {
        "n": table["patients"].astype(str),
        "AP of −residual": table["ap"].map("{:.2f}".format),
        "AP of the image": table["image_ap"].map("{:.2f}".format),
        "difference": gain,
        "patients ranked better": (100 * table["better"]).map("{:.0f}\u00a0%".format),
        "correlation of r with −x": table["input_correlation"].map("{:.2f}".format),
    }
    frame = pd.DataFrame(texts, index=table.index).reset_index()
    shows = frame["sequence"].map(lambda s: f"{s.upper()}, {REGION_NAMES[SHOWN_REGION[s]]}")
    frame = frame.drop(columns="sequence").assign(group=shows).set_index(["group", "row"])
    return frame.rename_axis([None, None])


def _mean(ranked: pd.DataFrame, measure: str, draws: Draws) -> statistics.Bootstrapped:
    values = ranked[measure].to_numpy(float)[:, None]
    ratios = PatientRatios(ranked["case"].to_numpy(), values, np.ones_like(values))
    return statistics.bootstrap_ratio(
        ratios, ranked["fold"].to_numpy(), region=0, draws=draws.number, seed=draws.seed
    )


def _input_correlation(milestones: pd.DataFrame) -> pd.Series:
    kept = milestones[milestones["final"] == 1]
    row = (kept["model"] + "-" + kept["loss"]).rename("row")
    return kept.groupby([row, "sequence"])["input_correlation"].mean()
