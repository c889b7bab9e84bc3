"""`paperlib sweep`: what is refused before it starts, and the table after Snakemake has ended.

Snakemake trains and runs everything; a job that fails stops no other. The table is written under
`sweeps/<name>` of the run, whatever became of the jobs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pandas as pd

from paperlib import artifacts
from paperlib.evaluation import tables
from paperlib.labels import SEQUENCES
from paperlib.pipeline.combinations import Combination, refuse_impossible, setting_of
from paperlib.pipeline.machine import progress
from paperlib.pipeline.run import Run, check_choices, open_run
from paperlib.pipeline.sweeps import plan
from paperlib.pipeline.sweeps.plan import RUN_KEYS, Sweep, sweep_folder
from paperlib.pipeline.sweeps.rows import ROW, row_folder
from paperlib.publish import commands, provenance
from paperlib.publish.parameters import (
    UsageError,
    check_parameters,
    check_together,
    read_parameters,
)

DONE, FAILED, UNFINISHED = "done", "failed", "not finished"
CELLS = (tables.OUTLINE, tables.SEMANTIC, "auroc")
COSTS = ("epochs", "seconds")
MEASURED = (*(f"{cell}{end}" for cell in CELLS for end in ("", "_low", "_high")), *COSTS)
TABLES = {"networks": "Networks", "notebooks": "Notebooks"}  # name of the CSV, heading


class Report(NamedTuple):
    """What became of a sweep.

    Attributes:
        networks: One row a combination.
        notebooks: One row an execution of the notebook.
        errors: What failed: the combination and job, and what it said.
    """

    networks: pd.DataFrame
    notebooks: pd.DataFrame
    errors: dict[str, str]

    @property
    def complete(self) -> bool:
        """Whether all of it is done."""
        return all((table["status"] == DONE).all() for table in self[:2] if len(table))


def open_sweep(sweep: Sweep, **asked: Any) -> Run:
    """Return the run of a sweep, after all that can be refused has been looked at.

    Args:
        sweep: From its file.
        asked: profile, data and folds of the command line; what is empty is as in the file.

    Raises:
        UsageError: If the run, a combination or a parameter of the notebook is impossible.
    """
    chosen = {key: asked.get(key) or sweep.run[key] for key in RUN_KEYS}
    if not chosen["profile"]:
        raise UsageError("The sweep names no profile; add `profile: smoke`, or use --profile.")
    try:
        check_choices(chosen)
        run = open_run(**chosen)
        for combination in plan.combinations(sweep, run):
            refuse_impossible(run, combination)
    except (TypeError, ValueError, NotADirectoryError) as error:
        raise UsageError(str(error)) from error
    _refuse_parameters(sweep, chosen)
    return run


def report(sweep: Sweep, run: Run, *, failed: bool) -> Report:
    """Return what became of a sweep and write it as CSV and Markdown.

    Args:
        sweep: From its file.
        run: That it belongs to.
        failed: Whether Snakemake says that a job failed; else what is noted is from earlier.
    """
    failures = progress.read_failures(run) if failed else {}
    networks = [_network_line(sweep, run, one, failures) for one in plan.combinations(sweep, run)]
    notebooks = [
        _notebook_line(run, sweep, name, values, failures)
        for name, values in plan.notebook_runs(sweep).items()
    ]
    found = Report(pd.DataFrame(networks), pd.DataFrame(notebooks), failures)
    folder = sweep_folder(run, sweep.name)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in zip(TABLES, found[:2], strict=True):
        if len(table):
            artifacts.save_table(folder, name, table)
    (folder / "table.md").write_text(_markdown(sweep, run, found), encoding="utf-8")
    return found


def describe(sweep: Sweep, run: Run, found: Report) -> list[str]:
    """Return the lines that a person reads at the end."""
    lines = []
    for table in found[:2]:
        if len(table):
            lines += ["", shown(table).to_string(index=False)]
    for job, message in found.errors.items():
        lines += ["", f"Failed: {unquote(job)}", *(f"  {line}" for line in message.splitlines())]
    place = sweep_folder(run, sweep.name)
    if place.is_relative_to(artifacts.ROOT):
        place = place.relative_to(artifacts.ROOT)
    return [*lines, "", f"The table: {place}/table.md"]


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table for people: intervals beside their values, few digits, no empty cell."""
    found = table.copy()
    for name in (cell for cell in CELLS if cell in found):
        ends = found.pop(f"{name}_low"), found.pop(f"{name}_high")
        found[name] = [
            "" if pd.isna(value) else f"{value:.3f} [{low:.3f}, {high:.3f}]"
            for value, low, high in zip(found[name], *ends, strict=True)
        ]
    for name in COSTS:
        if name in found:
            found[name] = ["" if pd.isna(value) else f"{value:.0f}" for value in found[name]]
    for name in found.select_dtypes("float"):  # a setting
        found[name] = [f"{value:g}" for value in found[name]]
    return found.astype(object).where(found.notna(), "")


def _refuse_parameters(sweep: Sweep, chosen: Mapping[str, Any]) -> None:
    if not sweep.notebook:
        return
    source = commands.find_source(Path(sweep.notebook))
    declared = read_parameters(source)
    of_run = [name for name in sweep.parameters if name in RUN_KEYS]
    if of_run:
        raise UsageError(f"{of_run[0]} is no parameter of a sweep; it is a key of its own.")
    usual = {name: parameter.default for name, parameter in declared.items()}
    for values in plan.notebook_runs(sweep).values():
        read = check_parameters({**chosen, **_texts(values)}, declared)
        check_together(usual | read, check_choices)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as a job is told them."""
    return {name: str(value) for name, value in values.items()}


def _network_line(
    sweep: Sweep, run: Run, combination: Combination, failures: Mapping[str, str]
) -> dict[str, Any]:
    folder = row_folder(run, combination)
    pairs = [combination.pair(fold) for fold in range(run.folds)]
    trained = [combination.trained().pair(fold) for fold in range(run.folds)]
    jobs = [f"network {pair}/{sequence}" for pair in trained for sequence in SEQUENCES]
    jobs += [*(f"segment {pair}" for pair in pairs), f"row {combination.name}"]
    made = (run.folder / "done" / "row" / combination.name).exists()
    measured = artifacts.read_json(folder / ROW) if made else {}
    return {
        "model": combination.model,
        "loss": combination.loss,
        "seed": combination.seed,
        **{name: setting_of(run, combination, name) for name in sweep.settings},
        **{name: measured.get(name) for name in MEASURED},
        "status": _status(made, jobs, failures),
    }


def _notebook_line(
    run: Run, sweep: Sweep, name: str, values: Mapping[str, Any], failures: Mapping[str, str]
) -> dict[str, Any]:
    made = (run.folder / "done" / "sweep" / sweep.name / name).exists()
    status = _status(made, [f"notebook {sweep.name}/{name}"], failures)
    return {"notebook": sweep.notebook, **_texts(values), "status": status, "file": f"{name}.ipynb"}


def _status(made: bool, jobs: list[str], failures: Mapping[str, str]) -> str:
    if made:
        return DONE
    return FAILED if any(job in failures for job in jobs) else UNFINISHED


def _markdown(sweep: Sweep, run: Run, found: Report) -> str:
    cohort = "phantom" if run.data is None else "real"
    origin = provenance.one_line(provenance.collect(cohort, run.profile.name, []))
    lines = [f"# Sweep {unquote(sweep.name)}", "", f"{origin}. Dice over every slice and AUROC of "
             "the mean residual, with 95 % intervals over patients."]  # fmt: skip
    for heading, table in zip(TABLES.values(), found[:2], strict=True):
        if len(table):
            cells = shown(table).astype(str)
            rows = [list(cells), ["---"] * len(cells.columns), *cells.to_numpy().tolist()]
            lines += ["", f"## {heading}", "", *(f"| {' | '.join(row)} |" for row in rows)]
    for job, message in found.errors.items():
        lines += ["", f"Failed: `{unquote(job)}`", "", "```", message, "```"]
    return "\n".join(lines) + "\n"
