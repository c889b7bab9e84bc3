"""From a finished run to pages: put its notebooks and numbers where the book reads them."""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from paperlib import artifacts
from paperlib.evaluation import ablations, evidence, summary, tables, training_length
from paperlib.pipeline import provenance_page
from paperlib.pipeline.run import NOTEBOOKS, Run
from paperlib.publish import commands, gate, origins, provenance, sphinxext

REFERENCES = ("phantom", "real36")  # folders under results/reference


def execute(run: Run, name: str) -> None:
    """Execute one notebook with the run's parameters; note beside it by which code and how long.

    Raises:
        ValueError: If it failed; what it said stands above.
    """
    given = {"profile": run.profile.name, "data": str(run.data or ""), "folds": str(run.folds)}
    source = artifacts.ROOT / gate.SOURCES / f"{name}.py"
    began = time.perf_counter()
    if commands.run_execute(source, _page(run, name), list(given.items())):
        raise ValueError(f"Notebook {name} did not succeed, see above.")
    took = round(time.perf_counter() - began, 2)
    made = {"seconds": took, "commit": provenance.commit(), "versions": provenance.versions()}
    artifacts.write_json(_page(run, name).with_suffix(provenance_page.MADE), made)


def publish(run: Run) -> None:
    """Build the book of a run from clean.

    Raises:
        FileNotFoundError: If a notebook was not executed; names the command.
        ValueError: If the build has a warning or the gate refuses a notebook.
    """
    executed = artifacts.ROOT / gate.EXECUTED
    shutil.rmtree(executed, ignore_errors=True)
    shutil.rmtree(artifacts.ROOT / "_build", ignore_errors=True)
    executed.mkdir(parents=True)
    for name in NOTEBOOKS:
        source = _page(run, name)
        if not source.exists():
            raise FileNotFoundError(f"Notebook {name} was not executed; run `{run.command}`.")
        shutil.copyfile(source, executed / source.name)
    known = load_known(run)
    artifacts.write_json(artifacts.ROOT / sphinxext.RESULTS, collect_results(run, known))
    page = provenance_page.write(run, known, reference_folder(""), other_origins())
    (artifacts.ROOT / f"{origins.PAGE}.md").write_text(page, encoding="utf-8")
    if commands.run_book(artifacts.ROOT):
        raise ValueError("The book was not built, see above.")


def load_known(run: Run) -> dict[str, evidence.Evidence]:
    """Return the evidence of a run, under "run", and of the reference runs in this copy."""
    found = evidence.load_evidence(run.require("evidence"), command=run.command)
    folders = sorted(file.parent for file in reference_folder("").glob("*/provenance.json"))
    return {origins.THIS_RUN: found} | {
        folder.name: evidence.load_evidence(folder, command=f"make reference NAME={folder.name}")
        for folder in folders
    }


def collect_results(run: Run, known: Mapping[str, evidence.Evidence]) -> summary.Summary:
    """Return every number that prose may show: the paper's, this run's, the references'.

    Args:
        run: The run that the book shows.
        known: From `load_known`.
    """
    draws = tables.Draws(run.profile.bootstrap_draws)
    results = summary.paper_summary()
    for name in (origins.THIS_RUN, *REFERENCES):
        if name in known:
            results |= summary.summarise(known[name], prefix=name, draws=draws)
    own = training_length.of_run(known[origins.THIS_RUN])
    said = {name: provenance.one_line(found.provenance) for name, found in known.items()}
    results |= {
        f"{name}.{origins.ORIGIN_KEY}": line for name, line in (said | other_origins()).items()
    }
    lengths = training_length.describe_origin(own)
    return results | {f"{origins.THIS_RUN}.{origins.ORIGIN_KEY}_of_lengths": lengths}


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


def _page(run: Run, name: str) -> Path:
    return run.folder / "notebooks" / f"{name}.ipynb"
