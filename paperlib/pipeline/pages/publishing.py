"""From a finished run to a book: put its pages and numbers where the book reads them."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from paperlib import artifacts, reasons
from paperlib.evaluation import evidence, tables
from paperlib.evaluation.comparisons import ablations, beyond, choices, learning
from paperlib.evaluation.networks import costs, training_length
from paperlib.evaluation.texts import summary
from paperlib.pipeline.method.results import gather
from paperlib.pipeline.pages import notebooks, provenance_page, viewer
from paperlib.pipeline.run import NOTEBOOKS, Run
from paperlib.publish import commands, gate, provenance
from paperlib.publish.book import origins, sphinxext

log = logging.getLogger(__name__)

RECORD = "_build/made_from.json"  # of the last book, under the book's root
FIRST_PAGE = f"{commands.HTML}/index.html"
REFERENCES = ("phantom", "real36")  # folders under results/reference


def publish(run: Run) -> None:
    """Build the book of a run from clean, if every page is what it would be if made now.

    The last book stays until the next one is whole, and for good if nothing changed.

    Raises:
        ValueError: If the gate refuses a page or the build has a warning; both are named above.
    """
    gather(run)  # a stage made again by hand makes pages stale, through the evidence
    references = notebooks.hash_references()
    made_from = {name: notebooks.describe_origin(run, name, references) for name in NOTEBOOKS}
    sources = {source.name: source for source in map(notebooks.source_of, NOTEBOOKS)}
    refused = [
        refusal
        for name in NOTEBOOKS
        for refusal in gate.check_notebook(notebooks.page_of(run, name), sources, made_from[name])
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
    book, record = _describe_book(run), artifacts.ROOT / RECORD
    known = artifacts.read_json(record) if record.exists() else None
    change, first_page = reasons.explain(known, book), artifacts.ROOT / FIRST_PAGE
    if not change and first_page.exists():
        log.info("book: nothing changed")
        first_page.touch()  # newer than what it is made from, as Snakemake wants it
        return
    log.info("book: built because %s", change or "its first page was taken away")
    _put_together(run, made_from)
    if commands.run_book(artifacts.ROOT):
        raise ValueError("The book was not built, see above.")
    artifacts.write_json(record, book)


def _put_together(run: Run, made_from: Mapping[str, gate.Origin]) -> None:
    """Put what the book is built from where the build looks for it; nothing else stays there."""
    executed = artifacts.ROOT / gate.EXECUTED
    shutil.rmtree(executed, ignore_errors=True)
    executed.mkdir(parents=True)
    for name in NOTEBOOKS:
        shutil.copyfile(notebooks.page_of(run, name), executed / f"{name}.ipynb")
    known = load_known(run)
    artifacts.write_json(artifacts.ROOT / sphinxext.RESULTS, collect_results(run, known))
    viewer.write_viewer(run, known[origins.THIS_RUN], artifacts.ROOT)
    page = provenance_page.write(run, known, reference_folder(""), other_origins())
    (artifacts.ROOT / f"{origins.PAGE}.md").write_text(page, encoding="utf-8")
    notes = {name: origin._asdict() for name, origin in made_from.items()}
    artifacts.write_json(artifacts.ROOT / gate.BOOK, notes)


def _describe_book(run: Run) -> dict[str, Mapping[str, object]]:
    root = artifacts.ROOT
    written = [root / "_config.yml", root / "_toc.yml"]
    for folder in ("book", "book/static", "book/code"):
        written += sorted((root / folder).glob("*.*"))
    files = [*written, *(notebooks.page_of(run, name) for name in NOTEBOOKS)]
    hashes = {file.name: notebooks.hash_files([file]) for file in files}
    code = {"paperlib": notebooks.hash_files(sorted((root / "paperlib").rglob("*.py")))}
    return {
        "settings": {"run": run.name},
        "upstream": hashes | notebooks.hash_references(),
        "code": code,
    }


def load_known(run: Run) -> dict[str, evidence.Evidence]:
    """Return the evidence of a run, under "run", and of the reference runs in this copy."""
    found = evidence.load_evidence(run.require("evidence"), command=run.command)
    folders = sorted(file.parent for file in reference_folder("").glob("*/provenance.json"))
    return {origins.THIS_RUN: found} | {
        folder.name: evidence.load_evidence(folder, command=f"make reference NAME={folder.name}")
        for folder in folders
    }


def load_beyond(name: str, found: evidence.Evidence | None) -> beyond.Beyond | None:
    """Return the rows of `make beyond` beside a reference run; None where there are none."""
    return beyond.load_beyond(reference_folder(f"beyond/{name}"), found)


def describe_trainings(name: str) -> str:
    """Return in words where the rows of other trainings are from; nothing where none are."""
    folder = reference_folder(f"beyond/{name}") / beyond.TRAININGS
    files = sorted(folder.glob(f"*/{artifacts.PROVENANCE}"))
    lines = [provenance.one_line(artifacts.read_json(file)) for file in files]
    return "; ".join(f"{f.parent.name}: {line}" for f, line in zip(files, lines, strict=True))


def load_learning(name: str) -> learning.Learning | None:
    """Return the rows of `make curve` of a reference run; None where there are none."""
    return learning.load_learning(reference_folder(f"beyond/{name}"))


def summarise_beyond(name: str, found: evidence.Evidence, draws: tables.Draws) -> dict[str, float]:
    """Return the numbers of `make beyond` for prose; nothing where there are no rows."""
    more = load_beyond(name, found)
    if more is None:
        return {}
    return beyond.summarise(more, prefix=name, draws=draws) | choices.summarise(
        more, prefix=name, draws=draws
    )


def collect_results(run: Run, known: Mapping[str, evidence.Evidence]) -> summary.Summary:
    """Return every number that prose may show: the paper's, this run's, the references'.

    Args:
        run: The run that the book shows.
        known: From `load_known`.
    """
    draws = tables.Draws()
    results = summary.paper_summary() | summary.band_summary()
    for name in (origins.THIS_RUN, *REFERENCES):
        if name in known:
            results |= summary.summarise(known[name], prefix=name, draws=draws)
        if name in known and name != origins.THIS_RUN:
            results |= summary.measured_summary(known[name], prefix=name)
            results |= summarise_beyond(name, known[name], draws)
    own = training_length.of_run(known[origins.THIS_RUN])
    said = {name: provenance.one_line(found.provenance) for name, found in known.items()}
    results |= {
        f"{name}.{origins.ORIGIN_KEY}": line for name, line in (said | other_origins()).items()
    }
    lengths = training_length.describe_origin(own)
    results[f"{origins.THIS_RUN}.{origins.ORIGIN_KEY}_of_lengths"] = lengths
    return results | _costs()


def other_origins() -> dict[str, str]:
    """Return where the ablation rows and the long trainings in this copy come from."""
    said = {}
    rows = ablations.load_rows(reference_folder("ablations"))
    if rows:
        said["ablations"] = ablations.describe_origin(rows)
    for file in sorted(reference_folder("length").glob("*/provenance.json")):
        lengths = training_length.load_lengths(file.parent)
        if lengths:
            said[f"length-{file.parent.name}"] = training_length.describe_origin(lengths)
    return said


def reference_folder(name: str) -> Path:
    """Return where a committed reference run lies."""
    return artifacts.ROOT / "results" / "reference" / name


def _costs() -> summary.Summary:
    """Return what the whole paper costs: times of the phantom, which has all models."""
    files = [reference_folder(name) / artifacts.PROVENANCE for name in REFERENCES]
    if not all(file.exists() for file in files):
        return {}
    return costs.summarise_costs(*map(artifacts.read_json, files))
