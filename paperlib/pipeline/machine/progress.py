"""Which step of how many runs, for how long, and roughly how long still."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from paperlib import artifacts
from paperlib.pipeline.run import Run, count_patients
from paperlib.pipeline.studies import ablation_plan

# Seconds of one core, measured on a 2-core machine; only their ratios matter for the estimate.
MS_PER_SLICE = {"VAE": 6.5, "dVAE": 14, "VAE1px": 7, "VAE-CE": 14, "AAE": 14, "BiAAE": 16}
MS_PER_SLICE_OF_OTHERS = 14
NETWORK_START_S = 10.0  # torch, the looks at the residual on the way, the reconstructions
MS_PER_SLICE_BEYOND = 18.0  # of the network of synthetic lesions
SLICES_UNTIL_PATIENCE = 800_000  # 200 epochs of 4,000 slices: the longest of profile `paper`
NOTHING_DONE_S = 5.0  # a step that ends sooner says nothing about the pace
SECONDS = {"notebook": 18.0, "publish": 75.0, "gather": 2.0, "row": 4.0}
FAILED = "failed.jsonl"
SECONDS_PER_PATIENT = {"cohort": 2.5, "check": 0.5, "prepare": 1.7}
SECONDS_PER_TEST_PATIENT = {"segment": 2.0, "attribution": 3.0, "baselines": 5.0}
BEYOND_S = {"alone": 12.0, "pair": 4.0}  # a test patient; more for each pair of the paper


def estimate_seconds(run: Run, step: str, item: str = "", *, patients: int) -> float:
    """Return a rough time of one step on one core, in seconds.

    Args:
        run: The run.
        step: Name of a stage.
        item: Network, pair, fold or notebook of the stage.
        patients: See `count_patients`.
    """
    planned = ablation_plan.estimate_seconds(run, step, item, ms_per_slice=MS_PER_SLICE)
    if planned is not None:
        return planned
    if step == "network":
        return _network_seconds(run, item)
    if step == "beyond":
        return _beyond_seconds(run, patients) + _supervised_seconds(run)
    if step == "curve":  # two numbers of patients at all steps, a quarter and a half of the steps
        return 2.75 * _beyond_seconds(run, patients)
    if step in SECONDS_PER_TEST_PATIENT:
        return SECONDS_PER_TEST_PATIENT[step] * _tested(run, patients)
    return SECONDS.get(step, SECONDS_PER_PATIENT.get(step, 0.0) * patients)


def _network_seconds(run: Run, item: str) -> float:
    """Return what networks of the same kind took in this run, or a guess before the first."""
    pair = item.split("/", maxsplit=1)[0].split(",", maxsplit=1)[0]  # without changed settings
    kind = pair.rsplit("-", 2)[0]  # VAE-CE-SSIM of VAE-CE-SSIM-f0-s0/t1ce
    earlier = run.folder.glob(f"models/{kind}-f*-s*/*/{artifacts.MANIFEST}")
    manifests = filter(None, (artifacts.read_manifest(file.parent) for file in earlier))
    budget = run.profile.slice_steps
    took = [m["seconds"] for m in manifests if m["settings"]["slice_steps"] == budget]
    if took:
        return median(took)
    cost = MS_PER_SLICE.get(kind.rsplit("-", 1)[0], MS_PER_SLICE_OF_OTHERS)
    return NETWORK_START_S + (budget or SLICES_UNTIL_PATIENCE) * cost / 1000


def _beyond_seconds(run: Run, patients: int) -> float:
    """Return what one fold takes when all pairs of the paper are there."""
    settings = run.profile.beyond
    training = settings.slice_steps * MS_PER_SLICE_BEYOND / 1000 + NETWORK_START_S
    pairs = len(run.pairs()) / run.folds
    tested = (BEYOND_S["alone"] + BEYOND_S["pair"] * pairs) * _tested(run, patients)
    return training * len(settings.seeds) + tested


def _supervised_seconds(run: Run) -> float:
    """Return what the training of the supervised U-Net takes."""
    steps = run.profile.slice_steps or SLICES_UNTIL_PATIENCE
    return NETWORK_START_S + steps * MS_PER_SLICE_BEYOND / 1000


def _tested(run: Run, patients: int) -> float:
    """Return how many patients a fold tests, as the split will choose them."""
    split = run.profile.split
    if run.folds > 1:
        return patients / run.folds
    if run.data is None and split.test_hgg is not None and split.test_lgg is not None:
        return float(split.test_hgg + split.test_lgg)
    return max(2.0, split.test_share * patients)


def start(run: Run, steps: Sequence[str], cores: int) -> None:
    """Note what has to be done and say how long it will take.

    Args:
        run: The run.
        steps: "step" or "step item" for each job that Snakemake will start.
        cores: Processes at a time.
    """
    patients = count_patients(run) if steps else 0
    seconds = {
        step: estimate_seconds(run, *step.split(maxsplit=1), patients=patients) for step in steps
    }
    plan = {"started": time.time(), "cores": cores, "seconds": seconds}
    run.folder.mkdir(parents=True, exist_ok=True)
    artifacts.write_json(run.folder / "plan.json", plan)
    (run.folder / "finished.jsonl").unlink(missing_ok=True)
    (run.folder / FAILED).unlink(missing_ok=True)
    if steps:
        total = _clock(sum(seconds.values()) / cores)
        print(
            f"{len(steps)} steps on {cores} cores, about {total} if nothing else runs", flush=True
        )


@contextlib.contextmanager
def reported(run: Run, step: str, item: str = "") -> Iterator[None]:
    """Say when a step starts and ends; of a step that is in no plan (by hand) only its time.

    What a failing step said is kept for `read_failures`.
    """
    name = f"{step} {item}".strip()
    print(f"start  {name}", flush=True)
    began = time.time()
    try:
        yield
    except Exception as error:
        with contextlib.suppress(OSError):  # the error itself is what matters
            _append(run.folder / FAILED, {"step": name, "error": str(error) or repr(error)})
        raise
    took = time.time() - began
    plan_file, finished_file = run.folder / "plan.json", run.folder / "finished.jsonl"
    if not plan_file.exists() or name not in artifacts.read_json(plan_file)["seconds"]:
        print(f"done   {name} in {_clock(took)}", flush=True)
        return
    _append(finished_file, {"step": name, "seconds": took})
    print(f"done   {name} in {_clock(took)}; {_remaining(plan_file, finished_file)}", flush=True)


def read_failures(run: Run) -> dict[str, str]:
    """Return what each step said that failed since the last start, by "step item"."""
    file = run.folder / FAILED
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {record["step"]: record["error"] for record in map(json.loads, lines)}


def _append(file: Path, record: dict[str, object]) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(record) + "\n")


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
