"""Choices about networks and their losses (section 4.1)."""

from collections.abc import Mapping
from types import MappingProxyType

from paperlib.evaluation.claims.sentence import Link
from paperlib.evaluation.deviations.deviation import Deviation
from paperlib.models import architectures, objectives, training_state

TABLE_1 = Link("02_architectures", "table-1", "Table 1 as built")
HOLES = Link("02_architectures", "a-printed-layer-that-looks-away", "a layer that looks away")
LOSSES = Link("02_architectures", "what-is-asked-of-the-reconstruction", "losses")
SSIM = Link("02_architectures", "two-numbers-that-the-paper-does-not-give", "range and window")
MODELS = Link("02_architectures", "three-models-that-differ-in-training-only", "three models")

ON_NETWORKS: Mapping[str, Deviation] = MappingProxyType(
    {
        "padding": Deviation(
            "padding of the dVAE",
            "4.1",
            "Table 1 gives kernels, strides, dilations; no padding.",
            "None, for which all its sizes divide exactly. The VAE has padding 1, VAE1px ends in "
            "one pixel.",
            "Padding 1, or one that keeps the size, divides exactly, too (see below), and makes "
            "the latent larger.",
            settings=("TrainingSettings.architecture",),
            rows=("padded",),
            link=TABLE_1,
        ),
        "dilation": Deviation(
            "dilation at stride 2",
            "4.1",
            "The dVAE's second layer has stride 2 and dilation 2.",
            "As printed, though it never reads most of the map before it.",
            "Without dilation in that layer everything is read.",
            rows=("undilated",),
            link=HOLES,
        ),
        "latent-size": Deviation(
            "width of the latent",
            "4.1",
            "16 maps for the dVAE.",
            "The same; how large they are follows from the padding.",
            "Fewer or more maps let less or more of the tumour through.",
            rows=("latent-4", "latent-64"),
            link=TABLE_1,
        ),
        "activations": Deviation(
            "slope, last layer",
            "4.1",
            "LeakyReLU without a slope; nothing on the last layer.",
            f"Slope {architectures.LEAKY_SLOPE}; the last layer of the decoder is linear.",
            "Z-scores have no bounds that a final activation could respect.",
            link=TABLE_1,
        ),
        "log-sd": Deviation(
            "second latent layer",
            "4.1",
            "It gives the standard deviation.",
            f"It gives its logarithm, clamped to ±{architectures.LOG_SD_LIMIT:g}; at test time "
            "the latent is the mean.",
            "Otherwise a standard deviation could become negative. Sampling at test time is "
            "possible.",
            link=LOSSES,
        ),
        "beta": Deviation(
            "weight of the KL term",
            "4.1",
            "No weight between reconstruction and Kullback-Leibler term.",
            "Both as means per pixel; the weight depends on the loss.",
            "The usual sum over pixels differs by a factor of the image's size.",
            settings=("TrainingSettings.beta",),
            rows=("kl-0", "kl-tenth", "kl-tenfold"),
            link=LOSSES,
        ),
        "ssim-domain": Deviation(
            "what SSIM is computed on",
            "4.1",
            "An SSIM loss, without settings.",
            "One minus the mean SSIM of z-scores.",
            "SSIM is made for images that are not negative; on z-scores its luminance term can "
            "be. Shifted or rescaled images are possible (SSIM cannot tell these two apart). "
            "“SSIM is best” is a claim about a domain.",
            settings=("TrainingSettings.ssim_domain",),
            rows=("ssim-shifted",),
            link=SSIM,
        ),
        "ssim-range": Deviation(
            "range that SSIM assumes",
            "4.1",
            "Nothing.",
            "From percentiles of healthy training pixels, stored with the model.",
            "It sets the constants against which contrast counts. Published code takes 1, or 255 "
            "on images of another range.",
            settings=("TrainingSettings.ssim_range",),
            rows=("ssim-range-1", "ssim-range-255"),
            link=SSIM,
        ),
        "ssim-window": Deviation(
            "window of SSIM",
            "4.1",
            "Nothing.",
            "The usual Gaussian window and constants.",
            "A narrower one asks for texture, a wider one for shape.",
            settings=("TrainingSettings.ssim_window",),
            rows=("ssim-window-7", "ssim-window-21"),
            link=SSIM,
        ),
        "context": Deviation(
            "VAE-CE",
            "4.1",
            "The VAE with the context-encoding branch of another paper.",
            f"Loss (1 − λ)(reconstruction + KL) + λ context. Up to {objectives.CONTEXT_SQUARES} "
            "squares a slice, sides up to half of it, each filled with one value of the image's "
            "range; the target is the clean image; the branch is deterministic and has no KL.",
            "Published code trains towards the masked image, or hides one place in the whole "
            "batch. Other weights and sizes are possible.",
            settings=("TrainingSettings.context_share",),
            link=MODELS,
        ),
        "adversary-weight": Deviation(
            "weight of the adversarial term",
            "4.1",
            "The discriminator hands a loss to the VAE; no weight.",
            "One weight for both adversarial models and all losses.",
            "How hard a weight pulls depends on the loss beside it, so “adversarial training "
            "hurts” is a claim about a weight.",
            settings=("TrainingSettings.gan_weight",),
            rows=("AAE-weak", "AAE-strong", "AAE-MSE-weak", "AAE-MSE-strong"),
            link=MODELS,
        ),
        "adversary-training": Deviation(
            "how the discriminator learns",
            "4.1",
            "Competes with the autoencoder; Figure 2 shows the gradients.",
            "Real is the clean image, fake its reconstruction, both in one batch. One step of "
            "the discriminator for each of the autoencoder, with Adam of its own, betas "
            f"{training_state.GAN_BETAS[0]:g} and {training_state.GAN_BETAS[1]:g}. "
            "The autoencoder gets the non-saturating loss of Figure 2.",
            "In two batches batch norm tells real from fake by itself. Several steps, other rates "
            "and losses are possible.",
            settings=("TrainingSettings.gan_learning_rate",),
            link=MODELS,
        ),
        "adversary-answer": Deviation(
            "answer of the discriminator",
            "4.1",
            "Six blocks that end in 2 × 2 pixels; not how they become an answer.",
            "A 1 × 1 convolution without norm gives a map of logits; their mean is the answer.",
            "With batch norm on the logit the discriminator cannot say that everything is fake. A "
            "dense layer is possible.",
            link=TABLE_1,
        ),
        "bi-latent": Deviation(
            "latent path of BiAAE",
            "4.1",
            "Two blocks with kernels of four and 128 maps; no stride or padding.",
            "Stride 1 and padding 1 in both: the one pair that reaches the 2 × 2 pixels of the "
            "image path with sizes that divide (see below).",
            "With a dense or pooled fusion any size would do.",
            link=TABLE_1,
        ),
        "bi-pairs": Deviation(
            "pairs that BiAAE judges",
            "4.1",
            "Input with encoder output; reconstruction with decoder input.",
            "(x, z) and (x̂, z) with the same z. Autoencoder and encoder want both called wrong.",
            "Literally it is (x, μ) and (x̂, z): then the latent alone gives the answer away, for "
            "a mean varies less than a draw. ALI pairs (x, z) with an image decoded from the "
            "prior.",
            settings=("TrainingSettings.pairing",),
            rows=("BiAAE-literal", "BiAAE-ali"),
            link=MODELS,
        ),
        "bi-column": Deviation(
            "BiAAE on other columns",
            "4.1",
            "Only described on the common VAE.",
            "Refused elsewhere, with the reason: its discriminator reads that latent only.",
            "Every other latent would need a path that the paper does not describe.",
            note="None: it is in no table.",
        ),
    }
)
