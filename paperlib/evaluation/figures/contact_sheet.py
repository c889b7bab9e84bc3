"""One patient on one sheet: every examined slice, some of the others, and what was found.

Tiles show the patient's left on the right. A slice that no network saw is dark and says so: an
unmarked tile may never be taken for a slice without tumour.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from jaxtyping import Bool, Float, Int, Shaped, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy import ndarray
from scipy import ndimage

from paperlib.evaluation.figures import slices, style
from paperlib.labels import FLAIR, REGION_NAMES, T1CE

COLUMNS = 12  # tiles a row
OTHER_EVERY = 5  # slices that were not examined: those whose height is a multiple
CLOSE_UPS = 3
WIDTH_IN, CLOSE_UP_IN, MARGIN_IN = 12.8, 1.55, 0.12
DPI = 120
DIMMED = 0.35  # brightness of what was not examined
UNFLAGGED_COLOUR, OTHER_COLOUR = "#56B4E9", "#E69F00"
_SIDES = "The patient's left is on the right."
_WINDOWS = {FLAIR: slices.FLAIR_WINDOW, T1CE: slices.T1CE_WINDOW}


class Maps(NamedTuple):
    """What a method draws its maps for: their names and what red means.

    Attributes:
        flair: Name of the map beside FLAIR.
        t1ce: Name of the map beside T1CE.
        legend: A sentence on their colours.
    """

    flair: str
    t1ce: str
    legend: str


RESIDUALS = Maps(
    "FLAIR residual",
    "T1CE residual",
    "Residuals are red where the image is brighter than its reconstruction, full at "
    f"{slices.RESIDUAL_LIMIT:g} z units.",
)
SCORES = Maps(
    "tumour score",
    "enhancing score",
    "Scores are red where they are positive, which is tumour before one piece of it is chosen, "
    f"full at {slices.RESIDUAL_LIMIT:g} z units.",
)


class Sheet(NamedTuple):
    """All slices of one volume from the feet upwards, on the methods' grid.

    Attributes:
        images: Z-scores per sequence, 0 outside the brain.
        residuals: Per sequence what the method made of the image, z units, tumours negative:
            reconstruction minus image, or minus a score.
        segmentation: BraTS 2018 codes.
        examined: Whether the method was shown the slice.
        flagged: Whether the method calls it a tumour slice; only of examined slices.
        maps: What the residuals are called.
    """

    images: Mapping[str, Float[ndarray, "slice height width"]]
    residuals: Mapping[str, Float[ndarray, "slice height width"]]
    segmentation: UInt8[ndarray, "slice height width"]
    examined: Bool[ndarray, " slice"]
    flagged: Bool[ndarray, " slice"]
    maps: Maps = RESIDUALS


def contact_sheet(sheet: Sheet, *, title: str, lines: Sequence[str]) -> Figure:
    """Return the sheet of one patient.

    Args:
        sheet: The slices.
        title: Above everything; it should say that this is for research only.
        lines: Beside the close-ups: volumes, what was examined, which model.

    Raises:
        ValueError: If no slice was examined.
    """
    if not sheet.examined.any():
        raise ValueError("No slice was examined; there is nothing to show.")
    shown = _overview_slices(sheet)
    rows = -(-len(shown) // COLUMNS)
    tile_in = (WIDTH_IN - 2 * MARGIN_IN) / COLUMNS
    top_in = CLOSE_UPS * CLOSE_UP_IN + 0.55
    height_in = top_in + rows * tile_in + 0.2
    figure = style.PageFigure(figsize=(WIDTH_IN, height_in), dpi=DPI, facecolor="white")
    figure.text(0.01, 1 - 0.12 / height_in, title, va="top", fontsize=12, weight="bold")
    _draw_close_ups(_axes(figure, MARGIN_IN, height_in - top_in, 5 * CLOSE_UP_IN,
                          CLOSE_UPS * CLOSE_UP_IN), sheet)  # fmt: skip
    said = [*lines, "", f"{_SIDES} {sheet.maps.legend}"]
    _draw_lines(figure, said, 5 * CLOSE_UP_IN + 3 * MARGIN_IN, height_in)
    overview = _axes(figure, MARGIN_IN, 0.1, WIDTH_IN - 2 * MARGIN_IN, rows * tile_in)
    _draw_overview(overview, sheet, shown, rows)
    return figure


def _overview_slices(sheet: Sheet) -> Int[ndarray, " shown"]:
    """Return all examined slices, and some of the others where there is brain."""
    heights = np.arange(len(sheet.examined))
    brain = (sheet.images[FLAIR] != 0).any(axis=(1, 2))
    return np.flatnonzero(sheet.examined | (brain & (heights % OTHER_EVERY == 0)))


def _close_up_slices(sheet: Sheet) -> Int[ndarray, " shown"]:
    """Return slices at even distances through the tumour, or through what was examined."""
    tumour = np.flatnonzero(sheet.segmentation.any(axis=(1, 2)))
    among = tumour if tumour.size else np.flatnonzero(sheet.examined)
    share = (np.arange(CLOSE_UPS) + 0.5) / CLOSE_UPS
    return among[(share * len(among)).astype(int)]


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes at a place in inches."""
    whole = figure.get_figwidth(), figure.get_figheight()
    axes = figure.add_axes(
        (left / whole[0], bottom / whole[1], width / whole[0], height / whole[1])
    )
    axes.set_axis_off()
    return axes


def _draw_close_ups(axes: Axes, sheet: Sheet) -> None:
    heights = _close_up_slices(sheet)
    names = ("FLAIR", sheet.maps.flair, "T1CE", sheet.maps.t1ce, "labels on FLAIR")
    tiles = []
    for z in heights:
        grey = {sequence: _grey(sheet.images[sequence][z], sequence) for sequence in _WINDOWS}
        tiles += [
            grey[FLAIR],
            _residual_colours(sheet.residuals[FLAIR][z]),
            grey[T1CE],
            _residual_colours(sheet.residuals[T1CE][z]),
            _overlaid(grey[FLAIR], sheet.segmentation[z]),
        ]
    side = _show(axes, tiles, len(names))
    for place, name in enumerate(names):
        axes.text((place + 0.5) * side, -4, name, ha="center", va="bottom", fontsize=9)
    for row, z in enumerate(heights):
        axes.text(3, row * side + 4, f"z {z}", color="white", va="top", fontsize=9)
    axes.text(3, side / 2, "R", color="white", va="center", fontsize=9)
    axes.text(side - 3, side / 2, "L", color="white", va="center", ha="right", fontsize=9)


def _draw_lines(figure: Figure, lines: Sequence[str], left_in: float, height_in: float) -> None:
    wrapped = [textwrap.fill(line, 62, subsequent_indent="  ") for line in lines]
    left, top = left_in / WIDTH_IN, 1 - 0.55 / height_in
    figure.text(left, top, "\n".join(wrapped), va="top", fontsize=9, linespacing=1.35)
    patches = [
        Patch(facecolor=colour, edgecolor="black", label=REGION_NAMES[tissue])
        for tissue, colour in style.TISSUE_COLOURS.items()
    ]
    bottom = 1 - (CLOSE_UPS * CLOSE_UP_IN + 0.55) / height_in
    figure.legend(handles=patches, loc="lower left", bbox_to_anchor=(left - 0.005, bottom),
                  fontsize=8, frameon=False)  # fmt: skip


def _draw_overview(axes: Axes, sheet: Sheet, shown: Int[ndarray, " shown"], rows: int) -> None:
    tiles = []
    for z in shown:
        tile = _overlaid(_grey(sheet.images[FLAIR][z], FLAIR), sheet.segmentation[z])
        tiles.append(tile if sheet.examined[z] else DIMMED * tile)
    side = tiles[0].shape[0]
    tiles += [np.ones_like(tiles[0])] * (rows * COLUMNS - len(tiles))
    _show(axes, tiles, COLUMNS)
    for place, z in enumerate(shown):
        row, column = divmod(place, COLUMNS)
        left, top = column * side + 3, row * side + 4
        axes.text(left, top, f"z {z}", color="white", va="top", fontsize=7)
        said, colour = _status(sheet, int(z))
        axes.text(left, top + side - 8, said, color=colour, va="bottom", fontsize=7)


def _status(sheet: Sheet, z: int) -> tuple[str, str]:
    if not sheet.examined[z]:
        return "not examined", OTHER_COLOUR
    return ("", "white") if sheet.flagged[z] else ("not flagged", UNFLAGGED_COLOUR)


def _show(axes: Axes, tiles: Sequence[Shaped[ndarray, "height width 3"]], columns: int) -> int:
    """Draw tiles of one size in rows as one picture, which is quick; return their side."""
    side = tiles[0].shape[0]
    rows = [np.hstack(tiles[first : first + columns]) for first in range(0, len(tiles), columns)]
    axes.imshow(np.vstack(rows), aspect="equal", interpolation="nearest")
    return side


def _grey(image: Float[ndarray, "height width"], sequence: str) -> Float[ndarray, "height width 3"]:
    low, high = _WINDOWS[sequence]
    level = np.clip((image - low) / (high - low), 0, 1)
    return np.repeat(np.where(image == 0, 0, level)[..., None], 3, axis=2)


def _residual_colours(
    residual: Float[ndarray, "height width"],
) -> Float[ndarray, "height width 3"]:
    level = (residual / slices.RESIDUAL_LIMIT + 1) / 2
    return mpl.colormaps[slices.RESIDUAL_MAP](np.clip(level, 0, 1))[..., :3]


def _overlaid(
    picture: Float[ndarray, "height width 3"], labels: UInt8[ndarray, "height width"]
) -> Float[ndarray, "height width 3"]:
    """Return a picture with tissues as thin colour and a full outline."""
    mask = labels > 0
    edge = mask & ~ndimage.binary_erosion(mask)
    strength = np.where(edge, 0.9, np.where(mask, 0.4, 0.0))[..., None]
    return (1 - strength) * picture + strength * slices.label_colours(labels)
