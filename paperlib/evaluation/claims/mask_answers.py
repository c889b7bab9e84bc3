"""Sentences about masks, measured: Dice differences, the gate, the hull, the smallest cluster.

Each function takes evidence and draws first. Networks that it needs must have been trained.
"""

from collections.abc import Sequence
from itertools import chain

import pandas as pd

from paperlib.evaluation import tables
from paperlib.evaluation.claims.answers import (
    NOT_MEASURED,
    Absent,
    Answer,
    draw,
    fact,
    mean_over_patients,
    ratio_over_patients,
    reading_of,
    seeds_of,
    share_over_patients,
)
from paperlib.evaluation.claims.contrasts import NOT_TESTABLE
from paperlib.evaluation.claims.pairing import (
    Network,
    compare_networks,
    compare_rows,
    gate_ratios,
    missing_networks,
    network_row,
)
from paperlib.evaluation.conventions import slice_counts
from paperlib.evaluation.evidence import Evidence, method_counts
from paperlib.evaluation.examples import PAPERS_CHOICE
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGIONS

HULL = "B11 hull of the true ET"
_PLACE = {region: place for place, region in enumerate(REGIONS)}


def network_difference(
    found: Evidence,
    draws: Draws,
    *,
    pairs: Sequence[tuple[Network, Network]],
    target: str = tables.OUTLINE,
) -> Answer:
    """Return the mean Dice difference over the pairs that every patient has tested."""
    paired = compare_networks(found, pairs, target=target, reading=reading_of(found), draws=draws)
    if paired is None:
        missing = missing_networks(found, chain.from_iterable(pairs))
        return Absent(NOT_TESTABLE, f"Not trained here: {missing}.")
    return statistics.interval(paired.drawn)


def against_baseline(found: Evidence, draws: Draws, *, baseline: str) -> Answer:
    """Return the outline Dice of the paper's network minus that of a method without one."""
    if baseline not in set(found.counts["method"].unique()):
        return Absent(NOT_MEASURED, f"No row {baseline} in this run.")
    own = network_row(found, PAPERS_CHOICE)
    name, mixture = tables.BASELINES[baseline], baseline in tables.MIXED
    simple = tables.Row(baseline, name, "", (baseline,), mixture)
    paired = compare_rows(found, own, simple, reading=reading_of(found), draws=draws)
    return statistics.interval(paired.drawn)


def gate_difference(
    found: Evidence, draws: Draws, *, first: str, second: str, region: str = "WT"
) -> Answer:
    """Return the Dice of a region under one gate minus that under another, empty = 1.

    Args:
        found: Evidence of a run.
        draws: Of the interval.
        first: As in `pairing.gate_ratios`.
        second: Likewise.
        region: One of `labels.REGIONS`.
    """
    both = []
    for gate in (first, second):
        ratios, folds = gate_ratios(found, reading=reading_of(found), gate=gate)
        both.append(draw(ratios, folds, _PLACE[region], draws))
    return statistics.interval(statistics.difference(*both))


def region_difference(
    found: Evidence, draws: Draws, *, first: str, second: str, gate: str = "max_healthy"
) -> Answer:
    """Return the gated Dice of one region minus that of another, every slice, empty = 1."""
    gated = gate_ratios(found, reading=reading_of(found), gate=gate)
    both = [draw(*gated, _PLACE[region], draws) for region in (first, second)]
    return statistics.interval(statistics.difference(*both))


def label_share(found: Evidence, _draws: Draws) -> Answer:
    """Return the share of all usable slices that the labels keep out of training."""
    facts = found.provenance
    return fact(found, 1 - facts["healthy_slices"] / facts["usable_slices"])


def oversized_share(found: Evidence, _draws: Draws) -> Answer:
    """Return the share of tumour slices in which the tumour fills half of the brain or more."""
    tumour = found.slices[found.slices["WT_truth"] > 0]
    return fact(found, float((2 * tumour["WT_truth"] >= tumour["brain_px"]).mean()))


def most_in_cluster(found: Evidence, draws: Draws) -> Answer:
    """Return the share of tumour slices in which the chosen cluster holds most of the tumour."""
    counts = _own_counts(found)
    tumour = counts[counts["WT_truth"] > 0]
    holds = 2 * tumour["WT_overlap"] > tumour["WT_truth"]
    return share_over_patients(found, holds, tumour["case"], draws)


def clusters_differ(found: Evidence, draws: Draws) -> Answer:
    """Return the share of slices whose smaller cluster is not the one of lower residuals."""
    counts = _own_counts(found)
    fitted = counts[counts["flair_degenerate"] == 0]
    differ = fitted["flair_clusters_differ"] == 1
    return share_over_patients(found, differ, fitted["case"], draws)


def core_in_hull(found: Evidence, draws: Draws, *, pooled: bool = False) -> Answer:
    """Return the share of the true necrotic core inside the hull of the true enhancing part.

    Args:
        found: Evidence of a run.
        draws: Of the interval.
        pooled: Over all pixels instead of a mean over the patients.
    """
    if HULL not in set(found.counts["method"].unique()):
        return Absent(NOT_MEASURED, f"No row {HULL} in this run.")
    counted = method_counts(found, HULL)
    columns = {
        "in": counted.counts.overlap[:, _PLACE["NCR"]],
        "all": counted.counts.truth[:, _PLACE["NCR"]],
    }
    sums = pd.DataFrame(columns).groupby(counted.cases).sum()
    sums = sums[sums["all"] > 0]
    if pooled:
        return ratio_over_patients(found, sums["in"], sums["all"], draws)
    return mean_over_patients(found, sums["in"] / sums["all"], draws)


def core_dice(found: Evidence, draws: Draws, *, method: str = "") -> Answer:
    """Return the volume Dice of the necrotic core; patients without any are left out.

    Args:
        found: Evidence of a run.
        draws: Of the interval.
        method: A row of the counts; empty for the paper's network.
    """
    if method and method not in set(found.counts["method"].unique()):
        return Absent(NOT_MEASURED, f"No row {method} in this run.")
    parts = []
    for one in (method,) if method else seeds_of(found):
        counted = method_counts(found, one, reading="" if method else reading_of(found))
        parts.append(
            metrics.aggregate(
                counted.counts, counted.cases, aggregation="volume", empty=float("nan")
            )
        )
    ratios = statistics.mean_over_seeds(parts)
    sums, counts = (part[:, _PLACE["NCR"]] for part in (ratios.sums, ratios.counts))
    dice = pd.Series(sums, index=ratios.cases)[counts > 0] / counts[counts > 0]
    return mean_over_patients(found, dice, draws)


def _own_counts(found: Evidence) -> pd.DataFrame:
    reading = reading_of(found)
    return pd.concat([slice_counts(found, one, reading=reading) for one in seeds_of(found)])
