"""Choices about how networks are trained, and how often (sections 4.1 and 5.1)."""

from collections.abc import Mapping
from types import MappingProxyType

from paperlib.evaluation.claims.sentence import LENGTH, Link
from paperlib.evaluation.deviations import measures
from paperlib.evaluation.deviations.deviation import DIFFERS, Alternative, Deviation

TRAINING = Link("03_training", "how-it-is-trained", "training")
STOPPED = Link("03_training", "who-stopped-and-why", "who stopped, and why")

ON_TRAINING: Mapping[str, Deviation] = MappingProxyType(
    {
        "length": Deviation(
            "how long to train",
            "5.1",
            "Trained until convergence.",
            "A fixed number of slice-steps (`slice_steps`, by profile), equal for all models; "
            "only the profile `paper` stops by validation loss.",
            "A fixed budget has a known cost and is the same for all rows. It also changes the "
            "order of the rows.",
            alternatives=(
                Alternative(
                    "stopped where it differs most along the training",
                    measures.stop_elsewhere,
                    "Dice of the outline at a threshold",
                ),
            ),
            link=LENGTH,
        ),
        "weights-kept": Deviation(
            "which weights are kept",
            "5.1",
            "Those of the lowest validation loss.",
            "The same from so many training patients on, the last ones below.",
            "With few validation slices the lowest loss is luck.",
            settings=("TrainingSettings.best_weights_from",),
            link=STOPPED,
        ),
        "optimiser": Deviation(
            "optimiser",
            "4.1",
            "No optimiser, rate or batch size.",
            "Adam, with the norm of the gradient clipped; small batches except in the profile "
            "`paper`. A loss that is not finite stops the training.",
            "At equal cost small batches are further.",
            settings=(
                "TrainingSettings.learning_rate",
                "TrainingSettings.gradient_clip",
                "TrainingSettings.batch_size",
            ),
            link=TRAINING,
        ),
        "seed": Deviation(
            "seeds",
            "5",
            "One number per network; says nothing of repetitions.",
            "One seed in every table; further ones are rows of their own. Several seeds are "
            "averaged within a patient and never counted as patients.",
            "What a new seed does is the yardstick for every other training.",
            rows=("seed-1", "seed-2", "VAE-seed-1", "VAE-seed-2"),
            settings=("TrainingSettings.seed",),
        ),
        "l1": Deviation(
            "L1 loss",
            "5.1",
            "Tested; slightly worse than MSE, no numbers.",
            "In no table by default; rows of its own, with the KL weight of MSE and with that of "
            "SSIM: absolute differences are smaller, so the first leaves little reconstruction.",
            "The paper prints no number to compare with.",
            DIFFERS,
            rows=("L1", "L1-kl-tenth"),
        ),
        "hardware": Deviation(
            "hardware",
            "4.1",
            "Does not say on what it trained.",
            "Every number here comes from a CPU in single precision; bf16 on a GPU is a setting "
            "of the profile `paper`.",
            "Rounding changes a training as a new seed does.",
            settings=("TrainingSettings.autocast",),
        ),
    }
)
