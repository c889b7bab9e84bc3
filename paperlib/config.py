"""Every setting of a run, one frozen dataclass per stage, and the profiles that fill them.

Each field names its unit and where it comes from: "paper" or "decided" (the paper is silent).
Profiles change counts, never geometry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from paperlib.labels import FLAIR, SEQUENCES


@dataclass(frozen=True)
class CohortSettings:
    """Simulated patients, used when no folder of real ones is given."""

    patients: int
    step_mm: int = 1  # grid of the simulation; the files are always 1 mm
    tumour_free_share: float = 0.0  # share of patients without a tumour
    several_foci: bool = False  # two or three foci in every tumour, apart from each other
    seed: int = 0


@dataclass(frozen=True)
class PrepareSettings:
    """From volumes to slices (section 3)."""

    z_low: int = 60  # first axial slice counted from the feet; decided
    z_high: int = 130  # one past the last: 70 slices, paper
    x_low: int = 30  # crop window in LPS voxels; decided, loses at most 0.14 % of the brain
    y_low: int = 38
    window: int = 180  # voxels, paper
    size: int = 128  # pixels, paper
    zscore: str = "mean_sd"  # over brain pixels, per patient and sequence; decided
    clip_low: float = -5.0  # z units; decided
    clip_high: float = 10.0
    brain_share: float = 0.05  # a slice counts from this share of brain pixels on; decided
    min_tumour_px: int = 1  # pixels that make a slice a tumour slice; decided
    lost_brain_warning: float = 0.001  # share of brain outside the window; decided


@dataclass(frozen=True)
class SplitSettings:
    """Who trains, who sets thresholds, who is tested (section 3)."""

    folds: int = 1  # 1: one test set; more: cross-validation, each patient tested once
    test_hgg: int | None = None  # patients; None: `test_share` of them, stratified
    test_lgg: int | None = None
    test_share: float = 0.25  # decided; the paper holds out 30 of 285
    validation_share: float = 0.1  # of the training patients, rounded up, at least 2; decided
    min_healthy_slices: int = 10  # of a patient, to be taken for validation; decided
    min_validation_slices: int = 30  # healthy slices of all validation patients; decided
    seed: int = 0


@dataclass(frozen=True)
class AugmentSettings:
    """One augmented copy beside each original (section 3); all ranges decided."""

    flip_probability: float = 0.5  # left-right only
    rotation_deg: float = 10.0
    scale: float = 0.1
    shear_deg: float = 5.0
    square_probability: float = 0.5  # of a copy to get squares of noise
    squares_low: int = 1  # squares on a copy that gets some; decided
    squares_high: int = 1
    square_low_px: int = 15  # paper
    square_high_px: int = 50  # paper


@dataclass(frozen=True)
class TrainingSettings:
    """One network (section 4.1)."""

    model: str
    loss: str
    sequence: str = FLAIR
    fold: int = 0
    seed: int = 0
    slice_steps: int | None = 12_000  # slices seen by the optimiser; None: until `max_epochs`
    max_epochs: int | None = None  # paper profile only
    patience: int | None = None  # epochs without a better validation loss; paper profile only
    batch_size: int = 8
    learning_rate: float = 1e-3  # Adam; decided
    gradient_clip: float = 1.0  # decided
    beta: Mapping[str, float] = field(
        default_factory=lambda: {"MSE": 1.0, "L1": 1.0, "SSIM": 0.1}
    )  # weight of the KL term; decided
    ssim_domain: str = "z"  # z | shifted | unit; decided
    ssim_range: float | None = None  # z units; None: percentiles of the healthy brain; decided
    ssim_window: int = 11  # pixels, odd; the Gaussian's sd grows with it; decided
    context_share: float = 0.5  # VAE-CE: weight of the context branch; decided
    gan_weight: float = 0.01  # AAE, BiAAE: weight of the adversarial term; decided
    gan_learning_rate: float = 2e-4  # Adam of the discriminator; decided
    pairing: str = "shared"  # BiAAE: shared | literal | ali, see models/adversaries.py; decided
    architecture: str = ""  # key of architectures.ARCHITECTURES; empty: the model's own
    train_slices: str = "healthy"  # healthy | all | random; paper
    guard_mm: float = 0.0  # healthy slices nearer to a tumour slice are left out; decided
    best_weights_from: int = 20  # training patients; with fewer the last weights; decided
    autocast: bool = False  # bf16 on CUDA
    augment: AugmentSettings = field(default_factory=AugmentSettings)

    @property
    def pair(self) -> str:
        """Name shared by the two networks of one row of Table 2."""
        return f"{self.model}-{self.loss}-f{self.fold}-s{self.seed}"


@dataclass(frozen=True)
class MixtureSettings:
    """Neighbourhood-weighted Gaussian mixture and what follows it (section 4.3)."""

    readings: tuple[str, ...] = ("both", "neighbourhood", "weights")  # of equation 1; decided
    reading: str = "neighbourhood"  # taken downstream; tuned, see the deviations page
    max_iterations: int = 1000  # decided
    tolerance: float = 1e-4  # mean absolute change of the posterior; decided
    start: str = "quantile"  # decided
    cluster: str = "smallest"  # paper
    tail: str = "both"  # decided
    component: str = "all"  # decided
    hull: str = "slice"  # decided


@dataclass(frozen=True)
class BeyondSettings:
    """Segmentation beyond the paper: smoothed FLAIR, and a network of synthetic lesions.

    Nothing of it deviates from the paper, so the deviations page does not list it.
    """

    seeds: tuple[int, ...] = (0, 1, 2)  # of the networks that are trained
    averaged: tuple[int, ...] = (0, 1)  # of those whose logits are averaged, and segment uses
    gamma_seeds: tuple[int, ...] = (1,)  # of those trained on bent brightness, too
    slice_steps: int = 7_200  # slices seen by the optimiser: 450 batches
    batch_size: int = 16
    learning_rate: float = 4e-3  # AdamW, at its highest
    warm_up: float = 0.15  # share of the training until there
    weight_decay: float = 1e-4
    flair_sigma_px: float = 1.0  # of the Gaussian over FLAIR and logits, in 3-D
    t1ce_sigma_px: float = 0.5
    logit_limit: float = 8.0  # logits are cut there
    clean_up_share: float = 0.01  # of healthy pixels above, without the network
    synthetic_share: float = 0.02  # the same with it
    t1ce_share: float = 0.01
    t1ce_floor: float = 0.8  # z units: nothing darker enhances, whatever suits the patient
    enhancing_px: int = 20  # fewer enhancing voxels together are a vessel or noise
    hull: str = "slice"  # as the paper's tissues
    component: str = "foci"  # that a new patient keeps; the rows show others beside it
    clean_up_component: str = "ball"  # the same without the network, which finds more that is wide


@dataclass(frozen=True)
class Profile:
    """How much of everything: counts only."""

    name: str
    purpose: str
    cohort: CohortSettings
    split: SplitSettings
    models: tuple[str, ...]
    losses: tuple[str, ...]
    slice_steps: int | None
    batch_size: int = 8
    max_epochs: int | None = None
    patience: int | None = None
    seeds: tuple[int, ...] = (0,)
    max_patients: int | None = None  # with DATA: the first usable ones
    autocast: bool = False
    mixture: MixtureSettings = field(default_factory=MixtureSettings)
    beyond: BeyondSettings = field(default_factory=BeyondSettings)

    def networks(self, folds: int) -> list[TrainingSettings]:
        """Return the settings of every network of a run, in training order."""
        return [
            TrainingSettings(
                model=model,
                loss=loss,
                sequence=sequence,
                fold=fold,
                seed=seed,
                slice_steps=self.slice_steps,
                max_epochs=self.max_epochs,
                patience=self.patience,
                batch_size=self.batch_size,
                autocast=self.autocast,
            )
            for seed in self.seeds
            for fold in range(folds)
            for model in self.models
            for loss in self.losses
            for sequence in SEQUENCES
        ]


_ALL_MODELS = ("VAE", "dVAE", "VAE1px", "VAE-CE", "AAE", "BiAAE")
_PHANTOM_COHORT = CohortSettings(patients=44)
_PHANTOM_SPLIT = SplitSettings(test_hgg=14, test_lgg=6)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "smoke": Profile(
            name="smoke",
            purpose="the whole way in minutes; its numbers mean nothing",
            cohort=CohortSettings(patients=8, step_mm=2),
            split=SplitSettings(test_hgg=2, test_lgg=1),
            models=("VAE",),
            losses=("MSE",),
            slice_steps=800,
            max_patients=8,
            beyond=BeyondSettings(slice_steps=160),
        ),
        "phantom": Profile(
            name="phantom",
            purpose="simulated patients, every row of Table 2",
            cohort=_PHANTOM_COHORT,
            split=_PHANTOM_SPLIT,
            models=_ALL_MODELS,
            losses=("MSE", "SSIM"),
            slice_steps=10_000,
        ),
        "phantom-free": Profile(
            name="phantom-free",
            purpose="simulated patients, three of ten without a tumour",
            cohort=CohortSettings(patients=44, tumour_free_share=0.3),
            split=_PHANTOM_SPLIT,
            models=("dVAE",),
            losses=("SSIM",),
            slice_steps=10_000,
        ),
        "phantom-foci": Profile(
            name="phantom-foci",
            purpose="simulated patients, two or three foci in each",
            cohort=CohortSettings(patients=44, several_foci=True),
            split=_PHANTOM_SPLIT,
            models=("dVAE",),
            losses=("SSIM",),
            slice_steps=10_000,
        ),
        "laptop": Profile(
            name="laptop",
            purpose="real patients on two cores",
            cohort=_PHANTOM_COHORT,
            split=SplitSettings(),
            models=("VAE", "dVAE"),
            losses=("MSE", "SSIM"),
            slice_steps=12_000,
        ),
        "full": Profile(
            name="full",
            purpose="real patients on two cores, all six models; hours",
            cohort=_PHANTOM_COHORT,
            split=SplitSettings(),
            models=_ALL_MODELS,
            losses=("SSIM", "MSE"),
            slice_steps=12_000,
        ),
        "paper": Profile(
            name="paper",
            purpose="the paper's counts, for a GPU",
            cohort=CohortSettings(patients=285),
            split=SplitSettings(test_hgg=20, test_lgg=10),
            models=_ALL_MODELS,
            losses=("MSE", "SSIM"),
            slice_steps=None,
            batch_size=64,
            max_epochs=200,
            patience=15,
            autocast=True,
        ),
    }
)
