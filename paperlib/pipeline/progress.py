"""Which step of how many runs, for how long, and roughly how long still."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from paperlib import artifacts
from paperlib.pipeline.run import Run

# Seconds of one core, measured on a 2-core machine; only their ratios matter for the estimate.
MS_PER_SLICE = {"VAE": 7.0, "dVAE": 15.0, "VAE1px": 8.0}
NOTHING_DONE_S = 5.0  # a step that ends sooner says nothing about the pace
SECONDS = {"notebook": 15.0, "publish": 40.0, "gather": 8.0}
SECONDS_PER_PATIENT = {"cohort": 2.0, "check": 0.8, "prepare": 0.8}
SECONDS_PER_TEST_PATIENT = {"segment": 3.0, "baselines": 4.0}


def estimate_seconds(run: Run, step: str, item: str = "") -> float:
    """Return a rough time of one step on one core, in seconds."""
    cohort = run.profile.cohort.patients
    if step == "network":
        model = item.split("-", maxsplit=1)[0]
        slices = run.profile.slice_steps or 200 * 4000
        return slices * MS_PER_SLICE.get(model, 15.0) / 1000
    if step in SECONDS_PER_TEST_PATIENT:
        return SECONDS_PER_TEST_PATIENT[step] * max(2, 0.4 * cohort / run.folds)
    return SECONDS.get(step, SECONDS_PER_PATIENT.get(step, 0.0) * cohort)


def start(run: Run, steps: Sequence[str], cores: int) -> None:
    """Note what has to be done and say how long it will take.

    Args:
        run: The run.
        steps: "step" or "step item" for each job that Snakemake will start.
        cores: Processes at a time.
    """
    seconds = {step: estimate_seconds(run, *step.split(maxsplit=1)) for step in steps}
    plan = {"started": time.time(), "cores": cores, "seconds": seconds}
    run.folder.mkdir(parents=True, exist_ok=True)
    artifacts.write_json(run.folder / "plan.json", plan)
    (run.folder / "finished.jsonl").unlink(missing_ok=True)
    if steps:
        total = _clock(sum(seconds.values()) / cores)
        print(f"{len(steps)} steps on {cores} cores, about {total}", flush=True)


@contextmanager
def reported(run: Run, step: str, item: str = "") -> Iterator[None]:
    """Say when a step starts and ends; of a step that is in no plan (by hand) only its time."""
    name = f"{step} {item}".strip()
    print(f"start  {name}", flush=True)
    began = time.time()
    yield
    took = time.time() - began
    plan_file, finished_file = run.folder / "plan.json", run.folder / "finished.jsonl"
    if not plan_file.exists() or name not in artifacts.read_json(plan_file)["seconds"]:
        print(f"done   {name} in {_clock(took)}", flush=True)
        return
    with finished_file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"step": name, "seconds": took}) + "\n")
    print(f"done   {name} in {_clock(took)}; {_remaining(plan_file, finished_file)}", flush=True)


def _remaining(plan_file: Path, finished_file: Path) -> str:
    plan = artifacts.read_json(plan_file)
    lines = finished_file.read_text(encoding="utf-8").splitlines()
    finished = {json.loads(line)["step"]: json.loads(line)["seconds"] for line in lines}
    worked = {step: took for step, took in finished.items() if took > NOTHING_DONE_S}
    expected = sum(plan["seconds"].get(step, 0.0) for step in worked)
    pace = sum(worked.values()) / expected if expected else 1.0
    left = sum(s for step, s in plan["seconds"].items() if step not in finished)
    still = _clock(pace * left / plan["cores"])
    elapsed = _clock(time.time() - plan["started"])
    return f"step {len(finished)} of {len(plan['seconds'])}, {elapsed} so far, about {still} still"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
