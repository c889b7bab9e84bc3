"""Which jobs `make ablations` and `make length` consist of, what each needs and costs.

Imports neither torch nor numba: Snakemake asks before it starts anything.
"""

from collections.abc import Mapping

from paperlib.pipeline.run import Run
from paperlib.pipeline.stages import STAGES
from paperlib.pipeline.studies.ablation_rows import (
    BASE,
    STAGE_ROWS,
    STUDIES,
    StageRow,
    find_study,
    is_of_run,
    networks_of,
)
from paperlib.pipeline.studies.length_rows import find_network

SEGMENT_S = 20.0  # of one core: 20 test patients of one sequence, fits to convergence
PREPARE_S = 75.0  # one sequence of 44 patients
NETWORK_START_S = 15.0  # torch, the looks on the way, the reconstructions
TYPICAL_MS = 14.0  # per slice, of a model that is not listed


def choose_rows(names: str = "") -> list[str]:
    """Return the names of the rows to run, what they are compared with first.

    Args:
        names: Separated by spaces; empty for all.

    Raises:
        ValueError: If one is unknown.
    """
    wanted: list[str] = []
    for name in names.split() or [study.name for study in STUDIES]:
        wanted += [BASE, find_study(name).against, name]
    return list(dict.fromkeys(wanted))


def choose_stages(names: str = "") -> list[StageRow]:
    """Return the stages that belong to all rows together, as far as there are such stages."""
    return [] if names.split() else [row for row in STAGE_ROWS if row.stage in STAGES]


def networks_needed(run: Run, name: str) -> list[str]:
    """Return the networks of the run that a row takes, as "pair/sequence"."""
    study = find_study(name)
    return [
        f"{network.pair}/{network.sequence}"
        for network in networks_of(run, study)
        if is_of_run(run, study, network)
    ]


def estimate_seconds(
    run: Run, step: str, item: str, *, ms_per_slice: Mapping[str, float]
) -> float | None:
    """Return a rough time of a job on one core in seconds, None of a job of another kind.

    Args:
        run: The run.
        step: Name of the job's stage.
        item: What the stage is told.
        ms_per_slice: Milliseconds of training, a slice, by model.
    """
    if step == "length":
        networks, seconds = [find_network(run, item)], 0.0
    elif step == "ablation":
        study = find_study(item)
        networks = networks_of(run, study)
        seconds = SEGMENT_S * len(networks) + PREPARE_S * study.prepares
        networks = [network for network in networks if not is_of_run(run, study, network)]
    else:
        return {row.stage: row.seconds for row in STAGE_ROWS}.get(step)
    for network in networks:
        ms = ms_per_slice.get(network.model, TYPICAL_MS)
        seconds += NETWORK_START_S + (network.slice_steps or 0) * ms / 1000
    return seconds
