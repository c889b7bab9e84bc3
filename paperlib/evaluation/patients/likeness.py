"""Whether a patient is like those that a method learned from: intensities and field of view.

Each image is z-scored by its own mean and deviation, so a factor or an offset does not show;
another curve of intensities, another contrast or a missing part of the brain does. No label is
looked at, and a tumour alone must not make a patient unusual: the patients compared with have
tumours, too. A slight change of the curve stays unnoticed: patients differ more.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from paperlib.labels import FLAIR, SEQUENCES, T1CE

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
DARK = "share of the darkest FLAIR where T1CE is darkest, too"
SLICES = "examined slices"
BRAIN = "share of brain in an examined slice"
MIRRORED = "share of brain that is brain in the mirrored slice"
LOST = "share of brain outside the window"
DARKEST = 0.05  # of the brain: fluid, which is dark in both
MARGIN = 0.25  # of the width of a range, which a few patients underrate
LEAST: Mapping[str, float] = MappingProxyType(
    {DARK: 0.1, SLICES: 3.0, BRAIN: 0.03, MIRRORED: 0.03, LOST: 0.005}
)  # smallest distance from a range that is worth a word
LEAST_QUANTILE = 0.1  # the same of a quantile, z units


class Unusual(NamedTuple):
    """One way in which a patient is unlike the others.

    Attributes:
        what: Key of `measure`.
        value: Of the patient.
        low: Smallest value of the others.
        high: Their largest.
    """

    what: str
    value: float
    low: float
    high: float

    @property
    def distance(self) -> float:
        """How far the value lies outside the range, in its unit."""
        return max(self.low - self.value, self.value - self.high, 0.0)

    def describe(self) -> str:
        """Return value, range and distance in words."""
        side = "below" if self.value < self.low else "above"
        return (
            f"{self.what}: {self.value:.3g}, {self.distance:.2g} {side} the training patients' "
            f"{self.low:.3g} to {self.high:.3g}"
        )


def measure(
    images: Mapping[str, Float[ndarray, "slice height width"]],
    brain: Bool[ndarray, "slice height width"],
    *,
    lost_brain_share: float,
) -> dict[str, float]:
    """Return what one patient's examined slices are like, by name.

    Args:
        images: Z-scores of FLAIR and T1CE.
        brain: True inside the brain.
        lost_brain_share: Of the brain, outside the window; 0 to 1.
    """
    inside = {sequence: images[sequence][brain] for sequence in SEQUENCES}
    found = {
        f"{sequence.upper()}, {100 * level:g} % quantile": float(value)
        for sequence, values in inside.items()
        for level, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True)
    }
    dark = {name: values <= np.quantile(values, DARKEST) for name, values in inside.items()}
    found[DARK] = float(dark[T1CE][dark[FLAIR]].mean())
    found[SLICES] = float(len(brain))
    found[BRAIN] = float(brain.mean())
    found[MIRRORED] = float(brain[..., ::-1][brain].mean())
    found[LOST] = lost_brain_share
    return found


def compare(patient: Mapping[str, float], others: Mapping[str, Sequence[float]]) -> list[Unusual]:
    """Return what is unusual about a patient, the most unusual first.

    A value is unusual when it lies outside the others' range by more than `MARGIN` of the
    range's width, and by more than `LEAST`.

    Args:
        patient: From `measure`.
        others: The same values of each of the patients compared with, in any order.

    Raises:
        KeyError: If the others were measured in another way.
    """
    found = {}
    for what, value in patient.items():
        one = Unusual(what, value, min(others[what]), max(others[what]))
        allowed = max(MARGIN * (one.high - one.low), LEAST.get(what, LEAST_QUANTILE))
        if one.distance > allowed:
            found[one] = one.distance / allowed
    return sorted(found, key=lambda one: -found[one])
