"""The files of one patient P_1 and ways to change them."""

import nibabel as nib
import numpy as np

AFFINE = np.array([[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1.0]])
FLAIR, T1CE, SEG = "P_1_flair.nii.gz", "P_1_t1ce.nii.gz", "P_1_seg.nii.gz"


def save(file, voxels, affine=AFFINE):
    nib.save(nib.Nifti1Image(voxels, affine), file)


def changed(voxels, dtype, **values):
    """Return a copy as `dtype` with some voxels of the brain set to the given values."""
    copy = voxels.astype(dtype)
    for number, value in enumerate(values.values()):
        copy[110 + number, 104, 90] = value
    return copy


def moved(x=1.0, y=1.0, z=1.0):
    return AFFINE @ np.diag([x, y, z, 1])
