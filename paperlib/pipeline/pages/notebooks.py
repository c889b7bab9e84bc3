"""The executed pages of a run: each a notebook with the run's parameters, executed when needed."""

import hashlib
import logging
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from paperlib import artifacts, reasons
from paperlib.pipeline.pages import provenance_page
from paperlib.pipeline.run import Run, check_choices
from paperlib.pipeline.sweeps.plan import split_name, sweep_folder
from paperlib.publish import commands, gate, parameters, provenance
from paperlib.publish.execute import NotebookError
from paperlib.publish.used_code import code_used

log = logging.getLogger(__name__)


def execute(run: Run, name: str) -> bool:
    """Execute one notebook with the run's parameters unless its page is still what it would be.

    By which code and in what time is noted beside the page.

    Args:
        run: The run.
        name: Of the notebook; or of a sweep and of the notebook with further parameters, as in
            "sweep/05_postprocessing,reading=both", which lies with the sweep.

    Returns:
        Whether it was executed.

    Raises:
        ValueError: If it failed; names the cell and what it said.
    """
    sweep, _, named = name.rpartition("/")
    notebook, more = split_name(named)
    page = sweep_folder(run, sweep) / f"{named}.ipynb" if sweep else page_of(run, name)
    source, origin = source_of(notebook), describe_origin(run, name, hash_references())
    refused = gate.check_notebook(page, {source.name: source}, origin)
    if not refused:
        log.info("%s: nothing changed", page.stem)
        return False
    reason = refused[0].reason.partition("; run `")[0] if page.exists() else reasons.NOT_MADE
    log.info("%s: runs because %s", page.stem, reason)
    for left in page.parent.glob(f".{named}-*"):  # of an execution that was killed
        shutil.rmtree(left, ignore_errors=True)
    began = time.perf_counter()
    try:
        check = check_choices if more else None  # what the run itself gives fits
        commands.execute(source, page, _given(run) | more, check, origin)
    except NotebookError as error:
        raise ValueError(str(error)) from error
    took = round(time.perf_counter() - began, 2)
    made = {"seconds": took, "commit": provenance.commit(), "versions": provenance.versions()}
    artifacts.write_json(page.with_suffix(provenance_page.MADE), made)
    return True


def describe_origin(run: Run, name: str, references: Mapping[str, str]) -> gate.Origin:
    """Return what a page of a run, or of a sweep in it, is made from.

    Args:
        run: The run.
        name: Of the page.
        references: From `hash_references`, which reads many files and is the same for all pages.
    """
    notebook, more = split_name(name.rpartition("/")[2])
    source = source_of(notebook)
    declared = parameters.read_parameters(source)
    given = parameters.check_parameters(_given(run) | more, declared)
    evidence_made = artifacts.require(run.stage("evidence"), command=run.command)
    return gate.Origin(
        settings={key: one.default for key, one in declared.items()} | given,
        upstream={"evidence": evidence_made["content"], **evidence_made["upstream"], **references},
        code=code_used(source),
        command=f"{run.stage_command} notebook {name}",
    )


def page_of(run: Run, name: str) -> Path:
    """Return where the executed page of a notebook lies."""
    return run.folder / "notebooks" / f"{name}.ipynb"


def source_of(name: str) -> Path:
    """Return where the source of a notebook lies."""
    return artifacts.ROOT / gate.SOURCES / f"{name}.py"


def hash_files(files: Iterable[Path]) -> str:
    """Return one hash of the names and contents of some files."""
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + b" " + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:16]


def hash_references() -> dict[str, str]:
    """Return a hash of each folder of committed results: pages show them beside the run."""
    found: dict[str, list[Path]] = {}
    for file in sorted((artifacts.ROOT / "results" / "reference").rglob("*.*")):
        if file.suffix in (".csv", ".json"):
            found.setdefault(file.parent.relative_to(artifacts.ROOT).as_posix(), []).append(file)
    return {folder: hash_files(files) for folder, files in found.items()}


def _given(run: Run) -> dict[str, str]:
    return {"profile": run.profile.name, "data": str(run.data or ""), "folds": str(run.folds)}
