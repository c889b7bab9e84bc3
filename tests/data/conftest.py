"""Small BraTS folders: real shape, nearly empty, so that gzip is quick."""

import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

SHAPE = (240, 240, 155)
LPS_PLACE = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}


@pytest.fixture(autouse=True, scope="session")
def quick_gzip():
    """Level 1 halves the time of the whole file."""
    before = nib.openers.Opener.default_compresslevel
    nib.openers.Opener.default_compresslevel = 1
    yield
    nib.openers.Opener.default_compresslevel = before


def make_voxels(seed: int) -> dict[str, np.ndarray]:
    """Return LPS volumes with a brain of noise and a tumour in slices 80 to 99."""
    rng = np.random.default_rng(seed)
    voxels = {name: np.zeros(SHAPE, np.uint8) for name in ("flair", "t1ce", "labels")}
    for name in ("flair", "t1ce"):
        voxels[name][100:140, 90:150, 40:120] = rng.integers(1, 200, (40, 60, 80))
    voxels["labels"][110:125, 100:120, 80:100] = 2
    voxels["labels"][112:120, 104:112, 84:96] = 1
    voxels["labels"][112:116, 104:106, 84:96] = 4
    return voxels


def store(voxels: np.ndarray, axes: str) -> tuple[np.ndarray, np.ndarray]:
    """Return an LPS volume of 1 mm as a file with `axes` has it, and its affine.

    The affine is put together from its definition, not by nibabel's orientations: it takes an
    index of the file to the same point in the patient that the LPS index has.
    """
    stored = np.transpose(voxels, [LPS_PLACE[letter] for letter in axes])
    affine = np.zeros((4, 4))
    affine[:, 3] = (0, 239, 0, 1)  # where LPS index (0, 0, 0) lies, in RAS millimetres
    for axis, letter in enumerate(axes):
        place = LPS_PLACE[letter]
        step = 1 if letter in "RAS" else -1
        affine[place, axis] = step
        if letter not in "LPS":
            stored = np.flip(stored, axis)
            affine[place, 3] -= step * (stored.shape[axis] - 1)
    return stored, affine


def write_nifti(file: Path, voxels: np.ndarray, axes: str = "LPS", **header: object) -> None:
    """Write an LPS volume; `header` sets fields of the NIfTI header."""
    stored, affine = store(voxels, axes)
    image = nib.Nifti1Image(stored, affine)
    for field, value in header.items():
        image.header[field] = value
    file.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, file)


@pytest.fixture(scope="session")
def voxels() -> dict[str, np.ndarray]:
    return make_voxels(0)


@pytest.fixture(scope="session")
def write() -> Callable[..., None]:
    return write_nifti


@pytest.fixture(scope="session")
def other_voxels() -> Callable[[int], dict[str, np.ndarray]]:
    return make_voxels


@pytest.fixture(scope="session")
def _written_once(tmp_path_factory, voxels) -> Path:
    folder = tmp_path_factory.mktemp("brats") / "P_1"
    for name, word in (("flair", "flair"), ("t1ce", "t1ce"), ("labels", "seg")):
        write_nifti(folder / f"P_1_{word}.nii.gz", voxels[name])
    return folder


@pytest.fixture
def patient(tmp_path, _written_once) -> Path:
    """Return the folder of a sound patient P_1, free to be broken; tmp_path/HGG is its cohort."""
    return Path(shutil.copytree(_written_once, tmp_path / "HGG" / "P_1"))
