"""Reproducible companion to a 2019 paper on unsupervised brain tumour segmentation in MRI.

`paperlib.segment(flair, t1ce, model)` segments one patient, see
`paperlib.pipeline.new_patients.one_patient`.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paperlib.pipeline.new_patients.one_patient import segment as segment


def __getattr__(name: str) -> object:
    """Import `segment` when it is asked for: `import paperlib` need not wait for torch."""
    if name == "segment":
        return importlib.import_module("paperlib.pipeline.new_patients.one_patient").segment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
