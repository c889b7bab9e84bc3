"""A run inside a run: networks of its own, patients of the run it belongs to."""

from dataclasses import dataclass, field
from pathlib import Path

from paperlib.pipeline.run import Run

_SHARED = ("cohort", "check", "prepare", "split")


@dataclass(frozen=True, kw_only=True)
class StudyRun(Run):
    """A run with some setting changed.

    Attributes:
        parent: The run it belongs to; its patients and its split are used, so that results are
            of the same patients.
        place: Its folder.
        prepares: Whether it has slices of its own instead of its parent's.
        splits: Whether it has a split of its own.
    """

    parent: Run
    place: Path = field()
    prepares: bool = False
    splits: bool = False

    @property
    def folder(self) -> Path:
        """Where everything of its own lies."""
        return self.place

    @property
    def patients(self) -> Path:
        """Folder of the patients."""
        return self.parent.patients

    def stage(self, name: str) -> Path:
        """Return the folder of a stage, its own or its parent's."""
        own = {"prepare": self.prepares, "split": self.splits}
        if name in _SHARED and not own.get(name, False):
            return self.parent.stage(name)
        return super().stage(name)
