"""What all figures of the book share: width, colours, and the line that says where data comes from.

Colours are those of Okabe and Ito, which people with any common colour vision tell apart.
"""

import io
import textwrap
from collections.abc import Mapping
from types import MappingProxyType

from matplotlib.figure import Figure

PAGE_WIDTH_IN = 7.5  # 750 px on a page
DPI = 150  # sharp on screens with two dots a pixel; the page shows 100
NOTE_SIZE = 7.5  # points
NOTE_LETTERS = 125  # that fit into one line of a note

# Of BraTS labels, on black and on white.
TISSUE_COLOURS: Mapping[str, str] = MappingProxyType(
    {"NCR": "#D55E00", "ED": "#56B4E9", "ET": "#F0E442"}
)
HEALTHY_COLOUR, TUMOUR_COLOUR = "#0072B2", "#D55E00"
BASELINE_COLOUR = "#555555"  # what needs no network
MODEL_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "VAE": "#0072B2",
        "dVAE": "#D55E00",
        "VAE1px": "#009E73",
        "VAE-CE": "#E69F00",
        "AAE": "#56B4E9",
        "BiAAE": "#000000",
    }
)
OTHER_MODEL_COLOUR = "#CC79A7"
LOSS_LINES: Mapping[str, str] = MappingProxyType({"MSE": "-", "SSIM": "--", "L1": ":"})


def colour_of(model: str) -> str:
    """Return the colour of a model of Table 1, or that of all others."""
    return MODEL_COLOURS.get(model, OTHER_MODEL_COLOUR)


class PageFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot and its list of open figures.

    Attributes:
        note: The line drawn under it; also its text where no picture can be shown.
    """

    note = ""

    def __repr__(self) -> str:
        """Return the note, for readers of text and for the line under the figure on a page."""
        return f"Figure: {self.note}" if self.note else "Figure"

    def _repr_png_(self) -> bytes:
        target = io.BytesIO()
        self.savefig(target, format="png", metadata={"Software": None})
        return target.getvalue()


def new_figure(height_in: float, *, note: str = "", compress: bool = False) -> PageFigure:
    """Return an empty figure as wide as a page.

    Args:
        height_in: In inches, the note included.
        note: Line under the figure: data, profile, seed, commit. Broken where it is too long.
        compress: Keep pictures of fixed aspect together, with the free space at the sides.
    """
    figure = PageFigure(figsize=(PAGE_WIDTH_IN, height_in), dpi=DPI)
    figure.set_layout_engine("compressed" if compress else "constrained")
    figure.note = note
    if note:
        lines = textwrap.fill(note, NOTE_LETTERS)
        figure.supxlabel(lines, x=0.01, ha="left", fontsize=NOTE_SIZE, color=BASELINE_COLOUR)
    return figure


def note_height_in(note: str) -> float:
    """Return how much height a note takes, in inches."""
    return 0.14 * len(textwrap.wrap(note, NOTE_LETTERS))
