"""Which brain pixels are next to which (section 4.3, equation 2).

Neighbours outside the brain do not exist: a pixel at the rim has fewer than eight.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

# The four neighbours that share an edge come first, the four that share a corner last.
_OFFSETS = ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))


class NeighbourTable(NamedTuple):
    """Who is next to whom inside one brain mask; the same for every residual of the slice.

    Attributes:
        pixels: Flat index of each brain pixel in its slice.
        neighbours: For each brain pixel the positions of its eight neighbours in `pixels`;
            the number of brain pixels stands for a neighbour outside the brain.
        counts: Number of neighbours inside the brain.
    """

    pixels: Int[ndarray, " pixel"]
    neighbours: Int[ndarray, "pixel 8"]
    counts: Int[ndarray, " pixel"]


def neighbour_table(brain: Bool[ndarray, "height width"], *, neighbours: int = 8) -> NeighbourTable:
    """List the neighbours inside the brain of each brain pixel.

    Args:
        brain: True inside the brain.
        neighbours: 8 (the paper's) or 4 (those that share an edge).

    Raises:
        ValueError: If `neighbours` is neither 4 nor 8.
    """
    if neighbours not in (4, 8):
        raise ValueError(f"neighbours is {neighbours}; a pixel has 4 or 8 neighbours.")
    framed = np.pad(brain, 1)  # so that a step from any pixel stays in the array
    here = np.flatnonzero(framed)
    outside = here.size
    position = np.full(framed.size, outside, np.int32)
    position[here] = np.arange(outside)
    steps = [down * framed.shape[1] + right for down, right in _OFFSETS[:neighbours]]
    table = np.full((8, outside), outside, np.int32)
    table[:neighbours] = position[here + np.array(steps)[:, None]]
    counts = (table < outside).sum(axis=0)
    return NeighbourTable(np.flatnonzero(brain), np.ascontiguousarray(table.T), counts)
