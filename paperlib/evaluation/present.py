"""How a table looks on a page and in a terminal; colour plays no part. References of a copy."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from paperlib import artifacts
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
        frame: Texts. Of an index with two levels, the first names groups of rows: the rows of a
            group stand together, in the place of its first one, below a line of its own with the
            level's name and the group's.
        caption: What the numbers are: data, number of patients and slices, convention.
        bold: Which cells to emphasise.
    """
    marked = np.zeros(frame.shape, bool) if bold is None else bold
    if frame.index.nlevels > 1:
        together = np.argsort(pd.factorize(frame.index.get_level_values(0))[0], kind="stable")
        frame, marked = frame.iloc[together], marked[together]
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
    styled = styled.format(_with_whole_intervals).apply(lambda _: weights, axis=None)
    styled = styled.apply_index(lambda _: names, level=frame.index.nlevels - 1)
    if frame.index.nlevels > 1:
        styled = styled.hide(axis="index", level=0)
    # Rules of one table must not reach another on the page, nor change from run to run.
    own = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Shown(styled.to_html(table_uuid=own, cell_ids=False), text)


def load_reference(folder: Path) -> Evidence | None:
    """Return the evidence of a reference run, or None where it is not in this copy."""
    if not (folder / artifacts.PROVENANCE).exists():
        return None
    return load_evidence(folder, command="git checkout results/reference")


def absent() -> Shown:
    """Return what stands in place of a reference that is not in this copy."""
    text = "The reference run is not in this copy: nothing to compare with here."
    return Shown(f"<p><em>{text}</em></p>", text)


def _with_whole_intervals(cell: object) -> str:
    """Return the text of a cell in which no line ends inside an interval: "[0.1, 0.2]"."""
    return re.sub(r"(?<=\[)([^][ ]+), (?=[^][ ]+\])", "\\1,\N{NO-BREAK SPACE}", str(cell))


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
