"""The stages by name, as Snakemake and the command line call them.

A stage imports its own module only: preparing does not wait for torch.
"""

import importlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from paperlib import artifacts
from paperlib.config import TrainingSettings
from paperlib.labels import FLAIR, SEQUENCES
from paperlib.pipeline import combinations
from paperlib.pipeline.run import MissingStageError, Run

BY_HAND = "by-hand"  # in the folder of a run: when a stage was last started by hand
FINISHED = "stages.json"  # the stages that the last workflow left finished; none while one runs
DONE = "done"  # folder of the workflow's own notes


class Request(NamedTuple):
    """What a stage may be told beside the run."""

    item: str = ""  # "pair/sequence", a pair or a fold
    jobs: int = 1
    allow_skipped: bool = False


def run_named(run: Run, name: str, request: Request) -> None:
    """Run the stage of a name; all that a person starts comes through here.

    Args:
        run: The run.
        name: A key of `STAGES`.
        request: What the stage is told.

    Raises:
        FileNotFoundError: If a stage that it reads is missing; names the run's own command.
    """
    try:
        STAGES[name](run, request)
    except MissingStageError as missing:
        artifacts.require(missing.folder, command=run.command)
        raise


def note_by_hand(run: Run) -> None:
    """Note that a stage is started by hand: the workflow then looks at every stage again.

    Without it a stage that was killed, or whose result changed, would pass for done. Snakemake
    compares contents, not times alone, so no two notes are the same.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / BY_HAND).write_text(f"{time.time_ns()}\n")


def note_finished(run: Run) -> None:
    """Note which stages and pages are finished, for `start_workflow`."""
    made = [file for name in (artifacts.MANIFEST, "*.ipynb") for file in run.folder.rglob(name)]
    finished = sorted(str(file.relative_to(run.folder)) for file in made)
    artifacts.write_json(run.folder / FINISHED, finished)


def start_workflow(run: Run) -> list[str]:
    """Make the next workflow look at every stage again unless the last one left all as it should.

    One that failed, was stopped or was killed leaves the notes of earlier ones for what it did
    not reach, and Snakemake would take these for its own.

    Returns:
        Why every stage is looked at again; nothing if there is no doubt.
    """
    whole = run.folder / FINISHED
    if whole.exists():
        known = [Path(name) for name in artifacts.read_json(whole)]
        lost = [name for name in known if not (run.folder / name).exists()]
        names = [name.parent if name.name == artifacts.MANIFEST else name for name in lost]
        doubts = [f"{name}: its results are gone" for name in names]
        whole.unlink()
    else:
        begun = (run.folder / DONE).exists()
        doubts = ["the last start of this run did not finish everything"] if begun else []
    if doubts:
        note_by_hand(run)
    return doubts


def _module(name: str):
    return importlib.import_module(f"paperlib.pipeline.{name}")


def _cohort(run: Run, request: Request) -> None:
    if run.data is not None:
        raise ValueError(
            "The patients of this run are those in DATA, none is simulated; leave --data out, "
            "or run the stage check."
        )
    _module("method.patients").make_cohort(run, jobs=request.jobs)


def _check(run: Run, request: Request) -> None:
    _module("method.patients").check_patients(
        run, allow_skipped=request.allow_skipped, jobs=request.jobs
    )


def _prepare(run: Run, request: Request) -> None:
    _module("method.patients").prepare_slices(run, jobs=request.jobs)
    _module("method.patients").split_patients(run)


def _network(run: Run, request: Request) -> None:
    own, network = _find_network(run, request.item)
    _module("method.network_stages").train_network(own, network)
    _module("method.network_stages").reconstruct_slices(own, network)


def _segment(run: Run, request: Request) -> None:
    opened = combinations.open_pair(run, request.item)
    if opened is None:
        raise _no_pair(run, request.item)
    own, pair = opened
    _module("method.segments").segment_pair(own, pair)
    if combinations.has_networks(own):  # else others share them, segmented in another way
        _module("new_patients.model_folder").write_pair(own, pair)


def _attribution(run: Run, request: Request) -> None:
    if request.item not in run.pairs():
        raise _no_pair(run, request.item)
    _module("comparisons.attribution").attribute_pair(run, request.item)


def _baselines(run: Run, request: Request) -> None:
    _module("comparisons.baselines").segment_baselines(run, _fold(run, request.item))


def _gather(run: Run, _request: Request) -> None:
    _module("method.results").gather(run)


def _ablation(run: Run, request: Request) -> None:
    _module("studies.ablations").run_row(run, request.item)


def _crossed(run: Run, request: Request) -> None:
    _module("comparisons.crossed").compare(run, _fold(run, request.item))
    _module("comparisons.crossed").keep_crossed(run)


def _beyond(run: Run, request: Request) -> None:
    fold = _fold(run, request.item)
    _module("comparisons.beyond").segment_beyond(run, fold)
    _module("comparisons.beyond_residuals").segment_residuals(run, fold)
    _module("comparisons.unet_stages").train_unet(run, fold, "supervised")
    _module("comparisons.beyond_export").write_rows(run)


def _curve(run: Run, request: Request) -> None:
    _module("studies.learning_curve").measure_fold(run, _fold(run, request.item))


def _row(run: Run, request: Request) -> None:
    _module("sweeps.rows").measure_row(run, request.item)


def _length(run: Run, request: Request) -> None:
    _module("studies.lengths").run_length(run, request.item)


def _notebook(run: Run, request: Request) -> None:
    _module("pages.notebooks").execute(run, request.item)


def _publish(run: Run, _request: Request) -> None:
    _module("pages.publishing").publish(run)


def _fold(run: Run, item: str) -> int:
    folds = [str(fold) for fold in range(run.folds)]
    if item not in folds:
        raise ValueError(f"This run has no fold {item!r}; it has {', '.join(folds)}.")
    return int(item)


def _no_pair(run: Run, item: str) -> ValueError:
    return ValueError(f"This run has no pair {item!r}; its pairs are {', '.join(run.pairs())}.")


def _find_network(run: Run, item: str) -> tuple[Run, TrainingSettings]:
    named, _, sequence = item.rpartition("/")
    if (opened := combinations.open_pair(run, named)) and sequence in SEQUENCES:
        own, pair = opened
        chosen = {(network.pair, network.sequence): network for network in own.networks()}
        return own, chosen[pair, sequence]
    raise ValueError(
        f"This run has no network {item!r}; give one of the pairs {', '.join(run.pairs())} and "
        f"one of the sequences {', '.join(SEQUENCES)}, as in {run.pairs()[0]}/{FLAIR}."
    )


STAGES: Mapping[str, Callable[[Run, Request], None]] = MappingProxyType(
    {
        "cohort": _cohort,
        "check": _check,
        "prepare": _prepare,
        "network": _network,
        "segment": _segment,
        "attribution": _attribution,
        "baselines": _baselines,
        "gather": _gather,
        "ablation": _ablation,
        "crossed": _crossed,
        "beyond": _beyond,
        "curve": _curve,
        "length": _length,
        "row": _row,
        "notebook": _notebook,
        "publish": _publish,
    }
)
