"""Variants of a prediction in which some decisions are perfect, as counts per slice.

A variant is a set of changes, ours the empty one. Its counts come from the rows of
`pipeline.comparisons.attribution`; ours, the mixture on a perfect reconstruction and the ceilings
are rows of every run; gates follow from the counts. An oracle looks at the truth: no variant is a
method.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from paperlib.evaluation import evidence
from paperlib.evaluation.evidence import Evidence, MethodCounts
from paperlib.evaluation.examples import PAPERS_CHOICE
from paperlib.evaluation.measures import metrics
from paperlib.evaluation.slices import slice_scores
from paperlib.labels import REGIONS

RECONSTRUCTION, CLUSTER, THRESHOLD, POOLED = "reconstruction", "cluster", "threshold", "pooled"
MORPHOLOGY, OUTLINE, ENHANCING = "morphology", "outline", "enhancing"
GATE, PAPERS_GATE, TRUTH = "gate", "papers_gate", "truth"
# Every change in words; of those that stand in a waterfall, in the order of the chain.
NAMES: Mapping[str, str] = MappingProxyType(
    {
        RECONSTRUCTION: "perfect reconstruction",
        CLUSTER: "oracle cluster",
        THRESHOLD: "oracle threshold, each volume",
        POOLED: "oracle threshold, all patients",
        MORPHOLOGY: "no opening, no closing",
        PAPERS_GATE: "the paper's gate",
        GATE: "oracle gate",
        OUTLINE: "true outline",
        ENHANCING: "true enhancing, core = hull",
        TRUTH: "true core, no hull",
    }
)
SINGLE = tuple(change for change in NAMES if change != TRUTH)
NETWORK_FIRST = (RECONSTRUCTION, THRESHOLD, MORPHOLOGY, GATE, OUTLINE, ENHANCING, TRUTH)
NETWORK_LAST = (THRESHOLD, MORPHOLOGY, GATE, RECONSTRUCTION, OUTLINE, ENHANCING, TRUTH)
# What has to be segmented anew; the rest is known or follows from counts.
VARIANTS: tuple[tuple[str, ...], ...] = (
    (CLUSTER,),
    (THRESHOLD,),
    (POOLED,),
    (MORPHOLOGY,),
    (OUTLINE,),
    (ENHANCING,),
    (THRESHOLD, MORPHOLOGY),
    (RECONSTRUCTION, THRESHOLD),
    (RECONSTRUCTION, THRESHOLD, MORPHOLOGY),
    (RECONSTRUCTION, THRESHOLD, MORPHOLOGY, OUTLINE),
)


def name_of(changes: Collection[str]) -> str:
    """Return a variant as the rows name it: "reconstruction+threshold"."""
    return "+".join(change for change in NAMES if change in changes)


def load_rows(folder: Path) -> pd.DataFrame:
    """Return the rows of every pair that was looked into; none where none was.

    Args:
        folder: `evidence` of a run, or a folder under `results/reference`.
    """
    files = sorted(folder.glob("attribution-*.csv"))
    tables = [pd.read_csv(file) for file in files]
    return pd.concat(tables) if tables else pd.DataFrame({"method": [], "changes": [], "case": []})


def choose_method(rows: pd.DataFrame, wanted: str | None = None) -> str:
    """Return a network that was looked into.

    Args:
        rows: From `load_rows`.
        wanted: Such as "dVAE-SSIM-s0"; None for the paper's choice, or else the first.

    Raises:
        ValueError: If it was not looked into, or none was.
    """
    known = sorted(rows["method"].unique())
    if not known or wanted not in (None, *known):
        raise ValueError(
            f"Asked for the error of {wanted or 'any network'}; looked into was "
            f"{', '.join(known) or 'none'}. Run the stage attribution of its pairs, then gather."
        )
    papers = [name for name in known if name.startswith("-".join(PAPERS_CHOICE) + "-s")]
    return wanted or (papers or known)[0]


def variant_counts(
    found: Evidence, rows: pd.DataFrame, method: str, changes: Collection[str]
) -> MethodCounts:
    """Return the counts of a variant over the test slices, sorted by patient and height.

    Patients of folds that were not looked into are left out, of every variant.

    Args:
        found: Evidence of a run.
        rows: From `load_rows` of the same run.
        method: A network with its seed.
        changes: Keys of `NAMES`; what a later step of the chain replaces does not matter.

    Raises:
        KeyError: If there is no such row.
    """
    kept = set(changes)
    if {OUTLINE, ENHANCING} <= kept:  # nothing of the prediction is left
        kept &= {OUTLINE, ENHANCING, TRUTH}
    if {GATE, PAPERS_GATE} & kept:
        counted = variant_counts(found, rows, method, kept - {GATE, PAPERS_GATE})
        flagged = (
            counted.counts.truth[:, list(REGIONS).index("WT")] > 0
            if GATE in kept
            else _papers_flags(found, rows, method)
        )
        return counted._replace(counts=metrics.gated(counted.counts, flagged))
    table, name, reading = _rows_of(found, rows, method, kept)
    ordered = found._replace(
        counts=table.sort_values(["case", "z"], kind="stable"),
        slices=found.slices[found.slices["case"].isin(_cases(rows, method))],
    )
    return evidence.method_counts(ordered, name, reading=reading)


def _rows_of(
    found: Evidence, rows: pd.DataFrame, method: str, changes: Collection[str]
) -> tuple[pd.DataFrame, str, str]:
    """Return the table that holds a variant, and its method and reading there."""
    reading = found.provenance["mixture"]["reading"]
    known = {
        "": (method, reading),
        RECONSTRUCTION: ("B11 perfect reconstruction", reading),
        name_of((OUTLINE, ENHANCING)): ("B11 hull of the true ET", ""),
    }
    name = name_of(changes)
    if TRUTH in changes:
        return found.counts, evidence.TRUTH, ""
    if name in known:
        return found.counts, *known[name]
    chosen = rows[(rows["method"] == method) & (rows["changes"] == name)]
    if chosen.empty:
        known_names = ", ".join(map(repr, rows.loc[rows["method"] == method, "changes"].unique()))
        raise KeyError(f"No rows of {method!r} with the changes {name!r}; there are {known_names}.")
    return chosen.assign(reading="", component="all"), method, ""


def _cases(rows: pd.DataFrame, method: str) -> pd.Series:
    cases = rows.loc[rows["method"] == method, "case"]
    if cases.empty:
        raise KeyError(
            f"No rows of {method!r}; run the stage attribution of its pairs, then gather. There "
            f"are rows of {', '.join(rows['method'].unique()) or 'no network'}."
        )
    return cases


def _papers_flags(found: Evidence, rows: pd.DataFrame, method: str) -> Bool[ndarray, " slice"]:
    kept = found.slices[found.slices["case"].isin(_cases(rows, method))]
    return slice_scores.flag_slices(
        found._replace(slices=kept), method, score="mean_residual", rule="max_healthy"
    )
