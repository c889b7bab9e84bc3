"""The `paperlib` command: check a folder, run a stage, execute a notebook, build the book.

Modules of this package are imported when their command runs: `check` need not wait for torch,
and how many threads numpy may start is settled before it is imported.
"""

import argparse
import importlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# Known without an import: a wrong word is answered at once.
GATES = ("max_healthy", "mean_2sd", "2sd_literal", "quantile_95", "height")
READINGS = ("both", "neighbourhood", "weights")
CODES = ("brats2018", "brats2023", "msd")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, "1")  # two processes of one thread beat two threads
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    try:
        return options.run(options)
    except (OSError, ValueError, FloatingPointError) as error:
        print(f"paperlib: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return 128 + signal.SIGINT


def _check(options: argparse.Namespace) -> int:
    check = importlib.import_module("paperlib.data.check")
    try:
        report = check.check_folder(options.folder.expanduser(), jobs=options.jobs)
    except OSError as error:
        if options.json:
            print(json.dumps({"patients": [], "usable": 0, "refused": 0, "error": str(error)}))
        raise
    if options.json:
        print(json.dumps(check.as_json(report), indent=1))
    else:
        print("\n".join(check.describe(report)))
    return 0 if report.usable and not report.refused else 1


def _stage(options: argparse.Namespace) -> int:
    progress = importlib.import_module("paperlib.pipeline.progress")
    stages = importlib.import_module("paperlib.pipeline.stages")
    run = _run(options)
    request = stages.Request(options.item, options.jobs, options.allow_skipped)
    with progress.reported(run, options.name, options.item):
        stages.run_named(run, options.name, request)
    return 0


def _book(options: argparse.Namespace) -> int:
    return _workflow(options, "all")


def _ablations(options: argparse.Namespace) -> int:
    importlib.import_module("paperlib.pipeline.ablation_plan").choose_rows(options.rows)
    return _workflow(options, "ablations", rows=options.rows)


def _length(options: argparse.Namespace) -> int:
    return _workflow(options, "lengths")


def _sweep(options: argparse.Namespace) -> int:
    plan, sweeps = (
        importlib.import_module(f"paperlib.pipeline.{name}") for name in ("sweep_plan", "sweeps")
    )
    sweep = plan.read_sweep(options.file)
    run = sweeps.open_sweep(sweep, profile=options.profile, data=options.data, folds=options.folds)
    options.profile, options.data, options.folds = run.profile.name, str(run.data or ""), run.folds
    status = _workflow(options, "sweep", sweep=str(options.file.resolve()))
    found = sweeps.report(sweep, run, failed=bool(status))
    print("\n".join(sweeps.describe(sweep, run, found)))
    return 0 if found.complete and not status else 1


def _workflow(options: argparse.Namespace, target: str, **more: str) -> int:
    root = importlib.import_module("paperlib.artifacts").ROOT
    _run(options)  # refuses a wrong profile, folder or number of folds before anything starts
    chosen = {"profile": options.profile, "data": options.data, "folds": options.folds, **more}
    chosen["allow_skipped"] = int(options.allow_skipped)
    command = [sys.executable, "-m", "snakemake", target, "--snakefile", "workflow/Snakefile"]
    command += ["--workflow-profile", "workflow/profiles/default", "--nolock"]
    command += ["--cores", str(options.cores), "--config"]
    command += [f"{name}={value}" for name, value in chosen.items()]
    lock = FileLock(root / ".book.lock")  # vanishes with its process, unlike a file
    try:
        with lock.acquire(timeout=0):
            return subprocess.run(command, cwd=root, check=False).returncode
    except Timeout:
        print("Another `make book` works in this folder; wait until it ends.", file=sys.stderr)
        return 1


def _reference(options: argparse.Namespace) -> int:
    results = importlib.import_module("paperlib.pipeline.results")
    names = results.export_reference(_run(options), options.destination)
    print(f"{len(names)} files in {options.destination}")
    return 0


def _execute(options: argparse.Namespace) -> int:
    commands = importlib.import_module("paperlib.publish.commands")
    check = importlib.import_module("paperlib.pipeline.run").check_choices
    return commands.run_execute(options.source, options.output, options.parameters, check)


def _notebooks(options: argparse.Namespace) -> int:
    commands = importlib.import_module("paperlib.publish.commands")
    return commands.run_notebooks(sorted(options.sources.glob("*.py")), options.folder)


def _segment(options: argparse.Namespace) -> int:
    patient_files = importlib.import_module("paperlib.pipeline.patient_files")
    lines = patient_files.segment_files(
        patient_files.PatientFiles(options.flair, options.t1ce, options.truth),
        options.model,
        options.out,
        gate=None if options.no_gate else options.gate,
        reading=options.reading,
        overwrite=options.overwrite,
    )
    print("\n".join(lines))
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    scoring = importlib.import_module("paperlib.pipeline.scoring")
    found = scoring.evaluate(options.predictions, options.truths, codes=options.codes)
    if options.out:
        scoring.save(found, options.out, overwrite=options.overwrite)
    if options.json:
        print(json.dumps(scoring.as_json(found), indent=1))
    else:
        print("\n".join(scoring.describe(found)))
    return 0


def _run(options: argparse.Namespace):
    open_run = importlib.import_module("paperlib.pipeline.run").open_run
    return open_run(options.profile, options.data, options.folds)


def _parser() -> argparse.ArgumentParser:
    stages = importlib.import_module("paperlib.pipeline.stages")
    parser = argparse.ArgumentParser(prog="paperlib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument("--profile", required=True, help="smoke, phantom, laptop or paper")
    chosen.add_argument("--data", default="", help="folder of real patients")
    chosen.add_argument("--folds", type=int, default=1, help="folds of a cross-validation")

    command = commands.add_parser("check", help="judge a folder of patients")
    command.add_argument("folder", type=Path)
    command.add_argument("--json", action="store_true", help="machine-readable report")
    command.add_argument("--jobs", type=int, default=1, help="patients read at the same time")
    command.set_defaults(run=_check)

    _add_segment(commands)
    _add_evaluate(commands)

    command = commands.add_parser("stage", parents=[chosen], help="run one stage of a run")
    command.add_argument("name", choices=list(stages.STAGES))
    command.add_argument("item", nargs="?", default="", help="network, pair or fold of the stage")
    command.add_argument("--jobs", type=int, default=1, help="processes")
    command.add_argument("--allow-skipped", action="store_true", help="leave refused patients out")
    command.set_defaults(run=_stage)

    command = commands.add_parser("book", parents=[chosen], help="everything: the book of a run")
    command.add_argument("--cores", type=int, default=1, help="processes at a time")
    command.add_argument("--allow-skipped", action="store_true", help="leave refused patients out")
    command.set_defaults(run=_book)

    command = commands.add_parser("ablations", help="one change a row around the paper's choice")
    command.add_argument("--profile", default="phantom", help="of the run it belongs to")
    command.add_argument("--rows", default="", help="names of some rows; all without")
    command.add_argument("--cores", type=int, default=1, help="processes at a time")
    command.set_defaults(run=_ablations, data="", folds=1, allow_skipped=False)

    command = commands.add_parser(
        "length", parents=[chosen], help="long trainings, looked at along the way"
    )
    command.add_argument("--cores", type=int, default=1, help="processes at a time")
    command.add_argument("--allow-skipped", action="store_true", help="leave refused patients out")
    command.set_defaults(run=_length)

    _add_sweep(commands)

    command = commands.add_parser(
        "reference", parents=[chosen], help="copy a run's numbers to a reference folder"
    )
    command.add_argument("destination", type=Path)
    command.set_defaults(run=_reference)

    command = commands.add_parser("execute", help="check parameters, then execute one notebook")
    command.add_argument("source", type=Path, metavar="NOTEBOOK", help="05_postprocessing or a .py")
    command.add_argument(
        "output", type=Path, nargs="?", metavar="OUTPUT", help=".ipynb; without: in work/executed"
    )
    command.add_argument(
        "-p",
        dest="parameters",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a parameter, as declared in the notebook's first cell; more than once for several",
    )
    command.set_defaults(run=_execute)

    command = commands.add_parser("notebooks", help="write plain notebooks to play with")
    command.add_argument("folder", type=Path)
    command.add_argument("--sources", type=Path, default=Path("notebooks"))
    command.set_defaults(run=_notebooks)
    return parser


def _add_sweep(commands) -> None:
    command = commands.add_parser(
        "sweep", help="models x losses x seeds x settings, and a notebook's parameters, of a file"
    )
    command.add_argument("file", type=Path, metavar="FILE", help="such as sweep.yml")
    command.add_argument("--profile", default="", help="instead of the file's")
    command.add_argument(
        "--data", default="", help="folder of real patients; instead of the file's"
    )
    command.add_argument("--folds", type=int, default=0, help="instead of the file's")
    command.add_argument("--cores", type=int, default=1, help="processes at a time")
    command.add_argument("--allow-skipped", action="store_true", help="leave refused patients out")
    command.set_defaults(run=_sweep)


def _add_segment(commands) -> None:
    command = commands.add_parser("segment", help="segment a new patient; research use only")
    command.add_argument("--flair", type=Path, required=True, metavar="FILE", help="NIfTI file")
    command.add_argument("--t1ce", type=Path, required=True, metavar="FILE", help="NIfTI file")
    command.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of a trained pair: runs/<run>/models/<pair>, or a copy",
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    command.add_argument("--truth", type=Path, metavar="FILE", help="segmentation to compare with")
    command.add_argument(
        "--gate", choices=GATES, default=GATES[0], help="rule for the slices that keep their labels"
    )
    command.add_argument("--no-gate", action="store_true", help="keep the labels of all slices")
    command.add_argument(
        "--reading",
        choices=READINGS,
        default="",
        help="of equation 1; default: the one that the model's run took",
    )
    command.add_argument("--overwrite", action="store_true", help="replace earlier results")
    command.set_defaults(run=_segment)


def _add_evaluate(commands) -> None:
    command = commands.add_parser("evaluate", help="score label maps of any method")
    command.add_argument(
        "predictions",
        type=Path,
        metavar="PREDICTIONS",
        help="folder with <patient>.nii.gz, <patient>_seg.nii.gz or <patient>/segmentation.nii.gz",
    )
    command.add_argument(
        "truths", type=Path, metavar="TRUTHS", help="folder of patients, as for check"
    )
    command.add_argument(
        "--codes", choices=CODES, default=CODES[0], help="label codes of the predictions"
    )
    command.add_argument("--json", action="store_true", help="machine-readable scores")
    command.add_argument("--out", type=Path, metavar="DIR", help="for patients.csv, summary.csv")
    command.add_argument("--overwrite", action="store_true", help="replace earlier tables")
    command.set_defaults(run=_evaluate)
