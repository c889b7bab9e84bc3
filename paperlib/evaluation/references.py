"""Committed runs to compare with: the 36 real patients and the full phantom cohort.

A reference is evidence like that of any run. A page shows it when it is there and says so when
it is not; a missing one never stops a page.
"""

from pathlib import Path

from paperlib.evaluation import evidence
from paperlib.evaluation.evidence import Evidence


def load_if_there(folder: Path) -> Evidence | None:
    """Return the evidence of a reference folder, or None where it was not committed.

    Args:
        folder: A folder of `results/reference`.
    """
    if not (folder / "provenance.json").exists():
        return None
    return evidence.load_evidence(folder, command=f"make reference NAME={folder.name}")


def describe(found: Evidence | None, name: str) -> str:
    """Return one line that says what a reference is, or that it is missing.

    Args:
        found: From `load_if_there`.
        name: How a reader knows it, for example "36 real patients".
    """
    if found is None:
        return f"{name}: no reference run in this copy of the project, so nothing is shown."
    facts = found.provenance
    folds = "1 test set" if facts["folds"] == 1 else f"{facts['folds']} folds"
    return (
        f"{name}: {facts['patients']} patients, {found.patients} tested in {folds}, "
        f"{len(found.slices)} test slices, commit {facts['commit']}."
    )
