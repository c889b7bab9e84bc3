"""A simulated patient and a folder of untrained networks, made without any run."""

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from paperlib.data import phantom
from paperlib.models import architectures

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
