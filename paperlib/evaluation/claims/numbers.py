"""A verdict on each of the 29 numbers that the paper prints (Tables 2 and 3, section 5.3).

Only real patients are judged, by a rule in code with margins fixed in advance. A number
that rests on a setting tuned towards the paper can differ from it but never agree with it.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from paperlib.evaluation import conventions, paper, tables
from paperlib.evaluation.claims.contrasts import NOT_TESTABLE, VALUE_MARGIN, is_real, judge
from paperlib.evaluation.claims.pairing import GATE, Network, network_row
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.examples import PAPERS_CHOICE
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.measures.ranking import slice_ranking
from paperlib.evaluation.measures.statistics import Bootstrapped, Interval
from paperlib.evaluation.slices import slice_scores
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGION_NAMES

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", statistics.UNDECIDED
NEAR_ZERO_MARGIN = 0.1  # z units, a tenth of the spread of brain pixels [decided]
MOSTLY = 0.5  # more than half is "mostly", also "finds" and "does not copy" [decided]
TUNED = "inside, but tuned"  # the reading was chosen by closeness to these numbers
NOT_DETERMINED = "convention not determined"
PRINTED: Mapping[str, Mapping[tuple[str, str], float]] = MappingProxyType(
    {tables.OUTLINE: paper.OUTLINE, tables.SEMANTIC: paper.SEMANTIC}
)


class Cohorts(NamedTuple):
    """What claims are judged on, and what stands beside it."""

    real: Evidence | None
    phantom: Evidence | None


def choose_cohorts(found: Evidence, *, real: Evidence | None, phantom: Evidence | None) -> Cohorts:
    """Return the run itself and the reference of the other kind.

    Args:
        found: Evidence of a run, of real or simulated patients.
        real: The reference on real patients, for a run on simulated ones.
        phantom: The reference on simulated patients, for a run on real ones and for a run that
            did not train the paper's network.
    """
    if is_real(found):
        return Cohorts(found, phantom)
    own = PAPERS_CHOICE in found.networks or phantom is None
    return Cohorts(real, found if own else phantom)


def table_2_claims(found: Evidence | None, *, draws: Draws) -> pd.DataFrame:
    """Return the 24 numbers of Table 2, each under every reading of equation 1.

    Args:
        found: Evidence of a run; None where there is none.
        draws: Of the intervals.

    Returns:
        One row per target, loss, model and reading, in the paper's order: `anchor`, `target`,
        `loss`, `model`, `reading`, `paper`, `value`, `low`, `high`, `n`, `verdict` (empty for
        simulated patients).
    """
    lines = []
    for target, printed in PRINTED.items():
        # The paper's columns: all models of one loss, then of the next.
        for (model, loss), number in sorted(printed.items(), key=lambda cell: cell[0][1]):
            cells = _cells(found, (model, loss), target, draws)
            for reading in _readings(found):
                tuned = found is not None and reading == found.provenance["mixture"]["reading"]
                lines.append(
                    {
                        "anchor": f"number-{target}-{model}-{loss}",
                        "target": target,
                        "loss": loss,
                        "model": model,
                        "reading": reading,
                        **_judged(found, cells.get(reading), number, tuned=tuned),
                    }
                )
    return pd.DataFrame(lines)


def table_3_claims(found: Evidence | None, *, draws: Draws) -> pd.DataFrame:
    """Return the two numbers of Table 3, from the paper's network.

    Args:
        found: Evidence of a run; None where there is none.
        draws: Of the intervals.

    Returns:
        One row per score: `anchor`, `name`, `paper`, `value`, `low`, `high`, `n`, `verdict`.
    """
    lines = []
    for score, number in paper.AUROC.items():
        cell = None
        if found is not None and PAPERS_CHOICE in found.networks:
            cell = statistics.interval(score_auroc(found, score, draws=draws))
        name = f"AUROC, {tables.TABLE_3[score][0]}"
        line = {"anchor": f"number-auroc-{score}", "name": name}
        lines.append(line | _judged(found, cell, number, tuned=False))
    return pd.DataFrame(lines)


def score_auroc(found: Evidence, score: str, *, draws: Draws) -> Bootstrapped:
    """Return how well a score of the paper's network tells tumour slices from others.

    Args:
        found: Evidence of a run that has the network.
        score: A column of the scores.
        draws: Of the interval.
    """
    test = slice_scores.load_test_slices(found, slice_scores.first_seed(found, *PAPERS_CHOICE))
    tumour, cases = test["tumour"].to_numpy(), test["case"].to_numpy()
    ranking = slice_ranking(test[score].to_numpy(float), tumour, cases)
    folds = test.groupby("case")["fold"].first().to_numpy()
    return statistics.bootstrap_ranking(
        ranking, folds, measure="auroc", draws=draws.number, seed=draws.seed
    )


def gated_claims(found: Evidence | None, *, draws: Draws) -> pd.DataFrame:
    """Return the three numbers of section 5.3 over every convention that could be the paper's.

    A convention is admissible where a gate can raise the Dice and the truth itself reaches the
    paper's number.

    Args:
        found: Evidence of a run; None where there is none.
        draws: Of the intervals.

    Returns:
        One row per region: `anchor`, `name`, `paper`, `lowest` and `highest` value over the
        admissible conventions, `admissible` (their number), `of`, `n`, `verdicts` (how often
        each occurs, in words) and `verdict`.
    """
    compared = _gated_conventions(found, draws)
    lines = []
    for region, number in paper.GATED.items():
        line: dict[str, object] = {"anchor": f"number-gated-{region}", "paper": number}
        line |= {"name": f"gated Dice, {REGION_NAMES[region]}", "n": 0}
        line |= {"lowest": np.nan, "highest": np.nan, "admissible": 0, "of": 0}
        line |= {"verdicts": "", "verdict": NOT_TESTABLE}
        if found is not None and compared is not None:
            line |= _over_conventions(compared, region, number, found)
        lines.append(line)
    return pd.DataFrame(lines)


def judge_number(found: Interval, number: float, *, tuned: bool) -> str:
    """Return agrees, differs or undecided; what was tuned towards the number never agrees.

    Args:
        found: On real patients.
        number: The paper's.
        tuned: Whether a setting behind the value was chosen by closeness to such numbers.
    """
    verdict = statistics.value_verdict(found, number, margin=VALUE_MARGIN)
    return TUNED if tuned and verdict == statistics.AGREES else verdict


def judge_above(found: Interval, *, limit: float) -> str:
    """Return whether a sentence "more than" holds: the interval lies above the limit.

    Args:
        found: On real patients.
        limit: 0 for a difference.
    """
    shifted = found._replace(low=found.low - limit, high=found.high - limit)
    return _IN_WORDS[statistics.comparison_verdict(shifted, paper_sign=1)]


def judge_below(found: Interval, *, limit: float) -> str:
    """Return whether a sentence "less than" holds: the interval lies below the limit."""
    return judge_above(
        Interval(-found.value, -found.high, -found.low, found.patients), limit=-limit
    )


def judge_near_zero(found: Interval) -> str:
    """Return whether a sentence "near zero" holds: the interval lies inside the margin."""
    return _IN_WORDS[statistics.value_verdict(found, 0.0, margin=NEAR_ZERO_MARGIN)]


def judge_similar(found: Interval, *, sign: int) -> str:
    """Return whether "on a par, or more (1) or less (-1)" holds, see `contrasts.judge`."""
    return _IN_WORDS[judge(found, sign=sign, par=True)]


def judge_never(found: Interval) -> str:
    """Return whether a share that a sentence denies is exactly nothing."""
    return HOLDS if found.value == 0 else FAILS


_IN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        statistics.PAPERS_SIGN: HOLDS,
        statistics.ON_A_PAR: HOLDS,
        statistics.AGREES: HOLDS,
        statistics.OTHER_SIGN: FAILS,
        statistics.DIFFERS: FAILS,
        statistics.UNDECIDED: UNDECIDED,
    }
)


def judge_conventions(verdicts: Sequence[str]) -> str:
    """Return the one verdict of all admissible conventions, else that none is determined.

    Args:
        verdicts: Of one number, under each convention that could be the paper's.
    """
    different = set(verdicts)
    return different.pop() if len(different) == 1 else NOT_DETERMINED


def patients_for_margin(found: Interval) -> int:
    """Return how many patients would narrow an interval to the margin of a value.

    With fewer, "agrees" is out of reach even where the value is exactly the paper's.

    Args:
        found: At the present number of patients; its width shrinks with the root of n.
    """
    half = (found.high - found.low) / 2
    return int(np.ceil(found.patients * (half / VALUE_MARGIN) ** 2))


def _judged(
    found: Evidence | None, cell: Interval | None, number: float, *, tuned: bool
) -> dict[str, object]:
    verdict = NOT_TESTABLE
    if cell is not None:
        verdict = judge_number(cell, number, tuned=tuned)
    if found is not None and not is_real(found):
        verdict = ""
    value, low, high, n = cell or (np.nan, np.nan, np.nan, 0)
    cells = {"value": value, "low": low, "high": high, "n": n}
    return {"paper": number, **cells, "verdict": verdict}


def _cells(
    found: Evidence | None, network: Network, target: str, draws: Draws
) -> dict[str, Interval]:
    row = network_row(found, network) if found else None
    if found is None or row is None or not row.methods:
        return {}
    # Of one network only: looking through the counts of all takes most of the time.
    own = found._replace(counts=found.counts[found.counts["method"].isin(row.methods)])
    return {
        reading: tables.dice_interval(own, row, target, reading=reading, draws=draws)
        for reading in _readings(found)
    }


def _readings(found: Evidence | None) -> list[str]:
    return ["neighbourhood"] if found is None else list(found.provenance["mixture"]["readings"])


def _gated_conventions(found: Evidence | None, draws: Draws) -> pd.DataFrame | None:
    if found is None or PAPERS_CHOICE not in found.networks:
        return None
    reading = found.provenance["mixture"]["reading"]
    method = slice_scores.first_seed(found, *PAPERS_CHOICE)
    table = conventions.slice_counts(found, method, reading=reading)
    flagged = slice_scores.flag_slices(found, method, **GATE)
    return conventions.compare_conventions(table, flagged=flagged, draws=draws)


def _over_conventions(
    compared: pd.DataFrame, region: str, number: float, found: Evidence
) -> dict[str, object]:
    rows = compared[compared["region"] == region]
    possible = [
        conventions.is_admissible(*way, ceiling=ceiling, printed=number)
        for *way, ceiling in rows[["aggregation", "empty", "ceiling"]].itertuples(index=False)
    ]
    kept = rows[possible]
    facts: dict[str, object] = {"admissible": len(kept), "of": len(rows), "n": found.patients}
    facts |= {"lowest": kept["value"].min(), "highest": kept["value"].max()}
    verdicts = [
        judge_number(Interval(value, low, high, found.patients), number, tuned=True)
        for value, low, high in kept[["value", "low", "high"]].to_numpy(float)
    ]
    counted = pd.Series(verdicts, dtype=str).value_counts()
    facts["verdicts"] = ", ".join(f"{times} × {verdict}" for verdict, times in counted.items())
    facts["verdict"] = judge_conventions(verdicts) if is_real(found) else ""
    return facts
