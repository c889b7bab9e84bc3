"""What `make ablations` changes, as data: one base, one change a row, in words and in settings.

The base is the paper's own choice, dVAE with SSIM on FLAIR, judged by the outline (Table 2). A
row that names no training setting takes the base's network and only segments again.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from paperlib.config import AugmentSettings, TrainingSettings
from paperlib.evaluation.paper import PAPERS_CHOICE
from paperlib.labels import FLAIR, T1CE
from paperlib.pipeline.run import Run
from paperlib.pipeline.studies import own_rows

BASE = "base"
JOINT = "joint"  # one network of both sequences; its array has the axis channel


@dataclass(frozen=True)
class OutlineSettings:
    """Steps from residual to outline that have no setting elsewhere (section 4.3)."""

    mask: str = "brain"  # what is clustered: brain | image; decided
    neighbours: int = 8  # of a pixel: 8 | 4; paper
    morphology: bool = True  # opening and closing; paper
    gate: str = ""  # a key of scores.GATES on the mean residual, or "height"; empty: none


@dataclass(frozen=True)
class Study:
    """One row: what is changed, and what it is compared with.

    Attributes:
        name: Of its files and its job.
        group: Heading on the page.
        change: In words.
        training: Changed fields of `TrainingSettings`.
        mixture: Changed fields of `MixtureSettings`.
        outline: Changed fields of `OutlineSettings`.
        prepare: Changed fields of `PrepareSettings`.
        against: Name of the row that it changes.
        region: That is counted; another than WT needs the T1CE network, too.
        empty: Dice of a slice where prediction and truth are empty. 0 as in Table 2; under 0 no
            gate can raise a Dice, so rows with a gate are compared under 1.
    """

    name: str
    group: str
    change: str
    training: Mapping[str, Any] = field(default_factory=dict)
    mixture: Mapping[str, Any] = field(default_factory=dict)
    outline: Mapping[str, Any] = field(default_factory=dict)
    prepare: Mapping[str, Any] = field(default_factory=dict)
    against: str = BASE
    region: str = "WT"
    empty: float = 0.0

    @property
    def prepares(self) -> bool:
        """Whether it needs slices of its own."""
        return bool(self.prepare) or self.training.get("sequence") == JOINT


@dataclass(frozen=True)
class StageRow:
    """A stage of the run that belongs to `make ablations` but writes its own tables."""

    stage: str  # key of stages.STAGES
    item: str
    seconds: float  # of one core, rough


def base_network(run: Run) -> TrainingSettings:
    """Return the FLAIR network that everything is changed around: the paper's where trained."""
    flair = [network for network in run.networks() if network.sequence == FLAIR]
    chosen = [network for network in flair if (network.model, network.loss) == PAPERS_CHOICE]
    return (chosen or flair)[0]


def networks_of(run: Run, study: Study) -> list[TrainingSettings]:
    """Return the networks of a row, the one that shows the outline first."""
    network = dataclasses.replace(base_network(run), **study.training)
    if study.region == "WT":
        return [network]
    return [network, dataclasses.replace(network, sequence=T1CE)]


def is_of_run(run: Run, study: Study, network: TrainingSettings) -> bool:
    """Return whether a row takes a network that the run has anyway."""
    return not study.prepares and network in run.networks()


def find_study(name: str) -> Study:
    """Return the row of a name: of `STUDIES`, or a person's own, SETTING=VALUE.

    Raises:
        ValueError: If there is none.
    """
    if own_rows.is_own(name):
        changed, words = own_rows.read_change(name), name.replace("=", " ")
        return Study(name, own_rows.GROUP, words, changed.training, changed.mixture)
    found = [study for study in STUDIES if study.name == name]
    if not found:
        known = ", ".join(study.name for study in STUDIES)
        raise ValueError(f"There is no ablation {name!r}; the rows are {known}, and SETTING=VALUE.")
    return found[0]


def _kl_weight(weight: float) -> dict[str, Any]:
    return {"beta": {"MSE": 1.0, "L1": 1.0, "SSIM": weight}}


_STILL = AugmentSettings(flip_probability=0.0, rotation_deg=0.0, scale=0.0, shear_deg=0.0)
_VAE: dict[str, Any] = {"model": "VAE"}
_AAE: dict[str, Any] = {"model": "AAE"}
_AAE_MSE: dict[str, Any] = {"model": "AAE", "loss": "MSE"}
_BIAAE: dict[str, Any] = {"model": "BiAAE"}

STUDIES: tuple[Study, ...] = (
    Study(BASE, "base", "nothing changed"),
    Study("both", "reading", "equation 1 as printed: shares and W", mixture={"reading": "both"}),
    Study("weights", "reading", "plain mixture, no W", mixture={"reading": "weights"}),
    Study("iterations-5", "fit", "at most 5 iterations", mixture={"max_iterations": 5}),
    Study("iterations-20", "fit", "at most 20 iterations", mixture={"max_iterations": 20}),
    Study("iterations-100", "fit", "at most 100 iterations", mixture={"max_iterations": 100}),
    Study("kmeans", "fit", "start at two means", mixture={"start": "kmeans"}),
    Study("neighbours-4", "fit", "4 neighbours", outline={"neighbours": 4}),
    Study("image", "fit", "full image, no brain mask", outline={"mask": "image"}),
    Study("lower-mean", "cluster", "cluster of lower mean", mixture={"cluster": "lower_mean"}),
    Study("negative-tail", "cluster", "only below the median", mixture={"tail": "negative"}),
    Study("no-morphology", "cleaning", "no opening, no closing", outline={"morphology": False}),
    Study("largest-2d", "cleaning", "largest piece, slice", mixture={"component": "largest_2d"}),
    Study("largest-3d", "cleaning", "largest piece, volume", mixture={"component": "largest_3d"}),
    Study("max-healthy", "gate", "gate: most healthy", outline={"gate": "max_healthy"}, empty=1.0),
    Study("mean-2sd", "gate", "gate: mean + 2 sd", outline={"gate": "mean_2sd"}, empty=1.0),
    Study("quantile-95", "gate", "gate: 95 % quantile", outline={"gate": "quantile_95"}, empty=1.0),
    Study("height", "gate", "gate: by slice height", outline={"gate": "height"}, empty=1.0),
    Study("core", "core", "core: base, both networks", region="TC"),
    Study("hull-component", "core", "core: hull of each piece", mixture={"hull": "component"},
          region="TC", against="core"),
    Study("hull-volume", "core", "core: hull in 3-D", mixture={"hull": "volume"},
          region="TC", against="core"),
    Study("hull-none", "core", "core: no hull", mixture={"hull": "none"},
          region="TC", against="core"),
    Study("seed-1", "seed", "seed 1", training={"seed": 1}),
    Study("seed-2", "seed", "seed 2", training={"seed": 2}),
    Study("MSE", "loss", "MSE loss", training={"loss": "MSE"}),
    Study("L1", "loss", "L1 loss, KL weight 1", training={"loss": "L1"}),
    Study("L1-kl-tenth", "loss", "L1 loss, KL weight 0.1",
          training={"loss": "L1", "beta": {"MSE": 1.0, "L1": 0.1, "SSIM": 0.1}}),
    Study("kl-0", "loss", "no KL term", training=_kl_weight(0.0)),
    Study("kl-tenth", "loss", "KL weight 0.01, a tenth", training=_kl_weight(0.01)),
    Study("kl-tenfold", "loss", "KL weight 1, tenfold", training=_kl_weight(1.0)),
    Study("ssim-shifted", "loss", "SSIM domain shifted", training={"ssim_domain": "shifted"}),
    Study("ssim-range-1", "loss", "SSIM range 1", training={"ssim_range": 1.0}),
    Study("ssim-range-255", "loss", "SSIM range 255", training={"ssim_range": 255.0}),
    Study("ssim-window-7", "loss", "SSIM window 7 px", training={"ssim_window": 7}),
    Study("ssim-window-21", "loss", "SSIM window 21 px", training={"ssim_window": 21}),
    Study("padded", "network", "padding d(k − 1)/2", training={"architecture": "dVAE padded"}),
    Study("undilated", "network", "no dilation at stride 2",
          training={"architecture": "dVAE stride 2 undilated"}),
    Study("latent-4", "network", "latent of 4 maps", training={"architecture": "dVAE latent 4"}),
    Study("latent-64", "network", "latent of 64 maps", training={"architecture": "dVAE latent 64"}),
    Study(JOINT, "network", "both sequences in one network", training={"sequence": JOINT}),
    Study("all-slices", "slices", "trained on all slices", training={"train_slices": "all"}),
    Study("random-slices", "slices", "trained on random slices",
          training={"train_slices": "random"}),
    Study("guard-5", "slices", "5 mm away from tumour", training={"guard_mm": 5.0}),
    Study("guard-10", "slices", "10 mm away from tumour", training={"guard_mm": 10.0}),
    Study("no-squares", "slices", "no squares of noise",
          training={"augment": AugmentSettings(square_probability=0.0)}),
    Study("squares-3", "slices", "1 to 3 squares of noise",
          training={"augment": AugmentSettings(squares_high=3)}),
    Study("no-geometry", "slices", "copies not moved or turned",
          training={"augment": _STILL}),
    Study("no-augmentation", "slices", "no augmentation",
          training={"augment": dataclasses.replace(_STILL, square_probability=0.0)}),
    Study("zscore-median", "z-score", "z-score: median, MAD", prepare={"zscore": "median_mad"}),
    Study("zscore-image", "z-score", "z-score: full image", prepare={"zscore": "image"}),
    Study("zscore-slice", "z-score", "z-score: each slice", prepare={"zscore": "slice"}),
    Study("zscore-oracle", "z-score", "z-score: true healthy brain",
          prepare={"zscore": "healthy_oracle"}),
    Study("z-narrow", "z range", "slices 75 to 115", prepare={"z_low": 75, "z_high": 115}),
    Study("z-wide", "z range", "slices 50 to 140", prepare={"z_low": 50, "z_high": 140}),
    Study("VAE", "model", "VAE", training=_VAE),
    Study("VAE-seed-1", "seed", "VAE, seed 1", training=_VAE | {"seed": 1}, against="VAE"),
    Study("VAE-seed-2", "seed", "VAE, seed 2", training=_VAE | {"seed": 2}, against="VAE"),
    Study("AAE", "adversary", "AAE, weight 0.01", training=_AAE, against="VAE"),
    Study("AAE-weak", "adversary", "AAE, weight 0.001", training=_AAE | {"gan_weight": 0.001},
          against="AAE"),
    Study("AAE-strong", "adversary", "AAE, weight 0.1", training=_AAE | {"gan_weight": 0.1},
          against="AAE"),
    Study("VAE-MSE", "model", "VAE with MSE", training=_VAE | {"loss": "MSE"}),
    Study("AAE-MSE", "adversary", "AAE with MSE, weight 0.01", training=_AAE_MSE,
          against="VAE-MSE"),
    Study("AAE-MSE-weak", "adversary", "AAE with MSE, weight 0.001",
          training=_AAE_MSE | {"gan_weight": 0.001}, against="AAE-MSE"),
    Study("AAE-MSE-strong", "adversary", "AAE with MSE, weight 0.1",
          training=_AAE_MSE | {"gan_weight": 0.1}, against="AAE-MSE"),
    Study("BiAAE", "adversary", "BiAAE, same latent in both pairs", training=_BIAAE,
          against="VAE"),
    Study("BiAAE-literal", "adversary", "BiAAE, pairs as printed",
          training=_BIAAE | {"pairing": "literal"}, against="BiAAE"),
    Study("BiAAE-ali", "adversary", "BiAAE, pairs of ALI",
          training=_BIAAE | {"pairing": "ali"}, against="BiAAE"),
)  # fmt: skip

# Changes that have a setting and no row.
LEFT_OUT: Mapping[str, str] = {
    "SSIM domain unit": "the same loss as shifted: SSIM does not change when images and range "
    "are divided by one number",
    "hull, judged by the outline": "the hull adds core inside the outline and cannot move it; its "
    "rows count the core instead",
    "four adversarial weights under BiAAE, pairings under MSE": "two hours of two cores",
    "training length": "`make length`, a page of its own",
}
STAGE_ROWS: tuple[StageRow, ...] = (StageRow("crossed", "0", seconds=2400.0),)
