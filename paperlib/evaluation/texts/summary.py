"""The numbers that prose may show, as one flat dictionary per cohort."""

import math
from collections.abc import Mapping

import pandas as pd

from paperlib.evaluation import paper, tables
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.patients import cohort

Summary = dict[str, float | int | str]


def summarise(found: Evidence, *, prefix: str, draws: tables.Draws) -> Summary:
    """Return every number of Tables 2 and 3 of a cohort.

    Keys read like `real36.outline.dVAE-SSIM.neighbourhood_value`.

    Args:
        found: Evidence of a run or a reference.
        prefix: First part of every key.
        draws: Of the intervals.
    """
    slices = found.slices
    facts: Summary = {
        "patients": int(found.provenance["patients"]),
        "test_patients": found.patients,
        "folds": int(found.provenance["folds"]),
        "profile": str(found.provenance["profile"]),
        "commit": str(found.provenance["commit"]),
        "test_slices": len(slices),
        "tumour_free_slices": int((slices["WT_truth"] == 0).sum()),
        "tumour_free_share": float((slices["WT_truth"] == 0).mean()),
        "slice_steps": int(found.provenance["networks"][0]["slice_steps"]),
    }
    for target in (tables.OUTLINE, tables.SEMANTIC):
        table = tables.table_2(found, target, draws=draws)
        facts |= {f"{target}.{key}": value for key, value in _cells(table).items()}
    for network in found.networks:
        method = "-".join(network)
        seed = found.provenance["seeds"][0]
        table = tables.table_3(found, f"{method}-s{seed}", draws=draws)
        facts |= {f"score.{method}.{key}": value for key, value in _cells(table).items()}
    return {f"{prefix}.{key}": value for key, value in facts.items()}


def paper_summary() -> Summary:
    """Return the paper's numbers under keys such as `paper.outline.dVAE-SSIM`."""
    facts: Summary = {"paper.test_patients": paper.TEST_PATIENTS}
    for target, printed in ((tables.OUTLINE, paper.OUTLINE), (tables.SEMANTIC, paper.SEMANTIC)):
        facts |= {f"paper.{target}.{'-'.join(key)}": value for key, value in printed.items()}
    facts |= {f"paper.score.{key}": value for key, value in paper.AUROC.items()}
    facts |= {f"paper.gated.{region}": value for region, value in paper.GATED.items()}
    return facts


def measured_summary(found: Evidence, *, prefix: str) -> Summary:
    """Return what a cohort measures for each band, as in `phantom.measured.plain_dice`.

    Args:
        found: Evidence of a run or a reference, with its baselines.
        prefix: First part of every key.
    """
    measured = cohort.measure(found).items()
    return {f"{prefix}.measured.{key}": value for key, value in measured if math.isfinite(value)}


def band_summary() -> Summary:
    """Return what a phantom must measure, under keys such as `band.plain_dice.low`."""
    bands = cohort.BANDS.items()
    return {
        f"band.{key}.{end}": getattr(band, end) for key, band in bands for end in ("low", "high")
    }


def _cells(table: pd.DataFrame) -> Mapping[str, float]:
    found = {}
    for key, line in table.iterrows():
        for column, value in line.items():
            if isinstance(value, int | float) and not math.isnan(value):
                found[f"{key}.{column}".replace(" ", "_")] = value
    return found
