"""Commands on runs: the book, the tables, longer studies, sweeps, one stage by hand."""

import argparse
import importlib
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path


def add_commands(commands) -> None:
    """Add `book` and all that Snakemake does, `stage` and `reference` to the command line."""
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument("--profile", required=True, help="size of the run, see README.md")
    chosen.add_argument("--data", default="", help="folder of real patients")
    chosen.add_argument("--folds", type=int, default=1, help="folds of a cross-validation")
    works = argparse.ArgumentParser(add_help=False)
    works.add_argument("--cores", type=int, default=1, help="processes at a time")
    works.add_argument("--allow-skipped", action="store_true", help="leave refused patients out")
    works.add_argument("--cluster", default="", help="slurm, or a folder of a Snakemake profile")

    _add_books(commands, [chosen, works])
    _add_studies(commands, [chosen, works], works)
    _add_stages(commands, chosen)


def _add_books(commands, options: Sequence[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("book", parents=options, help="everything: the book of a run")
    command.set_defaults(run=_book)

    command = commands.add_parser(
        "tables", parents=options, help="Tables 2 and 3 and section 5.3 in the terminal"
    )
    command.set_defaults(run=_tables)


def _add_studies(
    commands, options: Sequence[argparse.ArgumentParser], works: argparse.ArgumentParser
) -> None:
    command = commands.add_parser(
        "ablations", parents=[works], help="one change a row around the paper's choice"
    )
    command.add_argument("--profile", default="phantom", help="of the run it belongs to")
    command.add_argument("--rows", default="", help="some names or SETTING=VALUE; else all")
    command.set_defaults(run=_ablations, data="", folds=1)

    command = commands.add_parser(
        "length", parents=options, help="long trainings, looked at along the way"
    )
    command.set_defaults(run=_length)

    command = commands.add_parser(
        "beyond", parents=options, help="smoothed FLAIR and a network of synthetic lesions"
    )
    command.set_defaults(run=_beyond)

    command = commands.add_parser(
        "curve", parents=options, help="the same with fewer patients and fewer steps"
    )
    command.set_defaults(run=_curve)

    command = commands.add_parser(
        "sweep",
        parents=[works],
        help="models x losses x seeds x settings, and a notebook's parameters, of a file",
    )
    command.add_argument("file", type=Path, metavar="FILE", help="such as sweep.yml")
    command.add_argument("--profile", default="", help="instead of the file's")
    command.add_argument(
        "--data", default="", help="folder of real patients; instead of the file's"
    )
    command.add_argument("--folds", type=int, default=0, help="instead of the file's")
    command.set_defaults(run=_sweep)


def _add_stages(commands, chosen: argparse.ArgumentParser) -> None:
    stages = importlib.import_module("paperlib.pipeline.stages")
    command = commands.add_parser("stage", parents=[chosen], help="run one stage of a run")
    command.add_argument("name", choices=list(stages.STAGES))
    command.add_argument("item", nargs="?", default="", help="network, pair or fold of the stage")
    command.add_argument("--jobs", type=int, default=1, help="processes")
    command.add_argument("--allow-skipped", action="store_true", help="leave refused patients out")
    command.add_argument("--in-workflow", action="store_true", help=argparse.SUPPRESS)
    command.set_defaults(run=_stage)

    command = commands.add_parser(
        "reference", parents=[chosen], help="copy a run's numbers to a reference folder"
    )
    command.add_argument("destination", type=Path)
    command.set_defaults(run=_reference)


def _book(options: argparse.Namespace) -> int:
    return _workflow(options, "all")


def _tables(options: argparse.Namespace) -> int:
    status = _workflow(options, "tables")
    if not status:
        print(
            importlib.import_module("paperlib.pipeline.pages.printed_tables").describe_run(
                _run(options)
            )
        )
    return status


def _ablations(options: argparse.Namespace) -> int:
    importlib.import_module("paperlib.pipeline.studies.ablation_plan").choose_rows(options.rows)
    own_rows = importlib.import_module("paperlib.pipeline.studies.own_rows")
    for name in filter(own_rows.is_own, options.rows.split()):
        own_rows.refuse_unknown(name)
    status = _workflow(options, "ablations", rows=options.rows)
    if not status:
        studies = importlib.import_module("paperlib.pipeline.studies.ablations")
        print(studies.describe_rows(_run(options)))
    return status


def _length(options: argparse.Namespace) -> int:
    return _workflow(options, "lengths")


def _beyond(options: argparse.Namespace) -> int:
    return _workflow(options, "beyond_paper")


def _curve(options: argparse.Namespace) -> int:
    return _workflow(options, "curves")


def _sweep(options: argparse.Namespace) -> int:
    plan, sweeps = (
        importlib.import_module(f"paperlib.pipeline.sweeps.{name}") for name in ("plan", "command")
    )
    sweep = plan.read_sweep(options.file)
    run = sweeps.open_sweep(sweep, profile=options.profile, data=options.data, folds=options.folds)
    options.profile, options.data, options.folds = run.profile.name, str(run.data or ""), run.folds
    status = _workflow(options, "sweep", sweep=str(options.file.resolve()))
    found = sweeps.report(sweep, run, failed=bool(status))
    print("\n".join(sweeps.describe(sweep, run, found)))
    return 0 if found.complete and not status else 1


def _stage(options: argparse.Namespace) -> int:
    progress = importlib.import_module("paperlib.pipeline.machine.progress")
    stages = importlib.import_module("paperlib.pipeline.stages")
    locks = importlib.import_module("paperlib.pipeline.machine.locks")
    run, by_hand = _run(options), not options.in_workflow
    request = stages.Request(options.item, options.jobs, options.allow_skipped)
    with locks.stage(run, options.name, options.item, by_hand=by_hand):
        if by_hand:
            stages.note_by_hand(run)
        with progress.reported(run, options.name, options.item):
            stages.run_named(run, options.name, request)
    return 0


def _reference(options: argparse.Namespace) -> int:
    results = importlib.import_module("paperlib.pipeline.method.results")
    crossed = importlib.import_module("paperlib.pipeline.comparisons.crossed")
    locks = importlib.import_module("paperlib.pipeline.machine.locks")
    run = _run(options)
    with locks.whole_run(run, f"paperlib reference of {run.name}"):
        names = results.export_reference(run, options.destination)
        if crossed.is_whole(run):
            names += crossed.export_crossed(run, options.destination)
    print(f"{len(names)} files in {options.destination}")
    return 0


def _workflow(options: argparse.Namespace, target: str, **more: str) -> int:
    root = importlib.import_module("paperlib.artifacts").ROOT
    run = _run(options)  # refuses a wrong profile, folder or number of folds at once
    chosen = {"profile": options.profile, "data": options.data, "folds": options.folds, **more}
    chosen["allow_skipped"] = int(options.allow_skipped)
    command = [sys.executable, "-m", "snakemake", target, "--snakefile", "workflow/Snakefile"]
    command += ["--nolock", *_where(root, options), "--config"]
    command += [f"{name}={value}" for name, value in chosen.items()]
    locks = importlib.import_module("paperlib.pipeline.machine.locks")
    importlib.import_module("paperlib.pipeline.machine.storage").refuse_unwritable(root)
    who = run.command if target == "all" else f"paperlib {target} of {run.name}"
    with locks.whole_run(run, who) as lock:
        stages = importlib.import_module("paperlib.pipeline.stages")
        for doubt in stages.start_workflow(run):
            print(f"{doubt}; every step is looked at again")
        began = time.time()
        code = _supervise(command, root, lock.fileno())
        if not code:
            stages.note_finished(run)
    if code and options.cluster:
        cluster = importlib.import_module("paperlib.pipeline.machine.cluster")
        print("\n".join(cluster.describe_failures(root, began)), file=sys.stderr)
    return code


def _where(root: Path, options: argparse.Namespace) -> list[str]:
    """Return Snakemake's options for this machine or for a cluster."""
    if not options.cluster:
        return ["--workflow-profile", "workflow/profiles/default", "--cores", str(options.cores)]
    known = root / "workflow" / "profiles" / options.cluster
    profile = known if known.is_dir() else Path(options.cluster).expanduser().resolve()
    if not (profile / "config.yaml").is_file():
        raise ValueError(
            f"CLUSTER={options.cluster}: neither a folder in workflow/profiles nor one of yours "
            "with a config.yaml for Snakemake."
        )
    if len(f"{root}{sys.executable}{profile}".split()) > 1:
        raise ValueError(
            f"CLUSTER={options.cluster} cannot work in a path with spaces: jobs would look for "
            f"programs under half a name. Move the repository from {root} to another folder."
        )
    return ["--workflow-profile", str(profile)]


def _supervise(command: Sequence[str], root: Path, lock: int) -> int:
    """Run Snakemake, which holds the run's lock as long as it lives, and end it politely."""
    with subprocess.Popen(command, cwd=root, pass_fds=[lock]) as snakemake:
        signal.signal(signal.SIGTERM, lambda *_: snakemake.terminate())
        try:
            return snakemake.wait()
        except KeyboardInterrupt:  # it got its own: it stops its steps
            snakemake.wait()
            raise


def _run(options: argparse.Namespace):
    open_run = importlib.import_module("paperlib.pipeline.run").open_run
    return open_run(options.profile, options.data, options.folds)
