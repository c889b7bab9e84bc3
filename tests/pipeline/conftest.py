"""A simulated patient and a folder of untrained networks, made without any run."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from paperlib import artifacts
from paperlib.config import BeyondSettings, PrepareSettings
from paperlib.data import brats, phantom, preprocess
from paperlib.evaluation.patients import likeness
from paperlib.models import architectures, lesion_unet
from paperlib.pipeline.new_patients import beyond_model_folder, patient_result

LOW, HIGH = 84, 96  # slices that the untrained pair sees
HEALTHY = {"z": [84, 88, 92, 95], "mean_residual": [-0.4, -0.1, 0.0, 0.1]}
PAIR = {
    "format": 1,
    "pair": "VAE-MSE-f0-s0",
    "profile": "mini",
    "simulated_patients": True,
    "networks": {"flair": "aa", "t1ce": "bb"},
    "prepare": {"z_low": LOW, "z_high": HIGH},
    "mixture": {"max_iterations": 20, "readings": ["both", "neighbourhood", "weights"]},
    "healthy_slices": HEALTHY,
    "thresholds": {"mean_residual": {"max_healthy": 0.1}, "latent_distance": {}},
    "latent_distance": {"mean": 1.0, "sd": 0.5},
}


@pytest.fixture(scope="session")
def simulated(tmp_path_factory) -> Path:
    """Return the folder of a simulated HGG patient, blocky, to be read only."""
    folder = tmp_path_factory.mktemp("phantom")
    return phantom.write_phantom(folder, 1, seed=0, step_mm=4, tumour_free_share=0.0)


@pytest.fixture(scope="session")
def volumes(simulated) -> dict[str, np.ndarray]:
    """Return its volumes in LPS order, as its files have them."""
    words = {"flair": "flair", "t1ce": "t1ce", "labels": "seg"}
    files = {name: simulated / f"{simulated.name}_{word}.nii.gz" for name, word in words.items()}
    return {name: np.asarray(nib.load(file).dataobj) for name, file in files.items()}


@pytest.fixture(scope="session")
def _untrained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "pair"
    with torch.random.fork_rng():
        for number, (sequence, content) in enumerate(PAIR["networks"].items()):
            home = folder / sequence
            home.mkdir(parents=True)
            torch.manual_seed(number)
            save_file(architectures.build("VAE").state_dict(), home / "weights.safetensors")
            np.save(home / "latent_mean.npy", np.zeros(1024, np.float32))
            np.save(home / "latent_variance.npy", np.full(1024, 4, np.float32))
            manifest = {"content": content, "settings": {"model": "VAE", "architecture": ""}}
            (home / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def make_model(_untrained, tmp_path) -> Callable[..., Path]:
    """Return what makes the folder of an untrained pair; entries of `pair.json` can be changed."""

    def make(name: str = "model", **changed: object) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for sequence in PAIR["networks"]:
            (folder / sequence).symlink_to(_untrained / sequence)
        (folder / "pair.json").write_text(json.dumps({**PAIR, **changed}))
        return folder

    return make


BEYOND_PREPARE = PrepareSettings(z_low=LOW, z_high=HIGH)
LIMITS = {"clean-up": 1.0, "synthetic": 0.8, "t1ce": 1.5}


def _measure(folder: Path) -> dict[str, float]:
    """Return what the slices of a simulated patient are like."""
    files = {name: folder / f"{folder.name}_{name}.nii.gz" for name in ("flair", "t1ce")}
    images = {name: brats.read_volume(file) for name, file in files.items()}
    patient = patient_result.prepare(BEYOND_PREPARE, images)
    seen = patient.usable
    lost = preprocess.lost_brain_share(
        images["flair"].astype(np.float32), patient_result.window_of(BEYOND_PREPARE)
    )
    shown = {name: image[seen] for name, image in patient.images.items()}
    return likeness.measure(shown, patient.brain[seen], lost_brain_share=lost)


@pytest.fixture(scope="session")
def beyond_model(tmp_path_factory) -> Path:
    """Return the folder of a model with untrained networks, to be read only."""
    root = tmp_path_factory.mktemp("beyond")
    others = [
        _measure(phantom.write_phantom(root, index, seed=0, step_mm=4, tumour_free_share=0.0))
        for index in range(2, 8)
    ]
    networks = {}
    for seed in (0, 1):
        networks[seed] = root / f"network-s{seed}"
        networks[seed].mkdir()
        network = lesion_unet.build_lesion_unet(seed=seed)
        save_file(network.state_dict(), networks[seed] / "weights.safetensors")
    folder = root / "models" / "beyond-f0"
    folder.mkdir(parents=True)
    model = beyond_model_folder.Model(
        folder.name,
        True,
        BEYOND_PREPARE,
        BeyondSettings(),
        LIMITS,
        {name: [other[name] for other in others] for name in others[0]},
        (),
    )
    beyond_model_folder.write_model(folder, model, networks, profile="mini")
    return folder


@pytest.fixture
def make_beyond_model(beyond_model, tmp_path) -> Callable[..., Path]:
    """Return what copies that model; entries of `model.json` can be changed."""

    def make(name: str = "beyond", **changed: object) -> Path:
        folder = shutil.copytree(beyond_model, tmp_path / name)
        content = artifacts.read_json(folder / "model.json")
        artifacts.write_json(folder / "model.json", {**content, **changed})
        return folder

    return make
