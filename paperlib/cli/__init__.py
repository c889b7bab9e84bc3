"""The `paperlib` command: check a folder, run a stage, execute a notebook, build the book.

Modules of this package are imported when their command runs: `check` need not wait for torch,
and how many threads numpy may start is settled before it is imported.
"""

import argparse
import importlib
import logging
import os
import signal
import sys
from collections.abc import Sequence

from paperlib.cli import notebooks, patients, workflow

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, "1")  # two processes of one thread beat two threads
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from what is finished.", file=sys.stderr)
        return 128 + signal.SIGINT
    except Exception as error:
        said = _explain(error)
        if said is None:
            raise
        print(f"paperlib: {said}", file=sys.stderr)
        return getattr(error, "exit_code", 1)


def _explain(error: Exception) -> str | None:
    """Return what a person needs to know; None for a defect, which shows where it is."""
    storage = importlib.import_module("paperlib.pipeline.machine.storage")
    root = importlib.import_module("paperlib.artifacts").ROOT
    if said := storage.explain(error, root):
        return said
    if not isinstance(error, OSError | ValueError | FloatingPointError):
        return None
    full = storage.note_full(root)
    return f"{error}\n{full}" if full else str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="paperlib", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for group in (patients, workflow, notebooks):
        group.add_commands(commands)
    return parser
