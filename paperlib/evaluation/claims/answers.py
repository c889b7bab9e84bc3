"""What a measurement of a sentence gives: an interval over patients, or why there is none."""

from typing import NamedTuple

import pandas as pd
from jaxtyping import Shaped
from numpy import ndarray

from paperlib.evaluation.claims.pairing import Network, network_row
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.examples import PAPERS_CHOICE
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.statistics import Bootstrapped, Interval
from paperlib.evaluation.tables import Draws

NOT_MEASURED = "not measured"


class Absent(NamedTuple):
    """Why something has no value: the verdict that stands in its place, and what is missing."""

    verdict: str
    reason: str


Answer = Interval | Absent


def unmeasured(*columns: str) -> Absent:
    """Return that the evidence lacks columns or has no number in them."""
    return Absent(NOT_MEASURED, f"This run holds no numbers of {', '.join(columns)} yet.")


def fact(found: Evidence, value: float) -> Interval:
    """Return a number that is counted, not estimated: its interval is itself."""
    return Interval(value, value, value, found.patients)


def reading_of(found: Evidence) -> str:
    """Return the reading of equation 1 that is taken downstream."""
    return str(found.provenance["mixture"]["reading"])


def seeds_of(found: Evidence, network: Network = PAPERS_CHOICE) -> tuple[str, ...]:
    """Return a trained network as the rows name it, once per seed."""
    return network_row(found, network).methods


def mean_over_patients(found: Evidence, values: pd.Series, draws: Draws) -> Answer:
    """Return the mean of one number per patient, all patients weighing the same.

    Args:
        found: Evidence of a run.
        values: By case; patients without a number are left out.
        draws: Of the interval.
    """
    known = values.dropna()
    if known.empty:
        return Absent(NOT_MEASURED, "Defined for no patient.")
    return ratio_over_patients(found, known, known * 0 + 1, draws)


def share_over_patients(
    found: Evidence, holds: pd.Series, cases: pd.Series, draws: Draws
) -> Interval:
    """Return a share of slices, all slices weighing the same; patients are drawn.

    Args:
        found: Evidence of a run.
        holds: Of each slice.
        cases: The patient of each slice.
        draws: Of the interval.
    """
    counted = holds.astype(float).groupby(cases.to_numpy()).agg(["sum", "count"])
    return ratio_over_patients(found, counted["sum"], counted["count"].astype(float), draws)


def ratio_over_patients(
    found: Evidence, above: pd.Series, below: pd.Series, draws: Draws
) -> Interval:
    """Return sum over sum, patients drawn.

    Args:
        found: Evidence of a run.
        above: By case.
        below: By the same cases.
        draws: Of the interval.
    """
    known = (above.notna() & below.notna()).to_numpy()
    cases = above.index.to_numpy()[known]
    folds = found.slices.groupby("case")["fold"].first().loc[cases].to_numpy()
    sums = (part.to_numpy(float)[known][:, None] for part in (above, below))
    return statistics.interval(draw(metrics.PatientRatios(cases, *sums), folds, 0, draws))


def draw(
    ratios: metrics.PatientRatios, folds: Shaped[ndarray, " case"], region: int, draws: Draws
) -> Bootstrapped:
    """Return one region of some ratios with its draws of patients."""
    return statistics.bootstrap_ratio(
        ratios, folds, region=region, draws=draws.number, seed=draws.seed
    )
