"""What becomes of the order of the rows as training goes on (method: training length).

Numbers are those that every training recorded on its way, on one fixed subset of test slices. Dice
there is a threshold on the residual, not the paper's mixture: what is compared with the paper is
the order. Nothing may be chosen by any of it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from paperlib import artifacts
from paperlib.evaluation import paper
from paperlib.evaluation.evidence import Evidence
from paperlib.labels import FLAIR

MEASURES: Mapping[str, str] = {
    "pixel_ap": "pixel average precision",
    "dice": "Dice, every slice",
    "auroc": "AUROC, mean residual",
    "input_correlation": "correlation of r with −x",
    "validation_loss": "validation loss",
}
FIGURES: Mapping[str, str] = {"pixel_ap": "pixel AP", "dice": "Dice"}  # compared with the paper
Network = tuple[str, str]  # model and loss
# The paper's comparisons of Table 2 that need no further network, first minus second.
CONTRASTS: Mapping[str, tuple[tuple[Network, Network], ...]] = {
    "SSIM − MSE": tuple(((model, "SSIM"), (model, "MSE")) for model in paper.MODELS),
    "dVAE − VAE": tuple((("dVAE", loss), ("VAE", loss)) for loss in ("MSE", "SSIM")),
    "VAE1px − VAE": tuple((("VAE1px", loss), ("VAE", loss)) for loss in ("MSE", "SSIM")),
    "AAE − VAE": tuple((("AAE", loss), ("VAE", loss)) for loss in ("MSE", "SSIM")),
}


class Lengths(NamedTuple):
    """Long trainings of one cohort.

    Attributes:
        milestones: One row per network and look at it: network, model, loss, seed, slice_steps,
            final (1 for the weights kept) and the measures.
        provenance: Of the cohort, with commit, date and seconds of every network.
    """

    milestones: pd.DataFrame
    provenance: Mapping[str, Any]


def load_lengths(folder: Path) -> Lengths | None:
    """Return the trainings of a folder, None where there is none."""
    if not (folder / artifacts.PROVENANCE).exists():
        return None
    return Lengths(
        artifacts.load_table(folder, "milestones"),
        artifacts.read_json(folder / artifacts.PROVENANCE),
    )


def of_run(found: Evidence) -> Lengths:
    """Return the FLAIR trainings of the first fold of any run, as long as they were."""
    rows = found.milestones
    rows = rows[(rows["sequence"] == FLAIR) & (rows["fold"] == 0)]
    names = rows["model"] + "-" + rows["loss"] + "-s" + rows["seed"].astype(str)
    networks = [
        {"network": one["pair"], "commit": one["commit"]}
        for one in found.provenance["networks"]
        if one["sequence"] == FLAIR and "-f0-" in one["pair"]
    ]
    tested = found.slices.loc[found.slices["fold"] == 0, "case"].nunique()
    origin = {"fold": 0, "test_patients": tested, "networks": networks}
    return Lengths(rows.assign(network=names), {**found.provenance, **origin})


def on_the_way(milestones: pd.DataFrame) -> pd.DataFrame:
    """Return the looks along the training, with their row.

    Without that at the weights kept, unless the trainings were too short for any other.
    """
    along = milestones["final"] == 0
    found = milestones[along] if along.any() else milestones
    return found.assign(row=found["model"] + "-" + found["loss"])


def row_means(milestones: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return a measure of every row over slice-steps: a line per look, seeds averaged."""
    found = on_the_way(milestones)
    table = found.pivot_table(index="slice_steps", columns="row", values=measure, aggfunc="mean")
    printed = ["-".join(network) for network in paper.OUTLINE]
    order = [row for row in printed if row in table] + sorted(set(table) - set(printed))
    return table[order]


def rank_table(milestones: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rank of every row at every look, 1 for the highest, and the paper's.

    Returns:
        A line per row of Table 2; a column "paper" (ranks among the rows that are there, by the
        outline) and one per slice-steps.
    """
    ours = row_means(milestones, measure)
    printed = pd.Series({"-".join(key): value for key, value in paper.OUTLINE.items()})
    table = ours.rank(axis=1, ascending=False).T
    table.columns = [f"{int(steps):,}" for steps in table.columns]
    table.insert(0, "paper", printed.reindex(table.index).rank(ascending=False))
    return table.rename_axis(None)


def agreement(milestones: pd.DataFrame, measure: str) -> pd.Series:
    """Return Kendall's tau between our order and the paper's at every look, by slice-steps.

    1 is the paper's order, −1 its reverse; NaN with fewer than three rows.
    """
    ours = row_means(milestones, measure)
    printed = pd.Series({"-".join(key): value for key, value in paper.OUTLINE.items()})
    found = {}
    for steps, line in ours.iterrows():
        known = line.dropna()
        known = known[known.index.isin(printed.index)]
        enough = len(known) >= 3
        found[steps] = stats.kendalltau(known, printed[known.index]).statistic if enough else np.nan
    return pd.Series(found, dtype=float)


def contrast_table(milestones: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return every contrast at every look, and the paper's in Dice of the outline.

    Returns:
        A line per contrast of which a pair was trained, the mean over its pairs; a column "paper"
        (same pairs) and one per slice-steps.
    """
    ours = row_means(milestones, measure)
    lines = {}
    for name, pairs in CONTRASTS.items():
        keys = [("-".join(first), "-".join(second)) for first, second in pairs]
        kept = [place for place, both in enumerate(keys) if set(both) <= set(ours)]
        if not kept:
            continue
        printed = [paper.OUTLINE[pairs[p][0]] - paper.OUTLINE[pairs[p][1]] for p in kept]
        found = pd.concat([ours[keys[p][0]] - ours[keys[p][1]] for p in kept], axis=1).mean(axis=1)
        lines[name] = {"paper": float(np.mean(printed)), **found.to_dict()}
    return pd.DataFrame.from_dict(lines, orient="index")


def plain_level(milestones: pd.DataFrame) -> float:
    """Return the pixel AP of the plain image on the same slices, without any network."""
    return float(milestones["input_pixel_ap"].mean())


def seed_spread(milestones: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return, for rows with several seeds, highest minus lowest seed: row by slice-steps."""
    found = on_the_way(milestones).groupby(["row", "slice_steps"])[measure].agg(["count", np.ptp])
    return found.loc[found["count"] > 1, "ptp"].unstack("slice_steps")


def describe(lengths: Lengths, measure: str) -> list[str]:
    """Return what becomes of the order along one measure, as sentences with their numbers."""
    milestones = lengths.milestones
    means, plain = row_means(milestones, measure), plain_level(milestones)
    leaders = means.idxmax(axis=1)
    said = ["Highest row: " + "; ".join(f"{row} at {steps:,}" for steps, row in leaders.items())]
    said[0] += " slice-steps."
    said += [_along(name, line) for name, line in contrast_table(milestones, measure).iterrows()]
    tau = agreement(milestones, measure).dropna()
    if len(tau):
        best = tau.idxmax()
        said.append(
            f"Kendall's tau with the paper's order: {tau[best]:+.2f} at best, at {best:,} "
            f"slice-steps, and {tau.iloc[-1]:+.2f} at {tau.index[-1]:,}."
        )
    if measure == "pixel_ap":
        above = "; ".join(
            f"{(line > plain).sum()} of {line.notna().sum()} at {steps:,}"
            for steps, line in means.iterrows()
        )
        said.append(f"Rows above the plain image ({plain:.2f}): {above} slice-steps.")
    spread = seed_spread(milestones, measure).stack()
    if len(spread):
        row, steps = spread.idxmax()
        between = np.ptp(means.loc[steps].dropna())
        said.append(
            f"Largest gap between seeds of one row: {spread.max():.2f} ({row} at {steps:,} "
            f"slice-steps); between all rows there: {between:.2f}."
        )
    return said


def missing_networks(lengths: Lengths, wanted: Sequence[str]) -> list[str]:
    """Return the names of the trainings that are not there yet."""
    known = set(lengths.milestones["network"])
    return [name for name in wanted if name not in known]


def describe_origin(lengths: Lengths) -> str:
    """Return data, profile, seeds, split, dates and commits of all networks in one line."""
    origin = lengths.provenance
    networks = origin["networks"]
    dates = sorted({one["date"] for one in networks if "date" in one})
    when = f"{' to '.join([dates[0], *dates[1:][-1:]])}, " if dates else ""
    commits = ", ".join(dict.fromkeys(str(one["commit"]) for one in networks))
    split = f"fold {origin['fold']} of {origin['folds']}" if origin["folds"] > 1 else "one test set"
    seeds = " ".join(map(str, origin["seeds"]))
    return (
        f"{origin['cohort']}, profile {origin['profile']}, seeds {seeds}, "
        f"{origin['patients']} patients, {split}, "
        f"{origin['test_patients']} of them tested, FLAIR, {len(networks)} trainings, {when}"
        f"commit {commits}"
    )


def _along(name: str, line: pd.Series) -> str:
    """Return where along the training a contrast has the paper's sign and where not."""
    ours = line.drop("paper").dropna()
    same = np.sign(ours) == np.sign(line["paper"])
    parts = [
        f"{words} at {', '.join(f'{int(steps):,}' for steps in ours.index[chosen])}"
        for words, chosen in (("the paper's sign", same), ("the other sign", ~same))
        if chosen.any()
    ]
    return f"{name}: paper {line['paper']:+.3f}; here {' and '.join(parts)} slice-steps."
