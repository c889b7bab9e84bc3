"""The words of BraTS: sequences, tissue labels and the regions scored (sections 3 and 4).

The codes are those of BraTS 2018; readers map every other convention to them at the door.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Integer
from numpy import ndarray

FLAIR = "flair"
T1CE = "t1ce"
SEQUENCES = (FLAIR, T1CE)

BACKGROUND = 0
CORE = 1
EDEMA = 2
ENHANCING = 4
LABELS = (CORE, EDEMA, ENHANCING)

REGIONS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "WT": (CORE, EDEMA, ENHANCING),
        "TC": (CORE, ENHANCING),
        "ET": (ENHANCING,),
        "NCR": (CORE,),
        "ED": (EDEMA,),
    }
)
REGION_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "WT": "whole tumour",
        "TC": "tumour core",
        "ET": "enhancing tumour",
        "NCR": "necrotic and non-enhancing core",
        "ED": "edema",
    }
)
SHOWN_REGION: Mapping[str, str] = MappingProxyType({FLAIR: "WT", T1CE: "ET"})  # section 4
TISSUES = ("NCR", "ED", "ET")  # the three labels averaged in the paper's semantic score


def region_mask(labels: Integer[ndarray, "..."], region: str) -> Bool[ndarray, "..."]:
    """Return where `labels` belong to `region`.

    Args:
        labels: BraTS 2018 codes (0, 1, 2, 4), any shape.
        region: A key of `REGIONS`.

    Raises:
        KeyError: If the region is unknown.
    """
    return np.isin(labels, REGIONS[region])
