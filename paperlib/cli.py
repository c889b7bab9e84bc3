"""The `paperlib` command: check a folder, run one stage, execute one notebook."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # one thread a process: Snakemake runs processes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    try:
        return options.run(options)
    except (OSError, ValueError, FloatingPointError) as error:
        print(f"paperlib: {error}", file=sys.stderr)
        return 1


def _check(options: argparse.Namespace) -> int:
    from paperlib.data import check  # noqa: PLC0415

    try:
        report = check.check_folder(options.folder, jobs=options.jobs)
    except OSError as error:
        report = None
        message = str(error)
    if report is None:
        print(json.dumps({"patients": [], "usable": 0, "refused": 0, "error": message})
              if options.json else f"paperlib: {message}")  # fmt: skip
        return 1
    if options.json:
        print(json.dumps(check.as_json(report), indent=1))
    else:
        print("\n".join(check.describe(report)))
    return 0 if report.usable and not report.refused else 1


def _stage(options: argparse.Namespace) -> int:
    from paperlib.pipeline.run import open_run  # noqa: PLC0415

    run = open_run(options.profile, options.data, options.folds)
    _STAGES[options.name](run, options)
    if options.done:
        options.done.parent.mkdir(parents=True, exist_ok=True)
        options.done.touch()
    return 0


def _cohort(run, options: argparse.Namespace) -> None:
    from paperlib.pipeline import patients  # noqa: PLC0415

    patients.make_cohort(run, jobs=options.jobs)


def _check_patients(run, options: argparse.Namespace) -> None:
    from paperlib.pipeline import patients  # noqa: PLC0415

    patients.check_patients(run, allow_skipped=options.allow_skipped, jobs=options.jobs)


def _prepare(run, options: argparse.Namespace) -> None:
    from paperlib.pipeline import patients  # noqa: PLC0415

    patients.prepare_slices(run, jobs=options.jobs)
    patients.split_patients(run)


def _network(run, options: argparse.Namespace) -> None:
    from paperlib.pipeline import networks  # noqa: PLC0415

    wanted = [n for n in run.networks() if f"{n.pair}/{n.sequence}" == options.item]
    if not wanted:
        raise ValueError(f"This run has no network {options.item!r}.")
    networks.train_network(run, wanted[0])
    networks.reconstruct_slices(run, wanted[0])


_STAGES: Mapping[str, Callable] = MappingProxyType(
    {
        "cohort": _cohort,
        "check": _check_patients,
        "prepare": _prepare,
        "network": _network,
    }
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="paperlib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("check", help="judge a folder of patients")
    command.add_argument("folder", type=Path)
    command.add_argument("--json", action="store_true", help="machine-readable report")
    command.add_argument("--jobs", type=int, default=1, help="patients read at the same time")
    command.set_defaults(run=_check)
    command = commands.add_parser("stage", help="run one stage of a run (Snakemake calls this)")
    command.add_argument("name", choices=list(_STAGES))
    command.add_argument("item", nargs="?", default="", help="network, pair or fold of the stage")
    command.add_argument("--profile", required=True)
    command.add_argument("--data", default="", help="folder of real patients")
    command.add_argument("--folds", type=int, default=1)
    command.add_argument("--jobs", type=int, default=1, help="processes")
    command.add_argument("--allow-skipped", action="store_true")
    command.add_argument("--done", type=Path, help="file to touch at the end")
    command.set_defaults(run=_stage)
    return parser
