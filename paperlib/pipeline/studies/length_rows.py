"""Which networks `make length` trains: FLAIR, one fold, long enough for the order to settle."""

import dataclasses

from paperlib.config import TrainingSettings
from paperlib.evaluation.paper import MODELS
from paperlib.pipeline.run import Run
from paperlib.pipeline.studies.ablation_rows import base_network

SLICE_STEPS = 32_000  # decided: doubled until the order of a prototype had turned round
LOSSES = ("SSIM", "MSE")
SEVERAL_SEEDS = ("VAE", "dVAE")  # of these three networks each; on phantoms only these
SEEDS = (0, 1, 2)


def length_networks(run: Run) -> list[TrainingSettings]:
    """Return the networks whose training is followed, further seeds last."""
    base = dataclasses.replace(
        base_network(run), slice_steps=SLICE_STEPS, max_epochs=None, patience=None
    )
    return [
        dataclasses.replace(base, model=model, loss=loss, seed=seed)
        for model, loss, seed in followed(real=run.data is not None)
    ]


def followed(*, real: bool) -> list[tuple[str, str, int]]:
    """Return model, loss and seed of every training, on real or on simulated patients."""
    return [
        (model, loss, seed)
        for seed in SEEDS
        for model in (MODELS if real else SEVERAL_SEEDS)
        for loss in LOSSES
        if seed == SEEDS[0] or model in SEVERAL_SEEDS
    ]


def name_of(network: TrainingSettings) -> str:
    """Return the name of a network's job: "dVAE-SSIM-s1"."""
    return f"{network.model}-{network.loss}-s{network.seed}"


def find_network(run: Run, name: str) -> TrainingSettings:
    """Return the network of a name.

    Raises:
        ValueError: If it is none of those followed.
    """
    known = {name_of(network): network for network in length_networks(run)}
    if name not in known:
        raise ValueError(f"No training of {name!r} is followed; there are {', '.join(known)}.")
    return known[name]
