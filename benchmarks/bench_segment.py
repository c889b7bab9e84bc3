"""`paperlib segment` on one full-size simulated patient, as a process of its own: CPU seconds.

The models are the smoke profile's: how well they were trained does not change what it costs.
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
PAIR, BEYOND = "VAE-MSE-f0-s0", "beyond-f0"
METHODS = (("paper", PAIR, 10.0), ("clean-up", BEYOND, 7.0), ("synthetic", BEYOND, 12.0))
STAGES = (
    ("cohort",),
    ("prepare",),
    ("network", f"{PAIR}/flair"),
    ("network", f"{PAIR}/t1ce"),
    ("segment", PAIR),
    ("beyond", "0"),
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
        bare = [sys.executable, "-c", "import torch"]
        rows = []
        for method, model, limit_s in METHODS:
            call = [*paperlib, "segment", "--flair", str(flair), "--t1ce", str(t1ce)]
            call += ["--method", method, "--model", str(root / "runs/phantom-smoke/models" / model)]
            call += ["--out", str(root / "out"), "--overwrite"]
            cpu_seconds(call)  # numba's kernels are cached now
            pairs = [(cpu_seconds(call), cpu_seconds(bare)) for _ in range(REPEATS)]
            ours, torch_alone = np.median(pairs, axis=0)
            what = f"segment a new patient, {method}, against importing torch, CPU s"
            rows.append(Row(what, ours, torch_alone, ours, limit_s))
        return rows
