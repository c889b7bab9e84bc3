"""What would beat the paper: its method, plain FLAIR and two others on the same slices.

Rows of `make beyond` join the evidence of the reference run that they belong to, so that one code
counts them all: the same slices, the same truth, the same ways of counting, paired draws.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from paperlib import artifacts
from paperlib.evaluation import evidence as rows
from paperlib.evaluation import paper
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.statistics import Bootstrapped
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGIONS

RULES = {"all": "all", "largest_3d": "largest", "ball": "widest"}  # components, in words
CLEAREST = "clearest"  # reading: the level of the score is chosen for each patient
SCORED = ("WT", "TC", "ET")


class Beyond(NamedTuple):
    """Both sets of rows.

    Attributes:
        evidence: Of the reference run, with the rows of `make beyond` among its own.
        added: Names of the methods that `make beyond` added.
        provenance: Where these come from; `evidence.provenance` says it of the others.
    """

    evidence: Evidence
    added: tuple[str, ...]
    provenance: Mapping[str, Any]


class Way(NamedTuple):
    """One way from two images to a segmentation.

    Attributes:
        name: In words.
        method: Of the rows.
        reading: What made the masks; see `pipeline.comparisons.beyond`.
        component: A key of `RULES`.
    """

    name: str
    method: str
    reading: str = ""
    component: str = "all"


PLAIN = Way("FLAIR z > 1", "B2 fixed")
CLEAN_UP, SYNTHETIC = "clean-up", "synthetic"


def load_beyond(folder: Path, found: Evidence | None) -> Beyond | None:
    """Return the rows of a folder together with the evidence of the same test patients.

    Args:
        folder: Under `results/reference/beyond`.
        found: Evidence of the reference run of these patients.

    Returns:
        None where this copy has either not.

    Raises:
        ValueError: If they are not of the same slices.
    """
    if found is None or not (folder / artifacts.PROVENANCE).exists():
        return None
    counts, scored, pixels = (
        pd.concat([pd.read_csv(file) for file in sorted(folder.glob(f"{kind}-*.csv"))])
        for kind in ("counts", "scores", "pixels")
    )
    slices = artifacts.load_table(folder, "slices")
    known = found.slices[found.slices["fold"].isin(slices["fold"].unique())]
    keys = ["case", "fold", "z", *(f"{region}_truth" for region in SCORED)]
    own, others = (part[keys].sort_values(keys, ignore_index=True) for part in (slices, known))
    if not own.equals(others):
        raise ValueError(
            f"{folder.name} has {len(own)} slices, the evidence of the same folds {len(others)}, "
            "or their truth differs. Make both from one run: `make reference` and `make beyond`."
        )
    own_counts = found.counts[found.counts["case"].isin(slices["case"])]
    both = pd.concat([own_counts, counts.drop(columns="fold")])  # slices have it
    named = both.fillna({"reading": "", "component": "all"})
    twice = named.duplicated(["method", "reading", "component", "case", "z"])
    joined = found._replace(
        slices=known,
        counts=both[~twice],  # what the paper's method made stays as it is
        scores=pd.concat([found.scores, scored]),
        pixels=pd.concat([found.pixels, pixels]),
    )
    added = tuple(dict.fromkeys(counts["method"]))
    return Beyond(joined, added, artifacts.read_json(folder / artifacts.PROVENANCE))


def ways(found: Beyond) -> list[Way]:
    """Return what the last table compares, each with the choices that its recipe names."""
    model, loss = paper.PAPERS_CHOICE
    network = f"{model}-{loss}-s{found.evidence.provenance['seeds'][0]}"
    all_ways = [
        PLAIN,
        Way("the paper's method", network, found.evidence.provenance["mixture"]["reading"]),
        Way("its residual, smoothed and cleaned up", network, "smoothed", "ball"),
        Way("smoothed FLAIR, cleaned up", CLEAN_UP, "", "ball"),
        Way("smoothed FLAIR, clearest outline", CLEAN_UP, CLEAREST, "ball"),
        Way("synthetic lesions, cleaned up", SYNTHETIC, "", "ball"),
        Way("synthetic lesions, clearest outline", SYNTHETIC, CLEAREST, "ball"),
    ]
    return [way for way in all_ways if way.method in (PLAIN.method, *found.added)]


def dice(
    found: Beyond, way: Way, region: str, *, aggregation: str, empty: float, draws: Draws
) -> Bootstrapped:
    """Return the Dice of one way under one convention, with draws of patients.

    Args:
        found: All rows.
        way: From `ways`, or any other with rows.
        region: A key of `labels.REGIONS`.
        aggregation: A key of `metrics.AGGREGATIONS`.
        empty: What a pair of empty masks counts.
        draws: Equal draws are paired.
    """
    ratios, folds = _ratios(found, way, aggregation, empty)
    column = list(REGIONS).index(region)
    return statistics.bootstrap_ratio(
        ratios, folds, region=column, draws=draws.number, seed=draws.seed
    )


def compare_rules(found: Beyond, methods: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return the volume Dice of the whole tumour under each rule for components.

    Args:
        found: All rows.
        methods: Names and readings.

    Returns:
        One row per method and reading, one column per rule; NaN where there are no rows.
    """
    lines = {}
    for method, reading in methods:
        lines[method, reading] = {
            rule: _value(found, Way("", method, reading, rule), "WT") for rule in RULES
        }
    return pd.DataFrame(lines).T


def summarise(found: Beyond, *, prefix: str, draws: Draws) -> dict[str, float]:
    """Return the volume Dice of the whole tumour of each way for prose.

    Keys read like `real36.beyond.synthetic.clearest.value`; the plain threshold is "plain", and a
    way with the healthy threshold is "healthy".

    Args:
        found: All rows.
        prefix: First part of every key.
        draws: Of the intervals.
    """
    facts: dict[str, float] = {}
    for way in ways(found):
        if way.method not in (PLAIN.method, CLEAN_UP, SYNTHETIC):
            continue
        drawn = dice(found, way, "WT", aggregation="volume", empty=np.nan, draws=draws)
        key = "plain" if way == PLAIN else f"{way.method}.{way.reading or 'healthy'}"
        cell = statistics.interval(drawn)._asdict()
        facts |= {f"{prefix}.beyond.{key}.{end}": cell[end] for end in ("value", "low", "high")}
    return facts


def by_patient(found: Beyond, way: Way, *, region: str = "WT") -> pd.Series:
    """Return the volume Dice of each patient; nothing found and nothing there is NaN."""
    ratios, _ = _ratios(found, way, "volume", np.nan)
    column = list(REGIONS).index(region)
    with np.errstate(invalid="ignore"):
        values = ratios.sums[:, column] / ratios.counts[:, column]
    return pd.Series(values, index=pd.Index(ratios.cases, name="case"), name=way.name)


def _value(found: Beyond, way: Way, region: str) -> float:
    try:
        return float(by_patient(found, way, region=region).mean())
    except KeyError:
        return float("nan")


def _ratios(
    found: Beyond, way: Way, aggregation: str, empty: float
) -> tuple[metrics.PatientRatios, np.ndarray]:
    counted = rows.method_counts(
        found.evidence, way.method, reading=way.reading, component=way.component
    )
    ratios = metrics.aggregate(counted.counts, counted.cases, aggregation=aggregation, empty=empty)
    return ratios, counted.folds
