"""Reproducible companion to a 2019 paper on unsupervised brain tumour segmentation in MRI.

`paperlib.segment(flair, t1ce, model)` segments one patient as the paper does, see
`paperlib.pipeline.new_patients.one_patient`; `paperlib.segment_beyond(flair, t1ce, model,
method="synthetic")` by a method beyond it, see `paperlib.pipeline.new_patients.beyond_patient`.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paperlib.pipeline.new_patients.beyond_patient import segment as segment_beyond
    from paperlib.pipeline.new_patients.one_patient import segment as segment

    __all__ = ["segment", "segment_beyond"]

_HOMES = {"segment": "one_patient", "segment_beyond": "beyond_patient"}


def __getattr__(name: str) -> object:
    """Import a function when it is asked for: `import paperlib` need not wait for torch."""
    if name in _HOMES:
        return importlib.import_module(f"paperlib.pipeline.new_patients.{_HOMES[name]}").segment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
