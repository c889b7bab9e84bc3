"""When to doubt a method beyond the paper, as a page shows it."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from paperlib.evaluation import present
from paperlib.evaluation.comparisons import beyond, doubt
from paperlib.evaluation.comparisons.beyond import Beyond
from paperlib.evaluation.figures import style
from paperlib.evaluation.figures.beyond import absent, describe
from paperlib.evaluation.present import Shown
from paperlib.evaluation.tables import Draws

WORST = 3


def show_signs(found: Beyond | None, *, draws: Draws, note: str = "") -> Shown:
    """Return how well each sign orders the patients by their true Dice.

    Args:
        found: Rows, or None where there are none.
        draws: Of the intervals over patients.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    lines = {}
    for sign, words in doubt.SIGNS.items():
        value, low, high = doubt.rank_correlation(found, sign, draws=draws)
        order = f"{value:.2f} [{low:.2f}, {high:.2f}]"
        lines[words] = "– (the same for all)" if np.isnan(value) else order
    frame = pd.Series(lines, name="rank correlation").rename_axis("sign").to_frame()
    caption = (
        "Spearman's correlation of each sign with the volume Dice of the whole tumour [95 % "
        f"interval over patients]; no sign sees the truth. {describe(found)}; {draws.number} "
        f"draws; {note}."
    )
    return present.show(frame, caption=caption)


def plot_agreement(known: dict[str, Beyond | None], *, note: str = "") -> Figure | Shown:
    """Return the true Dice of each patient over the agreement of the networks.

    Args:
        known: Rows by the name of the cohort.
        note: Line under the figure.
    """
    shown = {name: found for name, found in known.items() if found is not None}
    if not shown:
        return absent()
    figure = style.new_figure(3.2 + style.note_height_in(note), note=note)
    axis = figure.subplots()
    for marker, (name, found) in zip("so^", shown.items(), strict=False):
        table = doubt.by_patient(found)
        axis.plot(table["networks"], table["WT"], marker, markersize=4, alpha=0.7, label=name)
    axis.set_xlabel(doubt.SIGNS["networks"], fontsize=8)
    axis.set_ylabel("true volume Dice", fontsize=8)
    axis.set_ylim(-0.03, 1.03)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, frameon=False)
    return figure


def show_worst(found: Beyond | None, *, cases: pd.DataFrame | None, note: str = "") -> Shown:
    """Return the patients with the lowest Dice: who they are, and what would have warned.

    Args:
        found: Rows, or None where there are none.
        cases: Foci and volumes of each patient, by number.
        note: Data, profile, seed and commit, in words.
    """
    if found is None or cases is None:
        return absent()
    table = doubt.by_patient(found)
    worst = table["WT"].nsmallest(WORST).index
    lines = {}
    for case in worst:
        row, own = table.loc[case], cases.loc[case]
        dices = {
            way.name: f"{beyond.by_patient(found, way).get(case, float('nan')):.2f}"
            for way in beyond.ways(found)
            if way.method in (beyond.PLAIN.method, beyond.CLEAN_UP, beyond.SYNTHETIC)
        }
        lines[f"patient {case}"] = {
            "tumour, ml": f"{own['WT_ml']:.1f}",
            "core, ml": f"{own['TC_ml']:.1f}",
            "foci": f"{own['foci']:.0f}",
            "foci found": f"{row['foci_found']:.0f}",
            **dices,
            "networks agree": f"{row['networks']:.2f}",
            "methods agree": f"{row['methods']:.2f}",
        }
    caption = f"The {WORST} lowest Dice of the chosen way. {describe(found)}; {note}."
    return present.show(pd.DataFrame(lines).rename_axis("volume Dice and signs"), caption=caption)


def show_no_tumour(found: Beyond | None, *, note: str = "") -> Shown:
    """Return how often volumes and slices without a tumour are flagged.

    Args:
        found: Rows of a run with tumour-free patients, or None where there are none.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent("make beyond PROFILE=phantom-free")
    lines = {}
    for method in (beyond.CLEAN_UP, beyond.SYNTHETIC):
        flagged = doubt.flagged_without_tumour(found, method)
        lines[method] = {
            "radius of the ball from": f"{flagged['radius']:.1f} mm",
            "tumour volumes flagged": (
                f"{100 * flagged['of them flagged']:.0f} % of {flagged['volumes with tumour']}"
            ),
            "others flagged": (
                f"{100 * flagged['of those flagged']:.0f} % of {flagged['volumes without']}"
            ),
            "tumour slices flagged": f"{100 * flagged['slices with tumour flagged']:.0f} %",
            "other slices flagged": f"{100 * flagged['slices without flagged']:.0f} %",
        }
    caption = (
        "A volume is flagged by the widest ball in what exceeds the healthy threshold, from the "
        f"radius on that {100 * doubt.CAUGHT:.0f} % of the volumes with a tumour reach; a slice "
        "is flagged where it meets the outline (near, agreed) of a flagged volume. "
        f"{describe(found)}; {note}."
    )
    return present.show(pd.DataFrame(lines).T, caption=caption)


def show_foci(found: Beyond | None, *, cases: pd.DataFrame | None, note: str = "") -> Shown:
    """Return foci found and Dice under each rule for components.

    Args:
        found: Rows, or None where there are none.
        cases: Foci of each patient, by number.
        note: Data, profile, seed and commit, in words.
    """
    if found is None or cases is None:
        return absent()
    table = doubt.foci_by_rule(found, cases["foci"])
    frame = table.apply(
        lambda column: column.map(
            (lambda value: f"{value:.0f}") if "patients" in column.name else "{:.3f}".format
        )
    )
    frame.index.name = "components kept"
    caption = (
        "Synthetic lesions, agreed outline: volume Dice and share of the true foci that the result "
        f"touches. {describe(found)}; {note}."
    )
    return present.show(frame, caption=caption)
