"""Every residual of the crossed table: networks, no network, and what needs no network (B3 to B8).

Training-free ones see the slice alone; the norm, the components and the denoiser are fitted to
healthy slices of the fold's training patients, as the paper's networks are.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray
from scipy import ndimage

from paperlib import artifacts
from paperlib.config import TrainingSettings
from paperlib.labels import FLAIR
from paperlib.models import simple
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.run import Run

MEDIAN_PX, GAUSSIAN_PX = 15, 4.0
COMPONENTS = (16, 64, 256, 1024)
SUBSPACE_SLICES = 2048  # at most, to find components in
PUBLISHED_PX = 5  # erosion and median of Kascenas et al.


class Shown(NamedTuple):
    """FLAIR slices of one patient or of several."""

    slices: pd.DataFrame  # its index is the place in the stacks
    images: ndarray
    brain: ndarray


Source = Callable[[Shown], ndarray]


class Fitted(NamedTuple):
    """What was learnt from the healthy training slices, apart from the networks.

    Attributes:
        norms: Norm of each height that is shown.
        subspace: Principal components.
        slices: Healthy training slices that the components were found in.
    """

    norms: Mapping[int, simple.Norm]
    subspace: simple.Subspace
    slices: int


def load_shown(run: Run, places: ndarray) -> Shown:
    """Return the FLAIR slices at some places."""
    images, brain = (
        np.asarray(artifacts.load_array(run.stage("prepare"), name)[places])
        for name in (FLAIR, "brain")
    )
    return Shown(patients.load_slices(run).iloc[places], images, brain)


def fit_healthy(run: Run, fold: int) -> Fitted:
    """Fit the norm of each height and the components to the fold's training patients."""
    slices = patients.load_slices(run)
    chosen = patients.load_fold(run, fold)
    healthy = load_shown(run, patients.healthy_of(slices, chosen.training))
    tested = patients.usable_of(slices, [*chosen.validation, *chosen.test])
    norms = {
        int(height): simple.norm_at(
            healthy.images, healthy.brain, healthy.slices["z"].to_numpy(), height=int(height)
        )
        for height in np.unique(slices["z"].to_numpy()[tested])
    }
    rows = patients.evenly(np.arange(len(healthy.slices)), SUBSPACE_SLICES)
    subspace = simple.fit_subspace(healthy.images[rows], components=max(COMPONENTS))
    return Fitted(norms, subspace, len(rows))


def component_numbers(fitted: Fitted) -> dict[int, int]:
    """Return how many components each wish for some is given; wishes given the same stand once."""
    found: dict[int, int] = {}
    for wished in COMPONENTS:
        given = min(wished, len(fitted.subspace.directions))
        if given not in found.values():
            found[wished] = given
    return found


def sources(
    run: Run, networks: list[TrainingSettings], fitted: Fitted, denoiser: segments.Residual
) -> dict[str, Source]:
    """Return how each residual is made; negative where an image is brighter than expected.

    Args:
        run: A prepared run.
        networks: The finished FLAIR networks of one fold.
        fitted: Of the same fold.
        denoiser: Residuals of its denoising U-Net.
    """
    found: dict[str, Source] = {
        f"{network.model}-{network.loss}-s{network.seed}": partial(
            _of_network, segments.load_residual(run, network)
        )
        for network in networks
    }
    found |= {
        "B3": lambda shown: -shown.images,
        "B4 median": lambda shown: (
            simple.masked_median(shown.images, shown.brain, side_px=MEDIAN_PX) - shown.images
        ),
        "B4 Gaussian": lambda shown: (
            simple.masked_gaussian(shown.images, shown.brain, sigma_px=GAUSSIAN_PX) - shown.images
        ),
        "B4 mirror": lambda shown: simple.mirror(shown.images, shown.brain) - shown.images,
        "B5": partial(_against_norm, fitted.norms),
    }
    for wished, given in component_numbers(fitted).items():
        found[f"B6 {wished}"] = partial(_outside_subspace, fitted.subspace, given)
    return found | {
        "B8": partial(_of_network, denoiser),
        "B8 published": partial(_as_published, denoiser),
    }


def _of_network(residual: segments.Residual, shown: Shown) -> ndarray:
    return residual.of(shown.slices.index.to_numpy())


def _against_norm(norms: Mapping[int, simple.Norm], shown: Shown) -> ndarray:
    """Return the difference to the norm in its standard deviations."""
    parts = zip(shown.images, shown.slices["z"], strict=True)
    found = [(norms[int(z)].mean - image) / norms[int(z)].sd for image, z in parts]
    return np.stack(found).astype(np.float32)


def _outside_subspace(subspace: simple.Subspace, components: int, shown: Shown) -> ndarray:
    return simple.project(subspace, shown.images, components=components) - shown.images


def _as_published(denoiser: segments.Residual, shown: Shown) -> ndarray:
    """Return minus the denoiser's own anomaly map: |r| in the eroded brain, median-filtered."""
    square = np.ones((1, PUBLISHED_PX, PUBLISHED_PX), bool)
    inside = ndimage.binary_erosion(shown.brain, square)
    return -ndimage.median_filter(np.abs(_of_network(denoiser, shown)) * inside, footprint=square)
