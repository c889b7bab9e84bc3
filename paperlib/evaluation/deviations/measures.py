"""What another choice makes of the same evidence: alternative minus ours, paired by patient.

Everything is asked of the paper's network, whose masks and scores are stored per slice; what
would need another training or another mask is a row of `make ablations` instead.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from paperlib.evaluation import conventions, evidence, tables
from paperlib.evaluation.claims import answers, numbers, residual_answers
from paperlib.evaluation.claims.answers import Absent, Answer
from paperlib.evaluation.claims.contrasts import NOT_TESTABLE
from paperlib.evaluation.claims.pairing import missing_networks
from paperlib.evaluation.deviations.deviation import OUTLINE, Alternative
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.examples import PAPERS_CHOICE
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.statistics import Bootstrapped, Interval
from paperlib.evaluation.slices import slice_scores
from paperlib.evaluation.tables import Draws
from paperlib.labels import FLAIR, REGIONS


class Way(NamedTuple):
    """One way to count a prediction; the defaults are Table 2, outline.

    Attributes:
        method: Row of the counts; empty for the paper's network, its seeds averaged.
        reading: Of equation 1; empty for the one taken downstream.
        component: Which pieces of the mask are kept.
        aggregation: A key of `metrics.AGGREGATIONS`.
        empty: What a pair of empty masks counts.
        regions: Whose values are averaged.
        gate: A rule of `slice_scores.RULES`; empty for no gate.
        score: That is gated.
    """

    method: str = ""
    reading: str = ""
    component: str = "all"
    aggregation: str = "every_slice"
    empty: float = 0.0
    regions: tuple[str, ...] = ("WT",)
    gate: str = ""
    score: str = "mean_residual"


EVERY_SLICE = Way()  # Table 2, outline


def change_way(found: Evidence, draws: Draws, *, to: Way, ours: Way = EVERY_SLICE) -> Answer:
    """Return the Dice counted in one way minus that counted in ours, on the same patients.

    Args:
        found: Evidence of a run.
        draws: Of the interval.
        to: The alternative.
        ours: What it is compared with.
    """
    if absent := _untested(found):
        return absent
    for way in (to, ours):
        if lacking := _lacking(found, way):
            return answers.unmeasured(lacking)
    both = [_dice(found, way, draws) for way in (to, ours)]
    return statistics.interval(statistics.difference(*both))


def counted(
    words: str,
    to: Way,
    *,
    ours: Way = EVERY_SLICE,
    unit: str = OUTLINE,
    beside: bool = False,
) -> Alternative:
    """Return an alternative that counts the stored masks in another way.

    Args:
        words: What is done instead.
        to: The alternative.
        ours: What it is compared with.
        unit: What it is a difference of.
        beside: As in `Alternative`.
    """
    return Alternative(words, partial(change_way, to=to, ours=ours), unit, beside)


def change_score(found: Evidence, draws: Draws, *, to: str, ours: str = "mean_residual") -> Answer:
    """Return the AUROC of one slice score minus that of ours.

    Args:
        found: Evidence of a run.
        draws: Of the interval.
        to: A column of the scores.
        ours: Another one.
    """
    if absent := _untested(found):
        return absent
    if to not in found.scores:
        return answers.unmeasured(to)
    return residual_answers.auroc_difference(found, draws, first=to, second=ours)


def pool_folds(found: Evidence, draws: Draws) -> Answer:
    """Return the AUROC of raw scores of all folds together minus the mean over folds.

    It has no interval: the two are not drawn alike. With one fold there is nothing to pool.
    """
    if absent := _untested(found):
        return absent
    if found.slices["fold"].nunique() < 2:
        return Absent(answers.NOT_MEASURED, "This run has one fold.")
    test = slice_scores.load_test_slices(found, slice_scores.first_seed(found, *PAPERS_CHOICE))
    pooled = metrics.slice_auroc(test["mean_residual"].to_numpy(float), test["tumour"].to_numpy())
    apart = numbers.score_auroc(found, "mean_residual", draws=Draws(1, draws.seed)).value
    return Interval(pooled - apart, np.nan, np.nan, found.patients)


def stop_elsewhere(found: Evidence, _draws: Draws) -> Answer:
    """Return the largest change of Dice between a look along the training and the weights kept.

    Of FLAIR, mean over folds and seeds, at the threshold that the training itself looks with. It
    has no interval: looks are stored per network, not per patient.
    """
    model, loss = PAPERS_CHOICE
    rows = found.milestones
    own = rows[(rows["model"] == model) & (rows["loss"] == loss)]
    if own.empty:
        return Absent(NOT_TESTABLE, f"Not trained here: {model}-{loss}.")
    own = own[own["sequence"] == FLAIR]
    kept = own.loc[own["final"] == 1, "dice"].mean()
    changes = own[own["final"] == 0].groupby("slice_steps")["dice"].mean() - kept
    largest = changes.loc[changes.abs().idxmax()]
    return Interval(float(largest), np.nan, np.nan, found.patients)


def narrow(found: Evidence) -> Evidence:
    """Return the evidence with the paper's network and the baselines only, to look in faster."""
    own, counts, scores = answers.seeds_of(found), found.counts, found.scores
    kept = counts["method"].isin([*own, *tables.BASELINES, *tables.CEILINGS])
    return found._replace(counts=counts[kept], scores=scores[scores["method"].isin(own)])


def _untested(found: Evidence) -> Absent | None:
    missing = missing_networks(found, [PAPERS_CHOICE])
    return Absent(NOT_TESTABLE, f"Not trained here: {missing}.") if missing else None


def _lacking(found: Evidence, way: Way) -> str:
    """Return what a run does not hold of a way to count, as words; empty if it holds all."""
    if way.gate and way.score not in found.scores:
        return way.score
    method = way.method or answers.seeds_of(found)[0]
    reading, component = _reading(found, way), way.component
    if len(evidence.count_rows(found, method, reading=reading, component=component)):
        return ""
    return f"{method}, reading {reading!r}, component {component!r}"


def _reading(found: Evidence, way: Way) -> str:
    mixed = not way.method or way.method in tables.MIXED
    return (way.reading or answers.reading_of(found)) if mixed else ""


def _dice(found: Evidence, way: Way, draws: Draws) -> Bootstrapped:
    reading, parts = _reading(found, way), []
    for method in (way.method,) if way.method else answers.seeds_of(found):
        table = conventions.slice_counts(found, method, reading=reading, component=way.component)
        columns = (
            table[[f"{region}_{part}" for region in REGIONS]].to_numpy(int)
            for part in metrics.RegionCounts._fields
        )
        counts, flagged = metrics.RegionCounts(*columns), None
        if way.gate:
            flagged = _flags(found, method, way)
            counts = metrics.gated(counts, flagged)
        parts.append(
            metrics.aggregate(
                counts,
                table["case"].to_numpy(),
                aggregation=way.aggregation,
                empty=way.empty,
                flagged=flagged,
            )
        )
    folds = table.groupby("case")["fold"].first().to_numpy()
    ratios = statistics.mean_over_seeds(parts)
    places = [list(REGIONS).index(region) for region in way.regions]
    return statistics.mean_of([answers.draw(ratios, folds, place, draws) for place in places])


def _flags(found: Evidence, method: str, way: Way) -> ndarray:
    return slice_scores.flag_slices(found, method, score=way.score, rule=way.gate)
