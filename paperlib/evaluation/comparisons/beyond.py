"""What would beat the paper: its method, plain FLAIR and two others on the same slices.

Rows of `make beyond` join the evidence of the reference run that they belong to, so that one code
counts them all: the same slices, the same truth, the same ways of counting, paired draws.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
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

RULES = {"all": "all", "largest_3d": "largest", "ball": "widest", "foci": "all wide"}
# How an outline is drawn.
THRESHOLD, CLEAREST, AGREED, NEAR = "threshold", "clearest", "agreed", "near"
SMOOTHED = "smoothed "  # before it: of a residual
OTSU = "Otsu"  # where the threshold of the enhancing tumour comes from
SCORED = ("WT", "TC", "ET")
WAY = ["method", "reading", "component", "enhancing"]  # columns that name a row
SUPERVISED = "supervised U-Net"
TRAININGS = "trainings"  # folder: one more for each other training


class Beyond(NamedTuple):
    """Both sets of rows.

    Attributes:
        evidence: Of the reference run, with the rows of `make beyond` among its own.
        volumes: One row per patient and way, columns `WAY` and "WT", "TC", "ET": Dice of the
            volume, NaN where truth and result hold nothing; "foci_found".
        doubts: What could warn without the truth, one row a patient.
        provenance: Where these come from; `evidence.provenance` says it of the others.
        trainings: Volumes of other trainings of the same networks, by name ("first").
    """

    evidence: Evidence
    volumes: pd.DataFrame
    doubts: pd.DataFrame
    provenance: Mapping[str, Any]
    trainings: Mapping[str, pd.DataFrame] = MappingProxyType({})


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
OURS = CLEAN_UP, SYNTHETIC = "clean-up", "synthetic"


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
    slices = artifacts.load_table(folder, "slices")
    known = found.slices[found.slices["fold"].isin(slices["fold"].unique())]
    keys = ["case", "fold", "z", *(f"{region}_truth" for region in SCORED)]
    own, others = (part[keys].sort_values(keys, ignore_index=True) for part in (slices, known))
    if not own.equals(others):
        raise ValueError(
            f"{folder.name} has {len(own)} slices, the evidence of the same folds {len(others)}, "
            "or their truth differs. Make both from one run: `make reference` and `make beyond`."
        )
    homes = [home for home in (folder, folder / "residuals") if home.exists()]
    counts = [artifacts.load_table(home, "counts") for home in homes]
    if (folder / "supervised").exists():
        counts.append(
            artifacts.load_table(folder / "supervised", "counts").assign(method=SUPERVISED)
        )
    added = pd.concat(counts)
    parts = [f"{region}_{part}" for region in REGIONS for part in ("overlap", "predicted")]
    both = pd.concat([found.counts, added[added.columns.intersection(found.counts.columns)]])
    both = both[both["case"].isin(slices["case"])].fillna(dict.fromkeys(parts, 0))
    pixels = pd.concat([found.pixels, artifacts.load_table(folder, "pixels")])
    trainings = {
        home.name: volume_dice(artifacts.load_table(home, "volumes"), slices)
        for home in sorted((folder / TRAININGS).glob("*"))
    }
    return Beyond(
        found._replace(slices=known, counts=both, pixels=pixels),
        volume_dice(pd.concat([artifacts.load_table(h, "volumes") for h in homes]), slices),
        artifacts.load_table(folder, "doubts").set_index("case"),
        artifacts.read_json(folder / artifacts.PROVENANCE),
        trainings,
    )


def volume_dice(volumes: pd.DataFrame, slices: pd.DataFrame) -> pd.DataFrame:
    """Return rows of volumes with the Dice of each region in the place of their counts.

    Args:
        volumes: One row per patient and way, pixels of `<region>_overlap` and `_predicted`.
        slices: Of all these patients, with `<region>_truth`.
    """
    truth = slices.groupby("case")[[f"{region}_truth" for region in SCORED]].sum()
    table = volumes.join(truth, on="case", how="inner")
    dices = {
        region: metrics.dice_from_counts(
            *(table[f"{region}_{part}"].to_numpy() for part in ("overlap", "predicted", "truth")),
            empty=np.nan,
        )
        for region in SCORED
    }
    named = [column for column in volumes if not column.endswith(("_overlap", "_predicted"))]
    return table[named].assign(**dices)


def mean_over_patients(values: pd.Series, folds: pd.Series, *, draws: Draws) -> Bootstrapped:
    """Return the mean of a value of each patient, with draws of patients; NaN is left out.

    Args:
        values: By patient, sorted.
        folds: Of the same patients.
        draws: Equal draws are paired.
    """
    column = values.to_numpy(float)[:, None]
    defined = np.isfinite(column)
    ratios = metrics.PatientRatios(
        folds.index.to_numpy(), np.where(defined, column, 0), defined.astype(float)
    )
    return statistics.bootstrap_ratio(
        ratios, folds.to_numpy(), region=0, draws=draws.number, seed=draws.seed
    )


def ways(found: Beyond) -> list[Way]:
    """Return what the last table compares, each with the choices that its recipe names."""
    model, loss = paper.PAPERS_CHOICE
    network = f"{model}-{loss}-s{found.evidence.provenance['seeds'][0]}"
    best = best_network(found)
    reading = found.evidence.provenance["mixture"]["reading"]
    smoothed = SMOOTHED + THRESHOLD
    cleaned = {
        "its residual with the clean-up": (network, smoothed),
        f"best of its networks with the clean-up ({best})": (best, smoothed),
        "the same network, near the threshold": (best, SMOOTHED + NEAR),
        "clean-up: smoothed FLAIR": (CLEAN_UP, THRESHOLD),
        "clean-up, clearest outline": (CLEAN_UP, CLEAREST),
        "clean-up, near the threshold": (CLEAN_UP, NEAR),
        "synthetic lesions": (SYNTHETIC, THRESHOLD),
        "synthetic lesions, near the threshold": (SYNTHETIC, NEAR),
        "synthetic lesions, agreed outline": (SYNTHETIC, AGREED),
    }
    all_ways = [
        PLAIN,
        Way("the paper's method", network, reading),
        *(Way(name, *of, counted_rule(found, *of)) for name, of in cleaned.items()),
        Way("supervised U-Net (sees masks)", SUPERVISED),
    ]
    return [way for way in all_ways if _is_there(found, way)]


def counted_rule(found: Beyond, method: str, reading: str) -> str:
    """Return the one rule for components whose rows per slice are kept."""
    counts = found.evidence.counts
    own = counts[(counts["method"] == method) & (counts["reading"] == reading)]["component"]
    return str(own.iloc[0]) if len(own) else ""


def best_network(found: Beyond) -> str:
    """Return the paper's network with the highest mean Dice after the same clean-up.

    It is chosen with the truth in view, which flatters it: no other row is.
    """
    counts, volumes = found.evidence.counts, found.volumes
    rules = counts[counts["reading"] == SMOOTHED + THRESHOLD]["component"].unique()
    cleaned = volumes["reading"] == SMOOTHED + THRESHOLD
    shown = volumes[cleaned & volumes["component"].isin(rules)]
    return str(shown.groupby("method")["WT"].mean().idxmax()) if len(shown) else ""


def restrict(found: Beyond, way: Way) -> Beyond:
    """Return the rows of the patients that a way has rows of: it may have been run on fewer."""
    own = rows.count_rows(found.evidence, way.method, reading=way.reading, component=way.component)
    slices = found.evidence.slices
    shown = slices[slices["case"].isin(own["case"])]
    return found._replace(evidence=found.evidence._replace(slices=shown))


def _is_there(found: Beyond, way: Way) -> bool:
    own = restrict(found, way)
    if own.evidence.slices.empty:
        return False
    counted = rows.method_counts(
        own.evidence, way.method, reading=way.reading, component=way.component
    )
    return len(counted.cases) == len(own.evidence.slices)


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


def compare_rules(found: Beyond) -> pd.DataFrame:
    """Return the mean volume Dice of the whole tumour under each rule for components.

    Returns:
        One row per method and reading: one column per rule, NaN where there are no rows, and "n",
        the number of patients. What was only tried beside a method is left out.
    """
    shown = found.volumes[~found.volumes["method"].str.match(f"{SYNTHETIC} ")]
    named = shown.groupby(["method", "reading"], sort=False)
    table = shown.pivot_table(
        index=["method", "reading"], columns="component", values="WT", sort=False
    )
    table = table.reindex(columns=list(RULES)).assign(n=named["case"].nunique())
    return table.sort_index(level=0, sort_remaining=False)


def summarise(found: Beyond, *, prefix: str, draws: Draws) -> dict[str, float]:
    """Return the volume Dice of the whole tumour of each way for prose.

    Keys read like `real36.beyond.synthetic.agreed.value`; the plain threshold is "plain".

    Args:
        found: All rows.
        prefix: First part of every key.
        draws: Of the intervals.
    """
    facts: dict[str, float] = {}
    for way in ways(found):
        if way.method not in (PLAIN.method, *OURS):
            continue
        drawn = dice(found, way, "WT", aggregation="volume", empty=np.nan, draws=draws)
        key = "plain" if way == PLAIN else f"{way.method}.{way.reading}"
        cell = statistics.interval(drawn)._asdict()
        facts |= {f"{prefix}.beyond.{key}.{end}": cell[end] for end in ("value", "low", "high")}
    return facts


def patient_seconds(found: Beyond, way: Way) -> float | None:
    """Return the CPU seconds of one patient, networks included; None where not measured."""
    if way.method not in OURS or way.reading == THRESHOLD:
        return None
    known = found.provenance
    spent = np.mean([fold["patient_cpu_s"][way.method] for fold in known["segmented"]])
    networks = [
        np.mean([one["patient_cpu_s"] for one in known["networks"] if one["seed"] == seed])
        for seed in known["settings"]["averaged"]
    ]
    return float(spent + sum(networks) * (way.method == SYNTHETIC))


def by_patient(found: Beyond, way: Way, *, region: str = "WT") -> pd.Series:
    """Return the volume Dice of each patient; nothing found and nothing there is NaN."""
    ratios, _ = _ratios(found, way, "volume", np.nan)
    column = list(REGIONS).index(region)
    with np.errstate(invalid="ignore"):
        values = ratios.sums[:, column] / ratios.counts[:, column]
    return pd.Series(values, index=pd.Index(ratios.cases, name="case"), name=way.name)


def _ratios(
    found: Beyond, way: Way, aggregation: str, empty: float
) -> tuple[metrics.PatientRatios, np.ndarray]:
    counted = rows.method_counts(
        found.evidence, way.method, reading=way.reading, component=way.component
    )
    ratios = metrics.aggregate(counted.counts, counted.cases, aggregation=aggregation, empty=empty)
    return ratios, counted.folds
