"""Anonymous memory of preparing, training and scoring 48 patients beside 12 (Linux only)."""

import dataclasses
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

from benchmarks.rows import Row
from paperlib import artifacts
from paperlib.config import PROFILES, CohortSettings, SplitSettings
from paperlib.pipeline.method import network_stages, patients, segments
from paperlib.pipeline.run import Run

SMALL, LARGE = 12, 48
LIMIT = 1.1
STEPS = 64


def make_run(count):
    cohort = CohortSettings(patients=count, step_mm=4)
    split = SplitSettings(test_share=0.25)
    return Run(
        dataclasses.replace(
            PROFILES["smoke"], name=f"memory{count}", cohort=cohort, split=split, slice_steps=STEPS
        )
    )


def prepare(run):
    patients.prepare_slices(run)
    patients.split_patients(run)


def train(run):
    for network in run.networks():
        network_stages.train_network(run, network)
        network_stages.reconstruct_slices(run, network)


def score(run):
    segments.segment_pair(run, run.pairs()[0])


def peak_mib(work, count, root):
    """Return the highest RssAnon of a process of its own, sampled every 10 ms."""
    child = multiprocessing.get_context("spawn").Process(target=_work, args=(work, count, root))
    child.start()
    peak = 0
    while child.is_alive():
        peak = max(peak, _anonymous_kib(child.pid))
        time.sleep(0.01)
    if child.exitcode:
        raise RuntimeError(f"{work.__name__} of {count} patients ended with {child.exitcode}")
    return peak / 1024


def _work(work, count, root):
    artifacts.ROOT = root
    work(make_run(count))


def _anonymous_kib(pid):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


def main():
    if not os.path.exists("/proc/self/status"):
        print("memory: not measured, /proc is missing")
        return []
    with tempfile.TemporaryDirectory() as folder:
        root = artifacts.ROOT = Path(folder)
        patients.make_cohort(make_run(LARGE))
        patients.make_cohort(make_run(SMALL))
        rows = []
        for work in (prepare, train, score):
            small, large = (peak_mib(work, count, root) for count in (SMALL, LARGE))
            what = f"memory to {work.__name__} {LARGE} patients against {SMALL}, MiB"
            rows.append(Row(what, large, small, large / small, LIMIT))
    return rows
