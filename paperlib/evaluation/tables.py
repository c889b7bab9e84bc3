"""Tables 2 and 3 with what the paper does not print: intervals, baselines, ceilings, controls.

Every function takes evidence, so the same code makes a table of a run and of a reference.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from paperlib import scores
from paperlib.evaluation import evidence as rows
from paperlib.evaluation import paper
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.ranking import same_height_auroc, slice_ranking
from paperlib.evaluation.measures.statistics import Bootstrapped, Interval
from paperlib.labels import REGIONS, TISSUES

SAME_HEIGHT_REACH = 2  # slices
OUTLINE, SEMANTIC = "outline", "semantic"
BASELINES = {
    "B1": "FLAIR brightness rank, threshold",
    "B2": "z-scored FLAIR, threshold at 5 % false positives",
    "B2 fixed": "z-scored FLAIR > 1",
    "B3": "the paper's post-processing without a network (r = -x)",
    "B12": "smoothed FLAIR, cleaned up in 3-D, no network",
}
CEILINGS = {
    "B11 perfect reconstruction": "perfect reconstruction, same post-processing",
    "B11 hull of the true ET": "hull of the true enhancing tumour",
    "B11 truth": "the truth itself",
}
MIXED = ("B3", "B11 perfect reconstruction")  # have a reading of equation 1


class Draws(NamedTuple):
    """How intervals are drawn."""

    number: int = 1000
    seed: int = 0


class Row(NamedTuple):
    """One row of Table 2: a network or a baseline."""

    key: str
    name: str
    loss: str
    methods: tuple[str, ...]  # one per seed
    mixture: bool


def table_2_rows(found: Evidence) -> list[Row]:
    """Return the rows of Table 2: networks, baselines, ceilings."""
    known = set(found.counts["method"].unique())
    seeds = found.provenance["seeds"]
    networks = [
        Row(
            f"{model}-{loss}",
            model,
            loss,
            tuple(m for seed in seeds if (m := f"{model}-{loss}-s{seed}") in known),
            True,
        )
        for model, loss in found.networks
    ]
    others = [
        Row(key, name, "", (key,), key in MIXED)
        for key, name in (BASELINES | CEILINGS).items()
        if key in known
    ]
    return networks + others


def patient_ratios(
    found: Evidence, row: Row, *, reading: str, aggregation: str
) -> tuple[metrics.PatientRatios, np.ndarray]:
    """Return sums and counts per patient, seeds averaged, and the fold of each patient.

    Args:
        found: Evidence of a run.
        row: Network or baseline.
        reading: Of equation 1; ignored for rows without a mixture.
        aggregation: A key of `metrics.AGGREGATIONS`; empty slices count 0 (section 5.1).
    """
    counted = [
        rows.method_counts(found, method, reading=reading if row.mixture else "")
        for method in row.methods
    ]
    parts = [
        metrics.aggregate(one.counts, one.cases, aggregation=aggregation, empty=0.0)
        for one in counted
    ]
    return statistics.mean_over_seeds(parts), counted[0].folds


def dice_interval(
    found: Evidence, row: Row, target: str, *, reading: str, draws: Draws
) -> Interval:
    """Return one cell of Table 2: Dice over every slice, with its interval over patients.

    Args:
        found: Evidence of a run.
        row: Network or baseline.
        target: `OUTLINE` or `SEMANTIC`.
        reading: Of equation 1; ignored for rows without a mixture.
        draws: Number and seed.
    """
    ratios, folds = patient_ratios(found, row, reading=reading, aggregation="every_slice")
    drawn = [
        statistics.bootstrap_ratio(
            ratios, folds, region=region, draws=draws.number, seed=draws.seed
        )
        for region in _columns(target)
    ]
    return statistics.interval(statistics.mean_of(drawn))


def dice_value(found: Evidence, row: Row, target: str, *, reading: str, aggregation: str) -> float:
    """Return the Dice of one row under another aggregation, without an interval."""
    ratios, _ = patient_ratios(found, row, reading=reading, aggregation=aggregation)
    values = metrics.pooled_value(ratios.sums, ratios.counts)
    return float(values[_columns(target)].mean())


def _columns(target: str) -> list[int]:
    regions = {OUTLINE: ("WT",), SEMANTIC: TISSUES}[target]
    return [list(REGIONS).index(region) for region in regions]


def table_2(found: Evidence, target: str, *, draws: Draws) -> pd.DataFrame:
    """Return Table 2 of one target: a row per network and baseline, a column group per reading.

    Columns: name, loss, paper, for each reading `value`, `low`, `high`, and for the reading
    taken downstream volume Dice and tumour-slice Dice. Rows without a mixture stand once.
    """
    settings = found.provenance["mixture"]
    printed = {OUTLINE: paper.OUTLINE, SEMANTIC: paper.SEMANTIC}[target]
    table = []
    for row in table_2_rows(found):
        line: dict[str, object] = {"key": row.key, "row": row.name, "loss": row.loss}
        line["paper"] = printed.get((row.name, row.loss), np.nan)
        for reading in settings["readings"]:
            if row.mixture or reading == settings["reading"]:
                cell = dice_interval(found, row, target, reading=reading, draws=draws)
                line |= {f"{reading}_{name}": getattr(cell, name) for name in Interval._fields[:3]}
        for aggregation in ("volume", "tumour_slices"):
            line[aggregation] = dice_value(
                found, row, target, reading=settings["reading"], aggregation=aggregation
            )
        table.append(line)
    return pd.DataFrame(table).set_index("key")


# Table 3: key of the score, name, whether the score comes from a network.
TABLE_3 = {
    "mean_residual": ("mean residual", True),
    "latent_distance": ("latent distance", True),
    "residual_variance": ("variance of the residual", True),
    "t1ce_mean_residual": ("mean residual of T1CE", True),
    "mean_absolute": ("mean |r|", True),
    "top_mean": ("mean of the top 10 %", True),
    "slice_height": ("slice height (no image)", False),
    "brain_area": ("brain area (no network)", False),
    "mean_image": ("mean FLAIR (no network)", False),
}
LEFT_OUT_OF_TABLE_3 = ("mean_residual_image",)  # a reading of the first row, see the deviations


def table_3_rows(scored: pd.DataFrame) -> dict[str, str]:
    """Return key and name of the scores of Table 3.

    A score that was added to `scores.SCORES` stands below the others under its key; evidence
    that was made before does not have it.

    Args:
        scored: Scores of an evidence.
    """
    added = {
        key: key
        for key in scores.SCORES
        if key in scored and key not in (*TABLE_3, *LEFT_OUT_OF_TABLE_3)
    }
    return {key: name for key, (name, _) in TABLE_3.items()} | added


def table_3(found: Evidence, method: str, *, draws: Draws) -> pd.DataFrame:
    """Return Table 3 with its controls for the network `method`.

    Columns: paper, AUROC with interval; `blind`: the same score without the true tumour;
    `height_corrected`: minus the healthy mean at that height; `mixed_heights`: only heights
    that have both kinds; `same_height`: pairs of patients within two slices of height; and the
    gate "max_healthy": sensitivity and false-positive rate.
    """
    scored = found.scores[found.scores["method"] == method]
    test = _with_truth(found, scored)
    healthy = scored[scored["role"] == "validation"]
    table = []
    for score, name in table_3_rows(scored).items():
        line: dict[str, object] = {"key": score, "score": name}
        line["paper"] = paper.AUROC.get(score, np.nan)
        cell = statistics.interval(_auroc(test, test[score], draws))
        line |= {field: getattr(cell, field) for field in Interval._fields[:3]}
        line["blind"] = _control(test, f"{score}_blind", draws)
        line["height_corrected"] = _height_corrected(test, healthy, score, draws)
        heights = scores.at_mixed_heights(test["z"].to_numpy(), _tumour(test))
        line["mixed_heights"] = _auroc(test[heights], test[score][heights], draws).value
        line["same_height"] = _same_height(test, score)
        line |= _gate(test, healthy, score)
        table.append(line)
    return pd.DataFrame(table).set_index("key")


def auroc_interval(found: Evidence, method: str, score: str, *, draws: Draws) -> Interval:
    """Return one cell of Table 3: AUROC of a score over the test slices, with its interval.

    Args:
        found: Evidence of a run.
        method: Name of a network, such as "dVAE-SSIM-s0".
        score: A key of `TABLE_3`.
        draws: Number and seed.
    """
    test = _with_truth(found, found.scores[found.scores["method"] == method])
    return statistics.interval(_auroc(test, test[score], draws))


def _with_truth(found: Evidence, scored: pd.DataFrame) -> pd.DataFrame:
    truth = found.slices[["case", "fold", "z", "WT_truth"]]
    return scored[scored["role"] == "test"].merge(truth, on=["case", "fold", "z"])


def _tumour(test: pd.DataFrame) -> np.ndarray:
    return (test["WT_truth"] > 0).to_numpy()


def _auroc(test: pd.DataFrame, score: pd.Series, draws: Draws) -> Bootstrapped:
    cases = test["case"].to_numpy()
    ranking = slice_ranking(score.to_numpy(float), _tumour(test), cases)
    folds = test.groupby("case")["fold"].first().sort_index().to_numpy()
    return statistics.bootstrap_ranking(
        ranking, folds, measure="auroc", draws=draws.number, seed=draws.seed
    )


def _control(test: pd.DataFrame, score: str, draws: Draws) -> float:
    if score not in test:
        return float("nan")
    known = test[score].notna()
    return _auroc(test[known], test.loc[known, score], draws).value


def _height_corrected(test: pd.DataFrame, healthy: pd.DataFrame, score: str, draws: Draws) -> float:
    corrected = pd.Series(np.nan, index=test.index)
    for fold, part in test.groupby("fold"):
        free = healthy[healthy["fold"] == fold]
        corrected[part.index] = scores.height_corrected(
            part[score].to_numpy(float),
            part["z"].to_numpy(),
            free[score].to_numpy(float),
            free["z"].to_numpy(),
        )
    return _auroc(test, corrected, draws).value


def _same_height(test: pd.DataFrame, score: str) -> float:
    """Return the mean over folds, each with its own network, weighted by patients."""
    values, weights = [], []
    for _, part in test.groupby("fold"):
        columns = [part[name].to_numpy() for name in ("z", "case")]
        values.append(
            same_height_auroc(
                part[score].to_numpy(float), _tumour(part), *columns, reach=SAME_HEIGHT_REACH
            )
        )
        weights.append(part["case"].nunique())
    known = ~np.isnan(values)
    if not known.any():
        return float("nan")
    return float(np.average(np.array(values)[known], weights=np.array(weights)[known]))


def _gate(test: pd.DataFrame, healthy: pd.DataFrame, score: str) -> dict[str, float]:
    flagged = pd.Series(False, index=test.index)
    for fold, part in test.groupby("fold"):
        free = healthy.loc[healthy["fold"] == fold, score].to_numpy(float)
        limit = scores.gate_threshold(free, rule="max_healthy")
        flagged[part.index] = part[score] > limit
    tumour = _tumour(test)
    return {
        "gate_sensitivity": float(flagged[tumour].mean()),
        "gate_false_positives": float(flagged[~tumour].mean()),
        "tumour_slices": int(tumour.sum()),
        "tumour_free_slices": int((~tumour).sum()),
    }
