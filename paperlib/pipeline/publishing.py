"""From a finished run to pages: put its notebooks and numbers where the book reads them."""

import shutil
from pathlib import Path

from paperlib import artifacts
from paperlib.evaluation import evidence, examples, paper_tables, slice_scores, summary, tables
from paperlib.pipeline.run import NOTEBOOKS, Run
from paperlib.publish import commands, gate, provenance, sphinxext

GATE_RULE = "max_healthy"  # our reading of the paper's "maximum threshold"
REFERENCES = ("phantom", "real36")  # folders under results/reference


def execute(run: Run, name: str) -> None:
    """Execute one notebook with the run's parameters.

    Raises:
        ValueError: If it failed; what it said stands above.
    """
    given = {"profile": run.profile.name, "data": str(run.data or ""), "folds": str(run.folds)}
    source = artifacts.ROOT / gate.SOURCES / f"{name}.py"
    if commands.run_execute(source, _page(run, name), list(given.items())):
        raise ValueError(f"Notebook {name} did not succeed, see above.")


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
    artifacts.write_json(artifacts.ROOT / sphinxext.RESULTS, collect_results(run))
    if commands.run_book(artifacts.ROOT):
        raise ValueError("The book was not built, see above.")


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
    return results


def describe_run(run: Run) -> str:
    """Return Tables 2 and 3 and the conventions of section 5.3 of a run as text."""
    found = evidence.load_evidence(run.require("evidence"), command=run.command)
    method = slice_scores.first_seed(found, *examples.choose_network(found))
    draws = tables.Draws(run.profile.bootstrap_draws)
    note, reading = provenance.one_line(found.provenance), found.provenance["mixture"]["reading"]
    shown = [
        paper_tables.show_table_2(found, target, draws=draws, note=note)
        for target in (tables.OUTLINE, tables.SEMANTIC)
    ]
    shown.append(paper_tables.show_table_3(found, method, draws=draws, note=note, short=True))
    shown.append(
        paper_tables.show_conventions(
            found, method, reading=reading, rule=GATE_RULE, draws=draws, note=note
        )
    )
    return "\n\n".join(table.text for table in shown)


def reference_folder(name: str) -> Path:
    """Return where a committed reference run lies."""
    return artifacts.ROOT / "results" / "reference" / name


def _page(run: Run, name: str) -> Path:
    return run.folder / "notebooks" / f"{name}.ipynb"
