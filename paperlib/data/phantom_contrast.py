"""Contrast of a simulated patient: tissue maps become FLAIR and T1CE intensities.

Intensities have white matter = 1 until `acquire` turns them into the integers of a scanner.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int16
from numpy import ndarray
from numpy.random import Generator
from scipy import ndimage
from scipy.special import expit

from paperlib.data.phantom_anatomy import Anatomy
from paperlib.data.phantom_space import smooth_noise, voxel_positions
from paperlib.labels import FLAIR, T1CE

RING_SHARE = 0.2  # share of images with motion rings
LEAST_SIGNAL = 0.05  # where a dark rim meets fluid; a signal can't be negative


class Look(NamedTuple):
    """How one sequence looks; a pair is the mean and the sd between patients.

    Attributes:
        grey: Grey matter minus white matter.
        grey_limit: Upper limit of the drawn difference.
        csf: Cerebrospinal fluid minus white matter.
        rim: Signal added at the brain's rim.
        residue: Weight of the bright residue that stripping leaves at the rim.
        texture: Amplitude of the texture.
        patches: Weights of the patterns in the texture.
        bias: Amplitude of the bias field.
        slice_mm: Slice thicknesses; one is drawn.
        noise: Sd of the Rician noise.
        scale: Median intensity of white matter in the file.
    """

    grey: tuple[float, float]
    grey_limit: float
    csf: tuple[float, float]
    rim: tuple[float, float]
    residue: float
    texture: float
    patches: Mapping[str, float]
    bias: float
    slice_mm: tuple[int, ...]
    noise: float
    scale: float


class Patterns(NamedTuple):
    """Smooth noise of variance 1, shared by the sequences, named by how far it reaches."""

    broad: Float32[ndarray, " voxel"]
    patchy: Float32[ndarray, " voxel"]
    blotchy: Float32[ndarray, " voxel"]
    grainy: Float32[ndarray, " voxel"]


class Contrast(NamedTuple):
    """One sequence of one patient without the tumour.

    Attributes:
        healthy: Signal of the tissues.
        gain: Factor of texture, bias field and motion rings.
    """

    healthy: Float32[ndarray, " voxel"]
    gain: Float32[ndarray, " voxel"]


PATTERN_MM = MappingProxyType(
    {"broad": (30, 30, 30), "patchy": (22, 22, 22), "blotchy": (6, 6, 6), "grainy": (2, 2, 3.6)}
)


def draw_patterns(rng: Generator, brain: Bool[ndarray, "x y z"], step_mm: int) -> Patterns:
    """Draw the patterns that texture, vessels and tumours share.

    Args:
        rng: The stream of the appearance.
        brain: True inside the brain, on the voxels of the box.
        step_mm: Size of the voxels.
    """
    return Patterns(
        **{
            name: smooth_noise(rng, brain.shape, np.divide(spacing_mm, step_mm).tolist())[brain]
            for name, spacing_mm in PATTERN_MM.items()
        }
    )


def draw_contrasts(
    rng: Generator, anatomy: Anatomy, patterns: Patterns, step_mm: int
) -> dict[str, Contrast]:
    """Draw the healthy signal and the gain of every sequence.

    Args:
        rng: The stream of the appearance, after `draw_patterns`.
        anatomy: The patient's brain.
        patterns: The patient's patterns.
        step_mm: Size of the voxels.
    """
    rim = np.clip((0.80 - anatomy.edge) / 0.30, 0, 1)
    residue = rng.uniform(0, 1.4) * np.clip(patterns.broad - 1, 0, 1.5)
    contrasts = {}
    for name, look in LOOKS.items():
        grey = 1 + min(rng.normal(*look.grey), look.grey_limit)
        fluid = 1 + rng.normal(*look.csf)
        healthy = anatomy.wm + grey * anatomy.gm + fluid * anatomy.csf
        healthy += EXTRAS[name](rng, anatomy, patterns)
        partial = rng.normal(*look.rim) * (1 + 0.5 * patterns.blotchy)
        healthy += rim * (partial + look.residue * residue)
        gain = _draw_gain(rng, look, anatomy, patterns, step_mm)
        contrasts[name] = Contrast(np.maximum(healthy, LEAST_SIGNAL), gain)
    return contrasts


def _hyperintense_white_matter(
    rng: Generator, anatomy: Anatomy, patterns: Patterns
) -> Float32[ndarray, " voxel"]:
    """Return the caps around the ventricles and the spots that half of the patients have."""
    present, spotted, amount = rng.random() < 0.5, rng.random() < 0.6, rng.uniform(0.15, 0.5)
    a, b = patterns.patchy, patterns.blotchy
    lesions = expit((1.6 * anatomy.ventricles + 0.35 * a + 0.25 * b - 1.25) / 0.08)
    if spotted:
        lesions += anatomy.core * expit((b + 0.6 * a - 2.3) / 0.15)
    return present * amount * anatomy.wm * lesions


def _vessels(rng: Generator, anatomy: Anatomy, patterns: Patterns) -> Float32[ndarray, " voxel"]:
    """Return the enhancement of small vessels and of the falx."""
    small, midline = rng.uniform(0.4, 1.8), rng.uniform(0, 1.2)
    vessels = np.clip(patterns.grainy - 1.3, 0, 1.5)
    vessels *= (0.08 + anatomy.csf) * (1 - 0.3 * anatomy.core)
    falx = np.exp(-(((anatomy.template_x - 118) / 1.6) ** 2))
    falx *= (anatomy.core < 0.9) & (anatomy.csf > 0.2)
    return small * vessels + midline * falx * np.clip(0.3 + 0.7 * patterns.blotchy, 0, 1.5)


def _draw_gain(
    rng: Generator, look: Look, anatomy: Anatomy, patterns: Patterns, step_mm: int
) -> Float32[ndarray, " voxel"]:
    """Draw texture, bias field and, in some images, the rings of a moving head."""
    brain = anatomy.brain
    texture = look.texture * rng.uniform(0.6, 1.5)
    gain = 1 + texture * sum(w * getattr(patterns, name) for name, w in look.patches.items())
    bias = look.bias * rng.uniform(0.4, 1.8)
    spacing = [distance_mm / step_mm for distance_mm in (55, 55, 45)]
    gain *= np.exp(bias * smooth_noise(rng, brain.shape, spacing)[brain])
    present, amount = rng.random() < RING_SHARE, rng.uniform(0.02, 0.06)
    wave_mm = rng.uniform(5, 8)
    if present:
        x, y, _ = voxel_positions(step_mm)
        radius = np.hypot(0.8 * (x[:, None] - x.mean()), y - y.mean())
        radius = np.broadcast_to(radius[..., None], brain.shape)[brain]
        gain += amount * np.cos(2 * np.pi * radius / wave_mm + patterns.patchy)
    return gain


def acquire(
    rng: Generator,
    name: str,
    signals: list[Float32[ndarray, " voxel"]],
    brain: Bool[ndarray, "x y z"],
    step_mm: int,
) -> list[Int16[ndarray, " voxel"]]:
    """Scan several versions of one brain with the same slices, noise and scale.

    Args:
        rng: The stream of the sequence.
        name: The sequence, "flair" or "t1ce".
        signals: Signal with the brain's white matter at 1, one array per version.
        brain: True inside the brain, on the voxels of the box.
        step_mm: Size of the voxels; above 1 mm slices are not thickened further.

    Returns:
        Intensities 1 to 32767 for each of `signals`.
    """
    look = LOOKS[name]
    thickness_mm = int(rng.choice(look.slice_mm))
    sd = look.noise * rng.uniform(0.5, 1.6)
    scale = look.scale * float(np.exp(rng.normal(0, 0.6)))
    noise = sd * rng.standard_normal((2, int(brain.sum())), dtype=np.float32)
    if step_mm == 1 and thickness_mm > 1:
        signals = thicken(signals, brain, thickness_mm)
    images = (scale * np.hypot(signal + noise[0], noise[1]) for signal in signals)
    return [np.clip(np.rint(image), 1, 32767).astype(np.int16) for image in images]


def thicken(
    signals: list[Float32[ndarray, " voxel"]], brain: Bool[ndarray, "x y z"], voxels: int
) -> list[Float32[ndarray, " voxel"]]:
    """Return the mean over the brain among `voxels` voxels along z; air does not count."""

    def mean(values: Float32[ndarray, " voxel"]) -> Float32[ndarray, " voxel"]:
        volume = np.zeros(brain.shape, np.float32)
        volume[brain] = values
        return ndimage.uniform_filter1d(volume, voxels, axis=2, mode="constant")[brain]

    share = mean(np.ones_like(signals[0]))
    return [mean(signal) / share for signal in signals]


LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        FLAIR: Look(
            grey=(0.10, 0.05),
            grey_limit=np.inf,
            csf=(-0.49, 0.09),
            rim=(-0.06, 0.40),
            residue=1.0,
            texture=0.06,
            patches={"patchy": 0.45, "blotchy": 0.3, "grainy": 1.1},
            bias=0.05,
            slice_mm=(3, 5, 5),
            noise=0.014,
            scale=400,
        ),
        T1CE: Look(
            grey=(-0.115, 0.08),
            grey_limit=0.04,
            csf=(-0.51, 0.09),
            rim=(-0.28, 0.50),
            residue=1.0,
            texture=0.05,
            patches={"broad": 0.55, "blotchy": -0.35, "grainy": 0.7},
            bias=0.07,
            slice_mm=(1, 1, 3),
            noise=0.013,
            scale=600,
        ),
    }
)
EXTRAS = MappingProxyType({FLAIR: _hyperintense_white_matter, T1CE: _vessels})
