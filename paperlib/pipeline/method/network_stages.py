"""The stages of section 4.1: whether a network has to be trained is decided without torch."""

import dataclasses
import importlib
from collections.abc import Mapping
from pathlib import Path

from paperlib.config import TrainingSettings
from paperlib.pipeline.run import Run, run_stage

TRAINER = "paperlib.pipeline.method.networks"  # imports torch
RECONSTRUCTOR = "paperlib.pipeline.method.reconstructions"  # imports torch
INFERENCE_CODE = (
    RECONSTRUCTOR,
    "paperlib.models.architectures",
    "paperlib.models.inference",
    "paperlib.models.weights",
)
TRAINING_CODE = (
    TRAINER,
    "paperlib.data.augment",
    "paperlib.evaluation.measures.convergence",
    "paperlib.models.adversaries",
    "paperlib.models.architectures",
    "paperlib.models.inference",
    "paperlib.models.losses",
    "paperlib.models.objectives",
    "paperlib.models.training",
    "paperlib.models.training_state",
)


def train_network(run: Run, network: TrainingSettings) -> bool:
    """Train one network unless it is there; an interrupted training goes on."""

    def make(folder: Path, key: str) -> Mapping[str, object]:
        return importlib.import_module(TRAINER).train(run, network, folder, key)

    return run_stage(
        run.network_folder(network),
        settings=dataclasses.asdict(network),
        upstream={"prepare": run.stage("prepare"), "split": run.stage("split")},
        code=TRAINING_CODE,
        make=make,
        keep=lambda key: (checkpoint_name(key),),
    )


def reconstruct_slices(run: Run, network: TrainingSettings) -> bool:
    """Let a trained network reconstruct what it never saw, unless that is done."""

    def make(folder: Path, _key: str) -> None:
        importlib.import_module(RECONSTRUCTOR).reconstruct(run, network, folder)

    return run_stage(
        run.reconstruction_folder(network),
        settings={},
        upstream={"network": run.network_folder(network), "prepare": run.stage("prepare")},
        code=INFERENCE_CODE,
        make=make,
    )


def checkpoint_name(key: str) -> str:
    """Return the name of the file that an interrupted training goes on from."""
    return f"checkpoint-{key}.pt"
