"""What a stage costs when nothing has changed, as a process of its own."""

import os
import subprocess
import sys
import tempfile
from time import perf_counter

import numpy as np

from benchmarks.rows import Row

REPEATS = 5
LIMIT_S = 2.0
STAGES = {
    "cohort": ("cohort",),
    "prepare": ("prepare",),
    "network, flair": ("network", "VAE-MSE-f0-s0/flair"),
    "network, t1ce": ("network", "VAE-MSE-f0-s0/t1ce"),
    "segment": ("segment", "VAE-MSE-f0-s0"),
    "baselines": ("baselines", "0"),
    "gather": ("gather",),
}


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PAPERLIB_ROOT": folder}

        def seconds(command):
            started = perf_counter()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            return perf_counter() - started

        bare = [sys.executable, "-c", "pass"]
        for name, stage in STAGES.items():
            call = [sys.executable, "-m", "paperlib", "stage", *stage, "--profile", "smoke"]
            seconds(call)  # makes it
            pairs = [(seconds(call), seconds(bare)) for _ in range(REPEATS)]
            ours, python = np.median(pairs, axis=0)
            what = f"unchanged stage {name}, s"
            rows.append(Row(what, ours, python, ours - python, LIMIT_S))
    return rows
