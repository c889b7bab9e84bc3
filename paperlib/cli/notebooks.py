"""Commands on notebooks: execute one, write copies to play with, look at what a student did."""

import argparse
import importlib
from pathlib import Path


def add_commands(commands) -> None:
    """Add `execute`, `notebooks`, `student` and what belongs to it to the command line."""
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

    _add_student(commands)


def _add_student(commands) -> None:
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument("--folder", type=Path, default=Path("work"))
    chosen.add_argument("--sources", type=Path, default=Path("notebooks"))

    command = commands.add_parser("student", parents=[chosen], help="notebooks in JupyterLab")
    command.add_argument("options", nargs="*", help="of JupyterLab, after --")
    command.set_defaults(run=_student)

    command = commands.add_parser("student-diff", parents=[chosen], help="your changes as source")
    command.add_argument("notebook", nargs="?", default="all", help="its name; all without")
    command.set_defaults(run=_student_diff)

    command = commands.add_parser("student-reset", parents=[chosen], help="the original again")
    command.add_argument("notebook", help="its name, or all; your copy is kept")
    command.set_defaults(run=_student_reset)


def _execute(options: argparse.Namespace) -> int:
    commands = importlib.import_module("paperlib.publish.commands")
    check = importlib.import_module("paperlib.pipeline.run").check_ready
    return commands.run_execute(options.source, options.output, options.parameters, check)


def _notebooks(options: argparse.Namespace) -> int:
    commands = importlib.import_module("paperlib.publish.commands")
    return commands.run_notebooks(sorted(options.sources.glob("*.py")), options.folder)


def _student(options: argparse.Namespace) -> int:
    commands = importlib.import_module("paperlib.publish.commands")
    student = importlib.import_module("paperlib.publish.student")
    run = importlib.import_module("paperlib.pipeline.run").open_run("smoke")
    missing = student.say_missing_run(run.stage("evidence"), run.command)
    sources = sorted(options.sources.glob("*.py"))
    return commands.run_student(sources, options.folder, missing, options.options)


def _student_diff(options: argparse.Namespace) -> int:
    commands = importlib.import_module("paperlib.publish.commands")
    return commands.run_student_diff(options.folder, options.notebook)


def _student_reset(options: argparse.Namespace) -> int:
    commands = importlib.import_module("paperlib.publish.commands")
    sources = sorted(options.sources.glob("*.py"))
    return commands.run_student_reset(sources, options.folder, options.notebook)
