"""How long networks were trained, and what that does to the order of the rows (section 4.1).

The budget of a profile is the same number of slice-steps for every network: slices that the
optimiser has seen, copies counted. Only a network that stopped because its validation loss no
longer fell is called converged.
"""

from collections.abc import Mapping

import pandas as pd

from paperlib.evaluation import evidence
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics
from paperlib.evaluation.slices import slice_scores
from paperlib.labels import FLAIR, REGIONS

NO_NETWORK = "B10"
THRESHOLDED = "B2"  # z-scored image, threshold at 5 % false positives on healthy slices
MEASURES: Mapping[str, str] = {
    "pixel_ap": "pixel average precision",
    "dice": "Dice, every slice",
    "auroc": "AUROC, mean residual",
    "input_correlation": "correlation of r with −x",
}
KEPT = "weights kept"
STOPS: Mapping[str, str] = {
    "budget": "budget spent",
    "max_epochs": "epochs spent",
    "patience": "validation loss no longer fell",
}


def length_table(found: Evidence) -> pd.DataFrame:
    """Return how each network was trained: a row per model, loss and sequence over folds, seeds.

    Returns:
        Networks, slice-steps, where the validation loss was lowest (median over networks), why
        training stopped, whether the row may be called converged, and seconds a network.
    """
    networks = pd.DataFrame(found.provenance["networks"])
    networks["row"] = networks["pair"].str.replace(r"-f\d+-s\d+$", "", regex=True)
    best = _best_steps(found.epochs)
    rows = []
    for (row, sequence), part in networks.groupby(["row", "sequence"], sort=False):
        converged = int(part["converged"].sum())
        rows.append(
            {
                "row": f"{row} {sequence}",
                "networks": len(part),
                "training slices": _span(part["training_slices"]),
                "slice-steps": _span(part["slice_steps"]),
                "lowest validation loss at": int(best[(row, sequence)]),
                "stopped by": ", ".join(STOPS[reason] for reason in part["stopped_by"].unique()),
                "converged": "yes" if converged == len(part) else "not converged",
                "seconds each": round(part["seconds"].mean()),
            }
        )
    return pd.DataFrame(rows).set_index("row").rename_axis(None)


def over_networks(milestones: pd.DataFrame, sequence: str) -> pd.DataFrame:
    """Return mean, lowest and highest of every measure over the folds and seeds of a row.

    Args:
        milestones: Of some evidence.
        sequence: Of the networks.

    Returns:
        Index row ("VAE-MSE"), final and slice_steps; columns (measure, "mean" | "min" | "max").
        `final` is 1 for the weights that were kept, 0 on the way.
    """
    chosen = milestones[milestones["sequence"] == sequence].reset_index(drop=True)
    chosen["row"] = chosen["model"] + "-" + chosen["loss"]
    last = chosen["final"] == 1  # with patience, networks of a row end at different steps
    ends = chosen[last].groupby("row")["slice_steps"].transform("median")
    chosen.loc[last, "slice_steps"] = ends.astype(chosen["slice_steps"].dtype)
    measures = [*MEASURES, "input_pixel_ap", "validation_loss"]
    grouped = chosen.groupby(["row", "final", "slice_steps"], sort=False)[measures]
    return grouped.agg(["mean", "min", "max"])


def order_table(milestones: pd.DataFrame, sequence: str, measure: str) -> pd.DataFrame:
    """Return one measure of every row along the training, and which row leads.

    Args:
        milestones: Of some evidence.
        sequence: Of the networks.
        measure: A key of `MEASURES`.

    Returns:
        A line per slice-steps, the weights kept last; a column per row of Table 2, then `plain`
        (the image itself, for pixel average precision only) and the `best network`.
    """
    table = over_networks(milestones, sequence)
    rows = list(dict.fromkeys(table.index.get_level_values("row")))
    lines = []
    for (final, steps), part in table.groupby(level=["final", "slice_steps"]):
        label = KEPT if final else f"{int(steps):,}"
        values = part[(measure, "mean")].droplevel(["final", "slice_steps"])
        plain = part[("input_pixel_ap", "mean")].mean()
        lines.append({"slice-steps": label, **values, "plain": plain})
    found = pd.DataFrame(lines).groupby("slice-steps", sort=False).first()
    leads = found[rows].apply(lambda line: line.idxmax() if line.notna().any() else "-", axis=1)
    kept = [*rows, "plain"] if measure == "pixel_ap" else rows
    return found[kept].assign(**{"best network": leads})


def plain_levels(found: Evidence, sequence: str) -> dict[str, float]:
    """Return what the image itself reaches on each measure, without any network.

    Pixel average precision is of the milestones' own slices. Dice and AUROC are of all test
    slices; for T1CE they are left out, as no baseline looks at enhancing tumour alone.

    Args:
        found: Evidence of a run.
        sequence: Whose image.
    """
    chosen = found.milestones[found.milestones["sequence"] == sequence]
    levels = {"pixel_ap": float(chosen["input_pixel_ap"].mean()), "input_correlation": 1.0}
    if sequence != FLAIR:
        return levels
    counted = evidence.method_counts(found, THRESHOLDED)
    ratios = metrics.aggregate(counted.counts, counted.cases, aggregation="every_slice", empty=0.0)
    dice = metrics.pooled_value(ratios.sums, ratios.counts)[list(REGIONS).index("WT")]
    test = slice_scores.load_test_slices(found, NO_NETWORK)
    auroc = metrics.slice_auroc(test["mean_image"].to_numpy(float), test["tumour"].to_numpy())
    return {**levels, "dice": float(dice), "auroc": auroc}


def _best_steps(epochs: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return the slice-steps of the lowest validation loss, the median over the networks."""
    named = epochs.reset_index(drop=True)
    named["row"] = named["model"] + "-" + named["objective"]
    keys = ["row", "sequence", "fold", "seed"]
    best = named.loc[named.groupby(keys)["validation_loss"].idxmin().to_numpy()]
    medians = best.groupby(["row", "sequence"])["slice_steps"].median()
    return {(str(row), str(sequence)): value for (row, sequence), value in medians.items()}


def _span(values: pd.Series) -> str:
    low, high = int(values.min()), int(values.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
