"""The row that every benchmark returns."""

from typing import NamedTuple


class Row(NamedTuple):
    """Two sides measured in turns in one run; medians.

    Attributes:
        what: What was measured.
        ours: Of the project; seconds, or MiB for memory.
        other: Of the other side.
        ratio: Median of the ratios of pairs.
        limit: What the ratio should not exceed.
    """

    what: str
    ours: float
    other: float
    ratio: float
    limit: float
