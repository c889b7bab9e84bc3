"""Tables 2 and 3 as a reader meets them: the paper's number, ours, its interval, and of what.

The captions say what a number is: data, patients, slices, convention. Colour plays no part.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from paperlib.evaluation import layout, paper, tables
from paperlib.evaluation.evidence import Evidence, load_evidence

_LOOK = [
    {"selector": "caption", "props": "caption-side: top; text-align: left; padding-bottom: 0.5em"},
    {"selector": "th, td", "props": "padding: 0.2em 0.5em; vertical-align: top"},
    {"selector": "th.row_heading", "props": "text-align: left"},
    {"selector": "th.col_heading", "props": "text-align: center"},
    {"selector": "td", "props": "text-align: center"},
]


@dataclass(frozen=True)
class Shown:
    """A table for a page (`html`) and for a terminal (`text`)."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        """Return the text: the same in every run, unlike the address of an object."""
        return self.text


def show(
    frame: pd.DataFrame, *, caption: str, bold: Bool[ndarray, "row column"] | None = None
) -> Shown:
    """Return a table of texts for a page.

    Args:
        frame: Texts. Of an index with two levels, the first names groups of rows: each group
            gets a line of its own above its rows, with the level's name before it.
        caption: What the numbers are: data, number of patients and slices, convention.
        bold: Which cells to emphasise.
    """
    marked = np.zeros(frame.shape, bool) if bold is None else bold
    text = f"{caption}\n{frame.mask(marked, frame.astype(str) + '*').to_string()}"
    heading = np.zeros(len(frame), bool)
    if frame.index.nlevels > 1:
        frame, marked, heading = _with_headings(frame, marked)
    elif frame.columns.nlevels == 1:
        # The name of the index then stands in the corner instead of in a row of its own.
        frame = frame.rename_axis(index=None, columns=frame.index.name)
    weights = np.where(marked, "font-weight: bold", "")
    names = np.where(heading, "", "font-weight: normal")
    styled = frame.style.set_caption(caption).set_table_styles(_LOOK)
    styled = styled.apply(lambda _: weights, axis=None)
    styled = styled.apply_index(lambda _: names, level=frame.index.nlevels - 1)
    if frame.index.nlevels > 1:
        styled = styled.hide(axis="index", level=0)
    # Rules of one table must not reach another on the page, nor change from run to run.
    own = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Shown(styled.to_html(table_uuid=own, cell_ids=False), text)


def show_table_2(found: Evidence | None, target: str, *, draws: tables.Draws, note: str) -> Shown:
    """Return Table 2 of one target: the paper beside the three readings of equation 1.

    Args:
        found: Evidence of a run; None where a reference is not in this copy.
        target: `tables.OUTLINE` or `tables.SEMANTIC`.
        draws: Of the intervals.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    readings = found.provenance["mixture"]["readings"]
    printed = {tables.OUTLINE: paper.OUTLINE, tables.SEMANTIC: paper.SEMANTIC}[target]
    table = tables.table_2(found, target, draws=draws)
    frame, bold = layout.lay_out_table_2(table, printed, readings=readings)
    what = {
        tables.OUTLINE: "whole tumour",
        tables.SEMANTIC: "mean of the three tissue labels",
    }[target]
    reading = layout.READING_NAMES[found.provenance["mixture"]["reading"]]
    caption = (
        f"Dice, {what}. Mean over every slice; a slice without tumour counts 0 (section 5.1). "
        f"Ours: value [95 % interval], {draws.number} draws of patients. A method without a "
        f"mixture has no reading: its one value stands under “{reading}”. The last two columns "
        f"are for that reading, too. {_of(found)} {_trained(found)} "
        f"Bold: best network of a loss. "
        f"{layout.MISSING}: not part of this run. {note}."
    )
    return show(frame, caption=caption, bold=bold)


def show_table_3(
    found: Evidence | None, method: str, *, draws: tables.Draws, note: str, short: bool = False
) -> Shown:
    """Return Table 3 with its controls.

    Args:
        found: Evidence of a run; None where a reference is not in this copy.
        method: A network with its seed, such as "VAE-MSE-s0".
        draws: Of the intervals.
        note: Data, profile, seed and commit, in words.
        short: Leave out the controls and the gate.
    """
    if found is None:
        return absent()
    table = tables.table_3(found, method, draws=draws)
    frame = layout.lay_out_table_3(table)
    if short:
        frame = frame[["paper", "ours"]].droplevel(1, axis=1)
    line = table.iloc[0]
    caption = (
        f"Area under the ROC curve for “this slice holds tumour”, network {method}; 0.5 is "
        f"guessing. Ours: value [95 % interval], {draws.number} draws of patients. "
        f"{int(line['tumour_slices'])} slices with and {int(line['tumour_free_slices'])} without "
        f"tumour. {_of(found)} {layout.MISSING}: not defined. {note}."
    )
    return show(frame, caption=caption)


def load_reference(folder: Path) -> Evidence | None:
    """Return the evidence of a reference run, or None where it is not in this copy."""
    if not (folder / "provenance.json").exists():
        return None
    return load_evidence(folder, command="git checkout results/reference")


def absent() -> Shown:
    """Return what stands in place of a reference that is not in this copy."""
    text = "The reference run is not in this copy: nothing to compare with here."
    return Shown(f"<p><em>{text}</em></p>", text)


def _with_headings(frame: pd.DataFrame, marked: ndarray) -> tuple[pd.DataFrame, ndarray, ndarray]:
    """Return the table with a line above each group, its marks, and which lines these are."""
    frame = frame.rename_axis(columns=[None] * frame.columns.nlevels)
    groups, level = frame.index.get_level_values(0), frame.index.names[0]
    starts = np.flatnonzero(~groups.duplicated())
    titles = [f"{level} {group}" if level else str(group) for group in groups[starts]]
    lines = pd.MultiIndex.from_tuples([(title, title) for title in titles])
    headings = pd.DataFrame("", index=lines, columns=frame.columns)
    order = np.argsort(np.r_[starts - 0.5, np.arange(len(frame))], kind="stable")
    whole = pd.concat([headings, frame.rename_axis([None, None])]).iloc[order]
    blank = np.zeros((len(starts), marked.shape[1]), bool)
    return whole, np.r_[blank, marked][order], order < len(starts)


def _trained(found: Evidence) -> str:
    """Return at which point of their training the networks were taken."""
    networks = found.provenance["networks"]
    steps = [int(network["slice_steps"]) for network in networks]
    span = f"{min(steps):,}" if min(steps) == max(steps) else f"{min(steps):,} to {max(steps):,}"
    converged = sum(bool(network["converged"]) for network in networks)
    return (
        f"Networks after {span} slice-steps; "
        f"{len(networks) - converged} of {len(networks)} not converged."
    )


def _of(found: Evidence) -> str:
    free = int((found.slices["WT_truth"] == 0).sum())
    folds = int(found.provenance["folds"])
    split = f"{folds} folds" if folds > 1 else "one test set"
    return (
        f"n = {found.patients} test patients ({split}), {len(found.slices)} slices, {free} of "
        "them tumour-free."
    )
