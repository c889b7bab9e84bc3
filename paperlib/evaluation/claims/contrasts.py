"""The seven comparisons of section 5, named in advance: paired, tested, with the n they need.

A contrast is a sentence of the paper as a difference between two rows of Table 2. It is judged
on the outline under one reading of equation 1 and one convention, so that nobody can pick.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from paperlib.evaluation import paper, tables
from paperlib.evaluation.claims.pairing import (
    GATE,
    Network,
    Paired,
    compare_networks,
    gate_ratios,
    missing_networks,
    pair_up,
    region_columns,
    with_reading,
)
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.examples import PAPERS_CHOICE
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.measures.statistics import Interval
from paperlib.evaluation.tables import Draws

# Decided before the runs reported here, after short prototypes on some of the same patients:
VALUE_MARGIN = 0.05  # of Dice or AUROC that counts as the same
ON_A_PAR_MARGIN = 0.03  # of Dice that counts as "on a par"
POWER, ALPHA = 0.8, 0.05
EFFECTS = (0.03, 0.01)  # of Dice; the paper's rows differ by about so much
TESTED = (
    *("value", "low", "high", "n", "p", "smallest_p", "sd", "needed"),
    *(f"needed_{effect}" for effect in EFFECTS),
)
NOT_TESTABLE = "not testable here"


class Contrast(NamedTuple):
    """First minus second.

    Attributes:
        name: Of the difference.
        sign: Of the paper's difference, 1 or -1.
        pairs: Networks of each difference; the mean over those that were trained is judged.
        gated: Compare one network with and without the gate instead.
        par: Whether the paper says "similar": "on a par" is a verdict, too.
    """

    name: str
    sign: int
    pairs: tuple[tuple[Network, Network], ...]
    gated: bool = False
    par: bool = False


def evaluate_contrasts(found: Evidence | None, *, reading: str, draws: Draws) -> pd.DataFrame:
    """Return the seven contrasts of one cohort.

    Args:
        found: Evidence of a run or a reference; None where there is none.
        reading: Of equation 1.
        draws: Of the intervals.

    Returns:
        One row per contrast: `name`; `paper`, the paper's difference over the models that are
        compared, all of them where none is; `value`, `low`, `high`, `n` (patients); `compared`;
        `missing` networks in words; `p` and `holm` (corrected over the testable ones),
        `smallest_p` that so many patients can give; `sd` of the difference between patients;
        `needed` patients to find the difference seen, `needed_0.03` and `needed_0.01` to find
        such a one; and `verdict`, empty for simulated patients.
    """
    narrowed = with_reading(found, reading) if found else None
    lines = [_line(narrowed, key, reading=reading, draws=draws) for key in CONTRASTS]
    table = pd.DataFrame(lines).set_index("key")
    known = table["p"].notna()
    table["holm"] = np.nan
    table.loc[known, "holm"] = statistics.holm(table.loc[known, "p"].to_numpy(float))
    return table


def compare_gate(found: Evidence, *, reading: str, draws: Draws) -> Paired | None:
    """Return the gated minus the ungated Dice of the paper's network; None if it is incomplete.

    Outline, every slice; where truth and prediction are empty a slice counts 1.

    Args:
        found: Evidence of a run.
        reading: Of equation 1.
        draws: Of the interval.
    """
    if missing_networks(found, [PAPERS_CHOICE]):
        return None
    gated, folds = gate_ratios(found, reading=reading, gate=GATE["rule"])
    ungated, _ = gate_ratios(found, reading=reading, gate="open")
    outline = region_columns(tables.OUTLINE)
    paired = pair_up(gated, ungated, folds, columns=outline, draws=draws)
    return paired._replace(compared=PAPERS_CHOICE[:1])


def judge(found: Interval, *, sign: int, par: bool = False) -> str:
    """Return the verdict on a difference: the paper's sign, the other, on a par or undecided.

    Args:
        found: Paired interval on real patients.
        sign: Of the paper's difference, 1 or -1.
        par: Whether the paper says "similar": an interval inside the margin is then "on a par".
    """
    if par:
        verdict = statistics.on_a_par_verdict(found, margin=ON_A_PAR_MARGIN)
        if verdict == statistics.ON_A_PAR:
            return verdict
    return statistics.comparison_verdict(found, paper_sign=sign)


def papers_difference(
    pairs: Sequence[tuple[Network, Network]], *, target: str = tables.OUTLINE
) -> float:
    """Return the mean difference that Table 2 prints; NaN where a number is missing.

    Args:
        pairs: First minus second, each model and loss.
        target: `tables.OUTLINE` or `tables.SEMANTIC`.
    """
    printed = {tables.OUTLINE: paper.OUTLINE, tables.SEMANTIC: paper.SEMANTIC}[target]
    known = all(one in printed for pair in pairs for one in pair)
    if not pairs or not known:
        return float("nan")
    return float(np.mean([printed[first] - printed[second] for first, second in pairs]))


def is_real(found: Evidence) -> bool:
    """Return whether the patients are real: only they get a verdict."""
    return found.provenance["cohort"] != "phantom"


def _line(found: Evidence | None, key: str, *, reading: str, draws: Draws) -> dict[str, object]:
    one = CONTRASTS[key]
    line: dict[str, object] = {"key": key, "name": one.name, "missing": "", "compared": ""}
    paired = None
    if found is not None:
        networks = chain.from_iterable(one.pairs)
        line["missing"] = missing_networks(found, networks)
        paired = _compare(found, one, reading=reading, draws=draws)
    if paired is not None:
        line["compared"] = ", ".join(paired.compared)
    compared = [pair for pair in one.pairs if paired and pair[0][0] in paired.compared]
    # The paper prints no Dice without the gate under the convention of the one with it.
    line["paper"] = papers_difference(() if one.gated else compared or one.pairs)
    return {**line, **_test(paired), "verdict": _verdict(found, one, paired)}


def _compare(found: Evidence, one: Contrast, *, reading: str, draws: Draws) -> Paired | None:
    if one.gated:
        return compare_gate(found, reading=reading, draws=draws)
    return compare_networks(found, one.pairs, reading=reading, draws=draws)


def _verdict(found: Evidence | None, one: Contrast, paired: Paired | None) -> str:
    if found is not None and not is_real(found):
        return ""
    if paired is None:
        return NOT_TESTABLE
    return judge(statistics.interval(paired.drawn), sign=one.sign, par=one.par)


def _test(paired: Paired | None) -> dict[str, float]:
    if paired is None:
        return dict.fromkeys(TESTED, float("nan"))
    # Too few patients have no spread; equal results leave Wilcoxon's test nothing to rank.
    sd = float(paired.patients.std(ddof=1)) if paired.patients.size > 1 else float("nan")
    differing = int(np.count_nonzero(paired.patients))
    effects = (float(paired.patients.mean()), *EFFECTS)
    values = (
        *statistics.interval(paired.drawn),
        statistics.signed_rank_p(paired.patients),
        min(1.0, statistics.smallest_p(differing)),
        sd,
        *(_needed(sd, effect) for effect in effects),
    )
    return dict(zip(TESTED, values, strict=True))


def _needed(sd: float, effect: float) -> float:
    if not effect or np.isnan(sd):
        return float("nan")
    return float(statistics.patients_needed(sd, effect, power=POWER, alpha=ALPHA))


def _of_models(first: str, second: str) -> tuple[tuple[Network, Network], ...]:
    return (((first, "SSIM"), (second, "SSIM")),)


_LOSSES = tuple(((model, "SSIM"), (model, "MSE")) for model in paper.MODELS)
CONTRASTS: Mapping[str, Contrast] = MappingProxyType(
    {
        "ssim-mse": Contrast("SSIM − MSE, mean over the models", 1, _LOSSES),
        "dvae-vae": Contrast("dVAE − VAE", 1, _of_models("dVAE", "VAE")),
        "dvae-vaece": Contrast("dVAE − VAE-CE", 1, _of_models("dVAE", "VAE-CE"), par=True),
        "aae-vae": Contrast("AAE − VAE", -1, _of_models("AAE", "VAE")),
        "biaae-vae": Contrast("BiAAE − VAE", -1, _of_models("BiAAE", "VAE")),
        "vae1px-vae": Contrast("VAE1px − VAE", -1, _of_models("VAE1px", "VAE")),
        "gate": Contrast("gated − ungated, dVAE", 1, ((PAPERS_CHOICE, PAPERS_CHOICE),), gated=True),
    }
)
