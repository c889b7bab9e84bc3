"""The adversarial scheme: the autoencoder generates, a discriminator judges (Figure 2)."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from paperlib.evaluation.figures import style

ENCODER, DECODER, DISCRIMINATOR = "encoder", "decoder", "discriminator"
PARTS = (ENCODER, DECODER, DISCRIMINATOR)
GENERATOR_COLOUR, JUDGE_COLOUR, LOSS_COLOUR = "#56B4E9", "#E69F00", "#D55E00"
# Centre, width and height of each box in a plane of 100 x 62.
PLACES = {
    "x": (6, 45, 8, 10),
    ENCODER: (25, 45, 20, 24),
    "z": (45, 45, 12, 12),
    DECODER: (65, 45, 20, 24),
    "x_hat": (86, 45, 8, 10),
    DISCRIMINATOR: (57, 12, 26, 22),
    "answer": (86, 12, 16, 10),
}
ARROWS = (
    ("x", ENCODER),
    (ENCODER, "z"),
    ("z", DECODER),
    (DECODER, "x_hat"),
    (DISCRIMINATOR, "answer"),
)


def plot_scheme(layers: Mapping[str, Sequence[str]], *, weight: float) -> Figure:
    """Return the scheme with the layers of its three networks and the losses at their places.

    Args:
        layers: Of `PARTS`, each in order, in the paper's notation.
        weight: Of the adversarial term in the loss of the autoencoder.

    Raises:
        ValueError: If a part is missing.
    """
    if missing := [part for part in PARTS if part not in layers]:
        raise ValueError(f"No layers of {', '.join(missing)}; give those of {', '.join(PARTS)}.")
    figure = style.new_figure(4.7)
    axis = figure.subplots()
    axis.set(xlim=(0, 100), ylim=(-1, 63))
    axis.set_axis_off()
    _frame(axis)
    texts = {"x": "x", "z": "z\nmean μ, sd s", "x_hat": "x̂", "answer": "input or\nreconstruction?"}
    for name, place in PLACES.items():
        network = name in PARTS
        lines = "\n".join(layers[name]) if network else ""
        colour = JUDGE_COLOUR if name == DISCRIMINATOR else GENERATOR_COLOUR
        _box(axis, place, f"{name}\n{lines}" if network else texts[name],
             colour if network else "white")  # fmt: skip
    for start, end in ARROWS:
        _arrow(axis, _edge(start, 1), _edge(end, -1))
    _arrow(axis, (6, 40), (44, 12), bend="angle,angleA=-90,angleB=180")
    _arrow(axis, (86, 40), (70, 19), bend="angle,angleA=-90,angleB=0")
    _losses(axis, weight)
    return figure


def _frame(axis: Axes) -> None:
    axis.add_patch(
        FancyBboxPatch((13, 31), 64, 27, boxstyle="round,pad=0.5", fill=False, linestyle="--")
    )
    axis.text(45, 55, "generator:\nthe VAE", fontsize=9, ha="center", va="center")


def _losses(axis: Axes, weight: float) -> None:
    texts = (
        (45, 61, "reconstruction loss of x̂ against x (MSE, SSIM or L1)"),
        (45, 35.5, "KL divergence"),
        (22, 6.5, "discriminator learns:\n−log D(x) − log(1 − D(x̂))"),
        (40, 27, f"generator hears: −{weight:g} log D(x̂)"),
    )
    for x, y, text in texts:
        axis.text(x, y, text, color=LOSS_COLOUR, fontsize=8, ha="center", va="center")
    _arrow(axis, (57, 23.6), (57, 30.2), loss=True)
    for end in (6, 86):
        _arrow(axis, (45, 59.5), (end, 51), bend="angle,angleA=180,angleB=90", loss=True)


def _box(axis: Axes, place: tuple[int, int, int, int], text: str, colour: str) -> None:
    x, y, width, height = place
    axis.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height,
            boxstyle="round,pad=0.2", facecolor=colour, alpha=0.45, edgecolor="black",
        )
    )  # fmt: skip
    axis.text(x, y, text, ha="center", va="center", fontsize=8, linespacing=1.25)


def _edge(name: str, side: int) -> tuple[float, float | int]:
    x, y, width, _ = PLACES[name]
    return x + side * (width / 2 + 0.4), y


def _arrow(
    axis: Axes,
    start: tuple[float | int, float | int],
    end: tuple[float | int, float | int],
    *,
    bend: str = "arc3",
    loss: bool = False,
) -> None:
    colour, line = (LOSS_COLOUR, "--") if loss else ("black", "-")
    axis.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=11, connectionstyle=bend,
            color=colour, linestyle=line, shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip
