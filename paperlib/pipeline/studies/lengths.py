"""`make length`: long trainings whose looks at the residual are kept (method: training length).

Nothing is segmented: what counts are the milestones that every training records on a fixed
subset of test slices. Each finished network is written at once.
"""

import datetime
from pathlib import Path

import pandas as pd
from filelock import FileLock

from paperlib import artifacts
from paperlib.config import TrainingSettings
from paperlib.pipeline.method import network_stages, patients
from paperlib.pipeline.run import Run
from paperlib.pipeline.studies.length_rows import find_network, length_networks, name_of
from paperlib.pipeline.study_run import StudyRun
from paperlib.publish import provenance

REFERENCE = "results/reference/length"
COMMAND = "make length"
FACTS = ("slice_steps", "training_slices", "validation_slices", "seconds", "commit", "versions")


def run_length(run: Run, name: str) -> bool:
    """Train one network to the full length unless it is there, and write what it showed.

    Raises:
        ValueError: If it is none of those followed.
    """
    network = find_network(run, name)
    own = StudyRun(
        run.profile,
        run.data,
        run.folds,
        run.prepare,
        parent=run,
        place=run.folder / "length",
    )
    ran = network_stages.train_network(own, network)
    with FileLock(artifacts.ROOT / "runs" / ".length.lock"):  # others finish at the same time
        _write(own, network)
    return ran


def destination(run: Run) -> Path:
    """Return where the tables are written: for the book only real and default patients."""
    if run.data is not None:
        cases = artifacts.load_table(run.stage("prepare"), "cases")
        return artifacts.ROOT / REFERENCE / f"real{len(cases)}"
    if run.profile.name == "phantom":
        return artifacts.ROOT / REFERENCE / "phantom"
    return run.folder / "length" / "tables"


def _write(own: StudyRun, network: TrainingSettings) -> None:
    """Put the rows of one network in place of its older ones."""
    target, folder = destination(own.parent), own.network_folder(network)
    target.mkdir(parents=True, exist_ok=True)
    rows = artifacts.load_table(folder, "milestones")
    rows.insert(0, "network", name_of(network))
    for place, column in enumerate(("model", "loss", "seed", "fold", "sequence"), start=1):
        rows.insert(place, column, getattr(network, column))
    facts = [_facts(own, network)]
    if (target / artifacts.PROVENANCE).exists():
        old = artifacts.load_table(target, "milestones")
        rows = pd.concat([old[old["network"] != name_of(network)], rows])
        known = artifacts.read_json(target / artifacts.PROVENANCE)["networks"]
        facts += [one for one in known if one["network"] != name_of(network)]
    rows = rows.sort_values(["seed", "model", "loss", "final", "slice_steps"], kind="stable")
    artifacts.save_table(target, "milestones", rows)
    facts.sort(key=lambda one: str(one["network"]))
    artifacts.write_json(target / artifacts.PROVENANCE, _origin(own) | {"networks": facts})


def _facts(own: StudyRun, network: TrainingSettings) -> dict[str, object]:
    folder = own.network_folder(network)
    manifest = artifacts.require(folder, command=COMMAND)
    ended = datetime.date.fromtimestamp((folder / artifacts.MANIFEST).stat().st_mtime)
    facts = {name: manifest[name] for name in FACTS}
    return {"network": name_of(network), "date": ended.isoformat(), **facts}


def _origin(own: StudyRun) -> dict[str, object]:
    """Return what all networks share; their code and versions stand with each."""
    cohort = "phantom" if own.data is None else "real"
    networks = length_networks(own.parent)
    cases = artifacts.load_table(own.stage("prepare"), "cases")
    tested = patients.load_fold(own, networks[0].fold).test
    return {
        **provenance.collect(cohort, own.profile.name, sorted({one.seed for one in networks})),
        "folds": own.folds,
        "fold": networks[0].fold,
        "patients": len(cases),
        "test_patients": len(tested),
        "batch_size": networks[0].batch_size,
    }
