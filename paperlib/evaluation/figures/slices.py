"""Slices side by side, the same scale and colours on every page of the book.

Images are shown in fixed windows of z-scores, so that a brighter panel is a brighter image.
Pixels of exactly 0 are background and black; residuals are red where the image is brighter than
its reconstruction, which is where tumours are expected.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Integer, Real, Shaped
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from numpy import ndarray

from paperlib.evaluation.figures import style
from paperlib.labels import REGION_NAMES, REGIONS

FLAIR_WINDOW = (-2.5, 3.5)  # z units, black to white
T1CE_WINDOW = (-2.5, 4.0)
RESIDUAL_LIMIT = 3.0  # z units; red and blue are full beyond
RESIDUAL_MAP = "RdBu"  # low is red
OUTLINE_COLOUR = "#009E73"
MAX_PANEL_IN = 2.45
MAX_ROWS_IN = 10.5  # all rows together


class Panel(NamedTuple):
    """One picture of a grid.

    Attributes:
        image: A slice: z-scores, a residual in z units, BraTS codes, or a mask.
        kind: A key of `KINDS`.
        title: Above the picture.
        outline: A mask whose border is drawn over the picture, such as the true tumour.
    """

    image: Shaped[ndarray, "height width"]
    kind: str
    title: str = ""
    outline: Bool[ndarray, "height width"] | None = None


def show_grid(
    rows: Sequence[Sequence[Panel | None]], *, row_titles: Sequence[str] = (), note: str = ""
) -> Figure:
    """Return slices in rows and columns, with a legend of labels and the scale of residuals.

    Args:
        rows: Panels of each row; None is an empty place, and a shorter row ends with such.
        row_titles: To the left of each row; none or one a row.
        note: Line under the figure: data, profile, seed, commit.

    Raises:
        ValueError: If a kind is unknown, there is no panel, or the titles do not match the rows.
    """
    _check(rows, row_titles)
    columns = max(map(len, rows))
    side = min(MAX_PANEL_IN, style.PAGE_WIDTH_IN / columns, MAX_ROWS_IN / len(rows))
    kinds = {panel.kind for row in rows for panel in row if panel}
    titled = [any(panel.title for panel in row if panel) for row in rows]
    extra = 0.3 * ("labels" in kinds) + 0.5 * ("residual" in kinds) + style.note_height_in(note)
    height = len(rows) * side + 0.2 * sum(titled) + extra + 0.1
    figure = style.new_figure(height, note=note, compress=True)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    shown: dict[str, AxesImage] = {}
    for place, row in zip(axes, rows, strict=True):
        for axis, panel in zip_longest(place, row):
            if panel:
                shown[panel.kind] = _show(axis, panel)
            else:
                axis.set_axis_off()
    for place, title in zip(axes, row_titles, strict=False):
        place[0].set_ylabel(title, fontsize=9)
    if "residual" in kinds:
        _add_scale(figure, shown["residual"], axes)
    if "labels" in kinds:
        _add_legend(figure)
    return figure


def background_black(
    image: Real[ndarray, "height width"], brain: Bool[ndarray, "height width"]
) -> Real[ndarray, "height width"]:
    """Return an image with 0 outside the brain: networks leave small values there."""
    return np.where(brain, image, 0)


def label_colours(labels: Integer[ndarray, "height width"]) -> Real[ndarray, "height width 3"]:
    """Return BraTS 2018 codes as red, green and blue in 0 to 1; background is black."""
    picture = np.zeros((*labels.shape, 3))
    for tissue, colour in style.TISSUE_COLOURS.items():
        picture[np.isin(labels, REGIONS[tissue])] = to_rgb(colour)
    return picture


def _check(rows: Sequence[Sequence[Panel | None]], row_titles: Sequence[str]) -> None:
    if not any(panel for row in rows for panel in row):
        raise ValueError("There is no panel to show; give at least one row with one panel.")
    if row_titles and len(row_titles) != len(rows):
        raise ValueError(f"{len(row_titles)} row titles for {len(rows)} rows; give one a row.")
    for panel in (panel for row in rows for panel in row if panel):
        if panel.kind not in KINDS:
            raise ValueError(f"Panel kind {panel.kind!r} is unknown; expected {', '.join(KINDS)}.")


def _show(axis: Axes, panel: Panel) -> AxesImage:
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    axis.set_title(panel.title, fontsize=9, pad=3)
    image = KINDS[panel.kind](axis, panel.image)
    if panel.outline is not None and panel.outline.any():
        axis.contour(panel.outline, levels=[0.5], colors=OUTLINE_COLOUR, linewidths=1.2)
    return image


def _show_image(axis: Axes, image: ndarray, window: tuple[float, float]) -> AxesImage:
    black = np.where(image == 0, window[0], image)
    return axis.imshow(black, cmap="gray", vmin=window[0], vmax=window[1])


def _show_residual(axis: Axes, image: ndarray) -> AxesImage:
    limit = RESIDUAL_LIMIT
    return axis.imshow(image.astype(float), cmap=RESIDUAL_MAP, vmin=-limit, vmax=limit)


def _add_scale(figure: Figure, shown: AxesImage, axes: ndarray) -> None:
    scale = figure.colorbar(
        shown, ax=axes, location="bottom", shrink=0.5, aspect=45, pad=0.01, extend="both"
    )
    scale.ax.tick_params(labelsize=8)
    scale.set_label("residual (reconstruction minus image), z units", fontsize=8)


def _add_legend(figure: Figure) -> None:
    patches = [
        Patch(facecolor=colour, edgecolor="black", label=REGION_NAMES[tissue])
        for tissue, colour in style.TISSUE_COLOURS.items()
    ]
    figure.legend(
        handles=patches, loc="outside upper center", ncols=len(patches), fontsize=8, frameon=False
    )


KINDS: Mapping[str, Callable[[Axes, ndarray], AxesImage]] = MappingProxyType(
    {
        "flair": lambda axis, image: _show_image(axis, image, FLAIR_WINDOW),
        "t1ce": lambda axis, image: _show_image(axis, image, T1CE_WINDOW),
        "residual": _show_residual,
        "labels": lambda axis, labels: axis.imshow(label_colours(labels)),
        "mask": lambda axis, mask: axis.imshow(mask, cmap="gray", vmin=0, vmax=1),
    }
)
