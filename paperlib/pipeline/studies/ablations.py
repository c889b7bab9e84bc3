"""`make ablations`: each row trains if it must, segments, and is written at once for the book.

A row is a folder under `ablations` of the run; its table and its provenance, which hold counts
and no pixel, are copied to where the book reads them as soon as they are there.
"""

import dataclasses
import datetime
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from paperlib import artifacts
from paperlib.evaluation.comparisons import ablations as tables
from paperlib.evaluation.tables import Draws
from paperlib.labels import FLAIR, SEQUENCES
from paperlib.pipeline.method import network_stages, patients
from paperlib.pipeline.run import Run, run_stage
from paperlib.pipeline.studies import ablation_measure, own_rows
from paperlib.pipeline.studies.ablation_measure import Shown
from paperlib.pipeline.studies.ablation_rows import (
    JOINT,
    OutlineSettings,
    Study,
    find_study,
    is_of_run,
    networks_of,
)
from paperlib.pipeline.study_run import StudyRun
from paperlib.publish import provenance

REFERENCE = "results/reference/ablations"
CHUNK = 256  # slices copied at a time
COMMAND = "make ablations"
RATIO = "gradient_ratio"  # adversarial over reconstruction, at the output; adversarial models


def run_row(run: Run, name: str) -> bool:
    """Bring one row up to date and write it for the book; returns whether it was measured.

    Raises:
        ValueError: If there is no such row.
    """
    study = find_study(name)
    if own_rows.is_own(name):
        own_rows.refuse_unknown(name)
    own = open_study(run, study)
    if own.prepares:
        _prepare(own, study)
    networks = networks_of(run, study)
    homes = [run if is_of_run(run, study, network) else own for network in networks]
    shown = dict(zip(SEQUENCES, map(Shown, homes, networks), strict=False))
    for home, network in shown.values():
        network_stages.train_network(home, network)
        network_stages.reconstruct_slices(home, network)
    ran = _measure(own, study, shown)
    _write(own, study, shown)
    return ran


def open_study(run: Run, study: Study) -> StudyRun:
    """Return the run of a row, on the same patients as `run`."""
    return StudyRun(
        run.profile,
        run.data,
        run.folds,
        dataclasses.replace(run.prepare, **study.prepare),
        parent=run,
        place=run.folder / "ablations" / study.name,
        prepares=study.prepares,
    )


def destination(run: Run, name: str = "") -> Path:
    """Return where a row is written: for the book those of `STUDIES` on the default phantom."""
    if run.profile.name == "phantom" and run.data is None and not own_rows.is_own(name):
        return artifacts.ROOT / REFERENCE
    return run.folder / "ablations" / "tables"


def describe_rows(run: Run) -> str:
    """Return the table of all finished rows of a run as text, a person's own among them."""
    rows = tables.load_rows(destination(run))
    rows |= tables.load_rows(run.folder / "ablations" / "tables")
    table = tables.compare_rows(rows, draws=Draws())
    shown = tables.lay_out(table).drop(columns="date, commit").to_string()
    return f"{shown}\n{tables.describe_origin(rows)}" if rows else tables.describe_origin(rows)


def _prepare(own: StudyRun, study: Study) -> bool:
    if study.prepare:
        return patients.prepare_slices(own, images=(FLAIR,))

    def make(folder: Path, _key: str) -> None:
        source = own.parent.stage("prepare")
        images = [artifacts.load_array(source, sequence) for sequence in SEQUENCES]
        shape = (len(images[0]), len(images), *images[0].shape[1:])
        axes = "slice channel height width"
        target = artifacts.create_array(folder, JOINT, shape, "float32", axes=axes)
        for start in range(0, len(target), CHUNK):
            part = slice(start, start + CHUNK)
            target[part] = np.stack([image[part] for image in images], axis=1)
        target.flush()
        for name in ("brain", "labels"):
            array = artifacts.load_array(source, name)
            artifacts.save_array(folder, name, array, axes=patients.STACK_AXES)
        artifacts.save_table(folder, "slices", artifacts.load_table(source, "slices"))

    upstream = {"prepare": own.parent.stage("prepare")}
    return run_stage(own.stage("prepare"), settings={}, upstream=upstream, code=(), make=make)


def _measure(own: StudyRun, study: Study, shown: Mapping[str, Shown]) -> bool:
    settings = dataclasses.replace(own.profile.mixture, **study.mixture)
    options = OutlineSettings(**study.outline)
    folders = {
        f"reconstruction_{sequence}": one.run.reconstruction_folder(one.network)
        for sequence, one in shown.items()
    }

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        found = ablation_measure.measure(shown, settings, options, region=study.region)
        artifacts.save_table(folder, "counts", found.counts)
        artifacts.save_table(folder, "pixels", found.pixels)
        return {"facts": found.facts, "date": datetime.date.today().isoformat()}

    return run_stage(
        own.folder / "rows",
        settings={
            "mixture": dataclasses.asdict(settings),
            "outline": dataclasses.asdict(options),
            "region": study.region,
        },
        upstream={name: own.stage(name) for name in ("prepare", "split")} | folders,
        code=ablation_measure.MEASURE_CODE,
        make=make,
    )


def _write(own: StudyRun, study: Study, shown: Mapping[str, Shown]) -> None:
    """Copy the counts of a finished row and say beside them what it is and where it is from."""
    target, source = destination(own.parent, study.name), own.folder / "rows"
    target.mkdir(parents=True, exist_ok=True)
    row = artifacts.require(source, command=COMMAND)
    trained = [
        artifacts.require(run.network_folder(network), command=COMMAND)
        for run, network in shown.values()
    ]
    network = shown[FLAIR].network
    cohort = "phantom" if own.data is None else "real"
    origin = provenance.collect(cohort, own.profile.name, [network.seed])
    said = ("name", "group", "change", "against", "region", "empty")
    facts = ("slice_steps", "stopped_by", "training_slices", "validation_slices")
    epochs = artifacts.load_table(shown[FLAIR].run.network_folder(network), "epochs")
    pull = {RATIO: float(epochs[RATIO].mean())} if RATIO in epochs else {}
    record = {
        **{field: getattr(study, field) for field in said},
        "settings": row["settings"],
        "network": dataclasses.asdict(network),
        "prepare": dataclasses.asdict(own.prepare),
        "facts": row["facts"] | {name: trained[0][name] for name in facts} | pull,
        "date": row["date"],
        "seconds": round(row["seconds"] + sum(one["seconds"] for one in trained), 1),
        "provenance": origin | {name: row[name] for name in ("commit", "versions")},
        "pixels": artifacts.load_table(source, "pixels").to_dict("list"),
    }
    shutil.copyfile(source / "counts.csv", target / f"{study.name}.csv")
    artifacts.write_json(target / f"{study.name}.json", record)
