"""`paperlib segment` on one full-size simulated patient, as a process of its own: CPU seconds.

The pair is the smoke profile's: how well it was trained does not change what it costs.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.rows import Row
from paperlib.data import phantom

REPEATS = 5
LIMIT_S = 10.0
PAIR = "VAE-MSE-f0-s0"
STAGES = (
    ("cohort",),
    ("prepare",),
    ("network", f"{PAIR}/flair"),
    ("network", f"{PAIR}/t1ce"),
    ("segment", PAIR),
)


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        environment = os.environ | {"PAPERLIB_ROOT": folder}
        paperlib = [sys.executable, "-m", "paperlib"]

        def cpu_seconds(command):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, env=environment, check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        for stage in STAGES:
            cpu_seconds([*paperlib, "stage", *stage, "--profile", "smoke"])
        phantom.write_phantom(root / "new", 0, seed=1, step_mm=1, tumour_free_share=0.0)
        (flair,) = (root / "new").rglob("*[0-9]_flair.nii.gz")
        t1ce = flair.with_name(flair.name.replace("_flair", "_t1ce"))
        call = [*paperlib, "segment", "--flair", str(flair), "--t1ce", str(t1ce), "--overwrite"]
        call += ["--model", str(root / "runs/phantom-smoke/models" / PAIR)]
        call += ["--out", str(root / "out")]
        cpu_seconds(call)  # numba's kernels are cached now
        bare = [sys.executable, "-c", "import torch"]
        pairs = [(cpu_seconds(call), cpu_seconds(bare)) for _ in range(REPEATS)]
        ours, torch_alone = np.median(pairs, axis=0)
        what = "segment a new patient against importing torch, CPU s"
        return [Row(what, ours, torch_alone, ours, LIMIT_S)]
