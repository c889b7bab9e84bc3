"""The networks of synthetic lesions on one new patient; imports torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float16, Float32
from numpy import ndarray
from safetensors.torch import load_file

from paperlib.labels import SEQUENCES
from paperlib.models import lesion_unet


def logits(
    weights: Sequence[Path], images: Mapping[str, Float32[ndarray, "slice height width"]]
) -> list[Float16[ndarray, "slice height width"]]:
    """Return what each network says of a patient's slices, as precisely as the stage keeps it.

    Args:
        weights: File of each network.
        images: Z-scores of FLAIR and T1CE.
    """
    stack = np.stack([images[sequence] for sequence in SEQUENCES], axis=1)
    found = []
    for file in weights:
        model = lesion_unet.build_lesion_unet(seed=0)
        model.load_state_dict(load_file(file))
        found.append(lesion_unet.lesion_logits(model, stack).astype(np.float16))
    return found
