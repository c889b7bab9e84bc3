"""From a finished run to pages: put its notebooks and numbers where the book reads them."""

import hashlib
import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from paperlib import artifacts, reasons
from paperlib.evaluation import costs, evidence, summary, tables
from paperlib.pipeline.results import gather
from paperlib.pipeline.run import NOTEBOOKS, Run
from paperlib.publish import commands, gate, parameters, sphinxext
from paperlib.publish.origin import code_used

log = logging.getLogger(__name__)

RECORD = "_build/made_from.json"  # of the last book, under the book's root
REFERENCES = ("phantom", "real36")  # folders under results/reference


def execute(run: Run, name: str) -> bool:
    """Execute one notebook with the run's parameters unless its page is still what it would be.

    Returns:
        Whether it was executed.

    Raises:
        ValueError: If it failed; what it said stands above.
    """
    source, page = _source(name), _page(run, name)
    origin = describe_origin(run, name, hash_references())
    refused = gate.check_notebook(page, {source.name: source}, origin)
    if not refused:
        log.info("%s: nothing changed", page.stem)
        return False
    reason = refused[0].reason.partition("; run `")[0] if page.exists() else reasons.NOT_MADE
    log.info("%s: runs because %s", page.stem, reason)
    for left in page.parent.glob(f".{name}-*"):  # of an execution that was killed
        shutil.rmtree(left, ignore_errors=True)
    if commands.run_execute(source, page, list(_given(run).items()), origin=origin):
        raise ValueError(f"Notebook {name} did not succeed, see above.")
    return True


def describe_origin(run: Run, name: str, references: Mapping[str, str]) -> gate.Origin:
    """Return what a page of a run is made from.

    Args:
        run: The run.
        name: Of the page.
        references: From `hash_references`, which reads many files and is the same for all pages.
    """
    source = _source(name)
    declared = parameters.read_parameters(source)
    given = parameters.check_parameters(_given(run), declared)
    evidence_made = artifacts.require(run.stage("evidence"), command=run.command)
    return gate.Origin(
        settings={key: one.default for key, one in declared.items()} | given,
        upstream={
            "evidence": evidence_made["content"],
            **evidence_made["upstream"],
            **references,
        },
        code=code_used(source),
        command=f"{run.stage_command} notebook {name}",
    )


def publish(run: Run) -> None:
    """Build the book of a run from clean, if every page is what it would be if made now.

    Raises:
        ValueError: If the gate refuses a page or the build has a warning; both are named above.
    """
    gather(run)  # a stage made again by hand makes pages stale, through the evidence
    references = hash_references()
    origins = {name: describe_origin(run, name, references) for name in NOTEBOOKS}
    sources = {source.name: source for source in map(_source, NOTEBOOKS)}
    refused = [
        refusal
        for name in NOTEBOOKS
        for refusal in gate.check_notebook(_page(run, name), sources, origins[name])
    ]
    for refusal in refused:
        log.error("%s", refusal)
        marker = run.folder / "done" / "notebook" / refusal.path.stem
        marker.unlink(missing_ok=True)  # so that the workflow looks at the page again
    if refused:
        raise ValueError(
            f"The book was not built: {len(refused)} reasons against it, see above. "
            f"Look at these pages; `{run.command}` then makes them anew."
        )
    made_from, record = _describe_book(run), artifacts.ROOT / RECORD
    known = artifacts.read_json(record) if record.exists() else None
    change = reasons.explain(known, made_from)
    log.info("book: built because %s", change or "its first page was taken away")
    _put_together(run, origins)
    if commands.run_book(artifacts.ROOT):
        raise ValueError("The book was not built, see above.")
    artifacts.write_json(record, made_from)


def _put_together(run: Run, origins: Mapping[str, gate.Origin]) -> None:
    """Put what the book is built from where the build looks for it; nothing else stays there."""
    executed = artifacts.ROOT / gate.EXECUTED
    shutil.rmtree(executed, ignore_errors=True)
    shutil.rmtree(artifacts.ROOT / "_build", ignore_errors=True)
    executed.mkdir(parents=True)
    for name in NOTEBOOKS:
        shutil.copyfile(_page(run, name), executed / f"{name}.ipynb")
    artifacts.write_json(artifacts.ROOT / sphinxext.RESULTS, collect_results(run))
    notes = {name: origin._asdict() for name, origin in origins.items()}
    artifacts.write_json(artifacts.ROOT / gate.BOOK, notes)


def _describe_book(run: Run) -> dict[str, Mapping[str, object]]:
    root = artifacts.ROOT
    written = [root / "_config.yml", root / "_toc.yml", *(root / "book").glob("*.*")]
    written += (root / "book" / "static").glob("*.css")
    files = [*written, *(_page(run, name) for name in NOTEBOOKS)]
    hashes = {file.name: _hash_files([file]) for file in files}
    return {"settings": {"run": run.name}, "upstream": hashes, "code": {}}


def hash_references() -> dict[str, str]:
    """Return a hash of each folder of committed results: pages show them beside the run."""
    found: dict[str, list[Path]] = {}
    for file in sorted((artifacts.ROOT / "results" / "reference").rglob("*.*")):
        if file.suffix in (".csv", ".json"):
            found.setdefault(file.parent.relative_to(artifacts.ROOT).as_posix(), []).append(file)
    return {folder: _hash_files(files) for folder, files in found.items()}


def _hash_files(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + b" " + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:16]


def collect_results(run: Run) -> summary.Summary:
    """Return every number that prose may show: the paper's, this run's, the references'."""
    draws = tables.Draws(run.profile.bootstrap_draws)
    found = evidence.load_evidence(run.require("evidence"), command=run.command)
    results = summary.paper_summary() | summary.summarise(found, prefix="run", draws=draws)
    for name in REFERENCES:
        folder = reference_folder(name)
        if (folder / "provenance.json").exists():
            reference = evidence.load_evidence(folder, command=f"make reference NAME={name}")
            results |= summary.summarise(reference, prefix=name, draws=draws)
    return results | _costs()


def _costs() -> summary.Summary:
    """Return what the whole paper costs: times of the phantom, which has all models."""
    files = [reference_folder(name) / "provenance.json" for name in REFERENCES]
    if not all(file.exists() for file in files):
        return {}
    return costs.summarise_costs(*map(artifacts.read_json, files))


def reference_folder(name: str) -> Path:
    """Return where a committed reference run lies."""
    return artifacts.ROOT / "results" / "reference" / name


def _given(run: Run) -> dict[str, str]:
    return {"profile": run.profile.name, "data": str(run.data or ""), "folds": str(run.folds)}


def _source(name: str) -> Path:
    return artifacts.ROOT / gate.SOURCES / f"{name}.py"


def _page(run: Run, name: str) -> Path:
    return run.folder / "notebooks" / f"{name}.ipynb"
