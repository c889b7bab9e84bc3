"""What training the whole paper costs, computed from what a run's networks took (section 4.1).

Surprising convention: an upper bound. The paper profile stops a network when its validation loss
no longer falls; here every network trains all its epochs.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from paperlib.config import PROFILES, Profile
from paperlib.evaluation import paper
from paperlib.evaluation.texts.summary import Summary

PROFILE = "paper"
SECONDS_PER_HOUR = 3600
LOOKS = 2  # slices an epoch shows for each training slice: itself and an augmented copy


def summarise_costs(timed: Mapping[str, Any], counted: Mapping[str, Any]) -> Summary:
    """Return the cost of the paper profile under keys such as `cost.dVAE.network_hours`.

    Args:
        timed: Provenance of a run with all models, whose times are taken.
        counted: Provenance of a run of real patients, whose healthy slices are counted.

    Raises:
        ValueError: If a model was not timed.
    """
    profile = PROFILES[PROFILE]
    ms = milliseconds(timed["networks"])
    if missing := [model for model in profile.models if model not in ms]:
        raise ValueError(f"No network of {', '.join(missing)} was timed; give a run of all models.")
    patients = training_patients(profile)
    epoch = round(LOOKS * patients * counted["healthy_slices"] / counted["patients"])
    networks = profile.networks(folds=1)
    epochs = profile.max_epochs or 1
    found: Summary = {
        "patients": profile.cohort.patients,
        "training_patients": patients,
        "healthy_slices_a_patient": counted["healthy_slices"] / counted["patients"],
        "epoch_slices": epoch,
        "epochs": epochs,
        "patience": profile.patience or epochs,
        "networks": len(networks),
        "cores": int(timed["platform"]["cores"]),
        "timed_networks": len(timed["networks"]),
        "timed_hours": sum(one["seconds"] for one in timed["networks"]) / SECONDS_PER_HOUR,
    }
    hours = {model: ms[model] / 1000 * epoch * epochs / SECONDS_PER_HOUR for model in ms}
    for model in profile.models:
        count = sum(network.model == model for network in networks)
        found |= {
            f"{model}.ms": ms[model],
            f"{model}.network_hours": hours[model],
            f"{model}.networks": count,
            f"{model}.hours": count * hours[model],
        }
    total = sum(hours[network.model] for network in networks)
    found |= {"hours": total, "days": total / 24}
    return {f"cost.{key}": value for key, value in found.items()}


def milliseconds(networks: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return what one slice costs in training, in milliseconds of one core, by model.

    Args:
        networks: Of a provenance; the median over those of one model is taken.
    """
    times: dict[str, list[float]] = {}
    for network in networks:
        model = network["pair"].rsplit("-", 3)[0]  # VAE-CE of VAE-CE-SSIM-f0-s0
        times.setdefault(model, []).append(1000 * network["seconds"] / network["slice_steps"])
    return {model: median(found) for model, found in times.items()}


def training_patients(profile: Profile) -> int:
    """Return how many patients are left to train on after test and validation."""
    left = profile.cohort.patients - paper.TEST_PATIENTS
    return left - math.ceil(profile.split.validation_share * left)
