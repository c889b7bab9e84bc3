"""What happens before the command does anything."""

import os
import subprocess
import sys

import pytest

from paperlib import cli


@pytest.mark.parametrize(
    "start", ["from paperlib.cli import main; main()", "runpy.run_module('paperlib', alter_sys=1)"]
)
def test_one_thread_a_process_is_settled_before_numpy_is_imported(start, tmp_path):
    """Both `paperlib` and `python -m paperlib`; numpy's libraries look once, when imported."""
    code = (
        "import os, runpy, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'numpy': print([os.environ.get(v) for v in sys.argv.pop().split()])\n"
        "sys.meta_path.insert(0, Watch())\n"
        f"sys.argv[1:] = ['check', 'nowhere', {' '.join(cli.THREAD_VARIABLES)!r}]\n{start}"
    )
    environment = {k: v for k, v in os.environ.items() if k not in cli.THREAD_VARIABLES}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path,
        env=environment,
    )  # fmt: skip
    assert done.stdout == f"{['1'] * len(cli.THREAD_VARIABLES)}\n", done.stderr
