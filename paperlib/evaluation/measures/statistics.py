"""Confidence by drawing patients, and verdicts on the paper's numbers (section 5).

Slices of one patient resemble each other, so patients are drawn, within their fold. Folds share
training patients; the intervals ignore that.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Integer, Shaped
from numpy import ndarray
from scipy import stats

from paperlib.evaluation.measures.metrics import PatientRatios
from paperlib.evaluation.measures.ranking import MEASURES, Ranking

AGREES, DIFFERS, UNDECIDED = "agrees", "differs", "undecided"
PAPERS_SIGN, OTHER_SIGN, ON_A_PAR = "the paper's sign", "the other sign", "on a par"
_REDRAWN_AT_MOST = 1000  # times the number of draws


class Bootstrapped(NamedTuple):
    """A value and what it would have been with other patients.

    Attributes:
        value: Over the patients there are.
        draws: Over each drawn sample of as many patients.
        drawn: How often each patient was drawn; equal rows make two results paired.
        redrawn: Samples without both classes, or without any defined value, drawn again.
    """

    value: float
    draws: Float[ndarray, " draw"]
    drawn: Int[ndarray, "draw case"]
    redrawn: int


class Interval(NamedTuple):
    """A confidence interval.

    Attributes:
        value: The estimate.
        low: Lower end.
        high: Upper end.
        patients: Number of patients drawn from.
    """

    value: float
    low: float
    high: float
    patients: int


def bootstrap_ratio(
    ratios: PatientRatios,
    folds: Shaped[ndarray, " case"],
    *,
    region: int,
    draws: int,
    seed: int,
) -> Bootstrapped:
    """Draw patients within their folds and divide the sums again.

    Args:
        ratios: Sums per patient of one aggregation.
        folds: The test fold of each patient of `ratios.cases`.
        region: Column of `ratios`.
        draws: Number of samples.
        seed: The same seed and folds draw the same patients, which makes results paired.

    Raises:
        ValueError: If the value is defined for no patient.
    """
    sums, counts = ratios.sums[:, region], ratios.counts[:, region]
    drawn, redrawn = _draw_patients(folds, lambda drawn: drawn @ counts > 0, draws, seed)
    value = sums.sum() / counts.sum()
    return Bootstrapped(float(value), (drawn @ sums) / (drawn @ counts), drawn, redrawn)


def bootstrap_ranking(
    ranking: Ranking,
    folds: Shaped[ndarray, " case"],
    *,
    measure: str,
    draws: int,
    seed: int,
) -> Bootstrapped:
    """Draw patients within their folds and rank again, fold by fold.

    Folds have different networks, whose scores have different zero points: each fold is ranked
    on its own and the folds are averaged with their numbers of patients as weights.

    Args:
        ranking: Counts per patient.
        folds: The test fold of each patient of `ranking.cases`.
        measure: A key of `paperlib.evaluation.measures.ranking.MEASURES`.
        draws: Number of samples; one in which a fold lacks a class is drawn again and counted.
        seed: The same seed and folds draw the same patients, which makes results paired.

    Raises:
        KeyError: If the measure is unknown.
        ValueError: If a fold has no tumour or nothing else.
    """
    measured = MEASURES[measure]
    members = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    kinds = np.stack([ranking.positive.sum(axis=1), ranking.negative.sum(axis=1)], axis=1)

    def has_both(drawn: Int[ndarray, "draw case"]) -> Bool[ndarray, " draw"]:
        return np.all([(drawn[:, m] @ kinds[m] > 0).all(axis=1) for m in members], axis=0)

    def over_folds(drawn: Int[ndarray, "draw case"]) -> Float[ndarray, " draw"]:
        parts = []
        for m in members:
            counts = ranking.positive[m], ranking.negative[m]
            filled = (counts[0] + counts[1]).any(axis=0)  # most bins hold other folds' scores
            parts.append(m.size * measured(*(drawn[:, m] @ part[:, filled] for part in counts)))
        return np.sum(parts, axis=0) / folds.size

    drawn, redrawn = _draw_patients(folds, has_both, draws, seed)
    value = over_folds(np.ones((1, folds.size), np.int64))[0]
    return Bootstrapped(float(value), over_folds(drawn), drawn, redrawn)


def difference(first: Bootstrapped, second: Bootstrapped) -> Bootstrapped:
    """Return first minus second, sample by sample of the same patients.

    Raises:
        ValueError: If the samples are not of the same patients.
    """
    _refuse_unpaired([first, second])
    return first._replace(
        value=first.value - second.value,
        draws=first.draws - second.draws,
        redrawn=max(first.redrawn, second.redrawn),
    )


def mean_of(results: Sequence[Bootstrapped]) -> Bootstrapped:
    """Return the mean of several results on the same patients, for example three labels.

    Raises:
        ValueError: If the samples are not of the same patients, or there is no result.
    """
    _refuse_unpaired(results)
    return results[0]._replace(
        value=float(np.mean([result.value for result in results])),
        draws=np.mean([result.draws for result in results], axis=0),
        redrawn=max(result.redrawn for result in results),
    )


def mean_over_seeds(runs: Sequence[PatientRatios]) -> PatientRatios:
    """Average several trainings within each patient: they are no further patients.

    Raises:
        ValueError: If the runs are not of the same patients, or there is no run.
    """
    if not runs or any(not np.array_equal(run.cases, runs[0].cases) for run in runs):
        raise ValueError(
            f"Found patients {[run.cases.tolist() for run in runs]}; every seed must be tested "
            "on the same ones."
        )
    sums = np.mean([run.sums for run in runs], axis=0)
    return PatientRatios(runs[0].cases, sums, np.mean([run.counts for run in runs], axis=0))


def interval(result: Bootstrapped, *, level: float = 0.95) -> Interval:
    """Return the percentile interval of a bootstrap.

    Args:
        result: Of one value, or of a `difference` for a paired interval.
        level: Share of the draws inside.
    """
    low, high = np.quantile(result.draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(result.value, float(low), float(high), result.drawn.shape[1])


def value_verdict(found: Interval, paper: float, *, margin: float) -> str:
    """Compare a value with the paper's: agrees, differs or undecided at this many patients.

    Args:
        found: Interval of the value on real patients.
        paper: The printed number.
        margin: Half width of what counts as the same, fixed in advance.
    """
    if paper - margin <= found.low and found.high <= paper + margin:
        return AGREES
    if found.high < paper - margin or found.low > paper + margin:
        return DIFFERS
    return UNDECIDED


def comparison_verdict(found: Interval, *, paper_sign: int) -> str:
    """Compare the direction of a difference with the paper's.

    Args:
        found: Interval of the paired difference.
        paper_sign: 1 if the paper's difference is positive, -1 if it is negative.

    Raises:
        ValueError: If the sign is neither.
    """
    if paper_sign not in (1, -1):
        raise ValueError(f"paper_sign is {paper_sign}; expected 1 or -1, or on_a_par_verdict.")
    if found.low > 0 or found.high < 0:
        return PAPERS_SIGN if (found.low > 0) == (paper_sign > 0) else OTHER_SIGN
    return UNDECIDED


def on_a_par_verdict(found: Interval, *, margin: float) -> str:
    """Judge "on a par": the paired interval lies inside the margin, outside, or neither.

    Args:
        found: Interval of the paired difference.
        margin: Half width of what counts as no difference, fixed in advance.
    """
    inside = value_verdict(found, 0.0, margin=margin)
    return ON_A_PAR if inside == AGREES else inside


def signed_rank_p(differences: Float[ndarray, " case"]) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test; 1 where nothing differs.

    Args:
        differences: One paired difference per patient, seeds averaged.
    """
    return float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0


def smallest_p(patients: int) -> float:
    """Return the smallest two-sided p that a signed-rank test can give: all signs alike."""
    return 2.0 ** (1 - patients)


def holm(p_values: Float[ndarray, " test"]) -> Float[ndarray, " test"]:
    """Return p values corrected for their number (Holm 1979), 0 to 1.

    Args:
        p_values: Of all tests named in advance, in any order.
    """
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(p_values.size, 0, -1)
    corrected = np.empty(p_values.size)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def patients_needed(sd: float, effect: float, *, power: float, alpha: float) -> int:
    """Return how many patients a paired comparison needs (normal approximation).

    Args:
        sd: Standard deviation of the paired difference between patients.
        effect: The difference to be found.
        power: Chance of finding it, for example 0.8.
        alpha: Two-sided error level, for example 0.05.
    """
    reach = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    return int(np.ceil((reach * sd / effect) ** 2))


def _draw_patients(
    folds: Shaped[ndarray, " case"],
    usable: Callable[[ndarray], ndarray],
    draws: int,
    seed: int,
) -> tuple[Int[ndarray, "draw case"], int]:
    """Return how often each patient is drawn, and how many samples were drawn again."""
    if not usable(np.ones((1, folds.size), np.int64)).all():
        raise ValueError(
            f"With all {folds.size} patients of {np.unique(folds).size} folds the value is not "
            "defined; each fold needs both classes, and some patient a value."
        )
    rng = np.random.default_rng(seed)
    drawn = _resample(folds, draws, rng)
    redrawn = 0
    while (bad := np.flatnonzero(~usable(drawn))).size:
        redrawn += bad.size
        if redrawn > _REDRAWN_AT_MOST * draws:
            raise ValueError(
                f"{redrawn} samples of {folds.size} patients had no value; use fewer folds."
            )
        drawn[bad] = _resample(folds, bad.size, rng)
    return drawn, redrawn


def _resample(
    folds: Shaped[ndarray, " case"], draws: int, rng: np.random.Generator
) -> Integer[ndarray, "draw case"]:
    drawn = np.zeros((draws, folds.size), np.int64)
    for fold in np.unique(folds):
        members = np.flatnonzero(folds == fold)
        chances = np.full(members.size, 1 / members.size)
        drawn[:, members] = rng.multinomial(members.size, chances, size=draws)
    return drawn


def _refuse_unpaired(results: Sequence[Bootstrapped]) -> None:
    if not results or any(not np.array_equal(r.drawn, results[0].drawn) for r in results):
        raise ValueError(
            f"{len(results)} results that were not drawn on the same patients can't be paired; "
            "use the same patients, folds, draws and seed."
        )
