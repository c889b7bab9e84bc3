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
        count: Number of neighbours inside the brain.
    """

    pixels: Int[ndarray, " pixel"]
    neighbours: Int[ndarray, "pixel 8"]
    count: Int[ndarray, " pixel"]


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
    rows, columns = np.nonzero(brain)
    outside = rows.size
    position = np.full((brain.shape[0] + 2, brain.shape[1] + 2), outside, np.int32)
    position[rows + 1, columns + 1] = np.arange(outside)
    table = np.full((outside, 8), outside, np.int32)
    for k, (down, right) in enumerate(_OFFSETS[:neighbours]):
        table[:, k] = position[rows + 1 + down, columns + 1 + right]
    return NeighbourTable(np.flatnonzero(brain), table, (table < outside).sum(axis=1))
