"""What the paper says of its networks, in our words: data for `claims.sentences`.

A reason is chosen by the verdict, so that none can contradict it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain

from paperlib.evaluation import paper, tables
from paperlib.evaluation.claims import mask_answers, numbers, residual_answers
from paperlib.evaluation.claims.answers import Absent, Answer
from paperlib.evaluation.claims.contrasts import CONTRASTS, NOT_TESTABLE, papers_difference
from paperlib.evaluation.claims.pairing import Network
from paperlib.evaluation.claims.sentence import (
    ABOVE_ZERO,
    BELOW_ZERO,
    COHORT,
    LENGTH,
    LESS_THAN_HALF,
    MORE_THAN_HALF,
    NUMBER,
    PICTURES,
    SEMANTIC,
    SHARE,
    TABLE_2,
    Part,
    Sentence,
    Why,
)
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures.statistics import Interval
from paperlib.evaluation.tables import Draws


def _dice(
    measured: str,
    pairs: Sequence[tuple[Network, Network]],
    judge: Callable[[Interval], str],
    why: Why,
    target: str = tables.OUTLINE,
) -> Part:
    """Return a part that compares networks by their Dice."""
    return Part(
        measured=f"Dice, {measured}",
        measure=partial(mask_answers.network_difference, pairs=pairs, target=target),
        judge=judge,
        why=why,
        link=TABLE_2 if target == tables.OUTLINE else SEMANTIC,
        printed=papers_difference(pairs, target=target),
        needs=(),
        wants=tuple(chain.from_iterable(pairs)),
    )


def _no_common_data(_found: Evidence, _draws: Draws) -> Answer:
    return Absent(
        NOT_TESTABLE,
        "The earlier methods were tested on other patients, other sequences and other averages; "
        "nobody has run them and this one on the same slices.",
    )


_LOSSES = CONTRASTS["ssim-mse"].pairs
_L1 = tuple(((model, "L1"), (model, "MSE")) for model in paper.MODELS)
_SSIM = Why(
    "SSIM is ahead, when computed on z-scores and at this length of training.",
    "MSE is ahead here; how far the order of the losses moves with the length of training "
    "is shown on the training page.",
)
_ADVERSARIAL = Why(
    "Any gain stays below the margin, even where the contrast below excludes zero; one weight "
    "of the adversarial term was tried, and the same weight acts differently under MSE.",
    "The adversarial network is ahead here, at the one weight of its term that was tried.",
)
_SHARPER = Why(
    "Its reconstructions have more of the gradients of their input than those of the VAE.",
    "Its reconstructions are no sharper than those of the VAE, at the one weight of the "
    "adversarial term that was tried.",
)
_PAR = Why(
    "The dVAE is ahead of, or within the margin around, the VAE-CE.",
    "The dVAE lies behind the VAE-CE.",
)
_SIMPLE = Why(
    "The network does better than this simple method.",
    "This simple method does better than the network.",
)

ON_NETWORKS: Mapping[str, Sentence] = {
    "ssim-best": Sentence(
        "The SSIM loss gives the best results overall.",
        "section 5.1",
        (
            _dice("outline: SSIM − MSE, mean over the models", _LOSSES, ABOVE_ZERO, _SSIM),
            _dice(
                "semantic: SSIM − MSE, mean over the models",
                _LOSSES,
                ABOVE_ZERO,
                _SSIM,
                tables.SEMANTIC,
            ),
        ),
    ),
    "l1-worse": Sentence(
        "The L1 loss is slightly worse than MSE.",
        "section 5.1",
        (
            _dice(
                "outline: L1 − MSE, mean over the models with both",
                _L1,
                BELOW_ZERO,
                Why(
                    "L1 is behind; the paper prints no number to compare the distance with.",
                    "L1 is ahead of MSE here.",
                ),
            ),
        ),
    ),
    "adversarial-no-help": Sentence(
        "An adversarial loss does not improve the masks.",
        "section 5.1",
        tuple(
            _dice(
                f"outline: {CONTRASTS[key].name}, SSIM",
                CONTRASTS[key].pairs,
                partial(numbers.judge_similar, sign=-1),
                _ADVERSARIAL,
            )
            for key in ("aae-vae", "biaae-vae")
        ),
    ),
    "blur-sharpen": Sentence(
        "VAEs blur, and adversarial training makes their output sharper.",
        "section 4.1",
        (
            Part(
                "gradient energy of the VAE's FLAIR reconstructions in healthy tissue, as a "
                "share of their input's (SSIM)",
                partial(residual_answers.sharpness, network=("VAE", "SSIM")),
                partial(numbers.judge_below, limit=1.0),
                Why(
                    "Only a part of the gradients returns; some of what is missing is noise, "
                    "which no network should return.",
                    "The reconstructions have as strong gradients as their input.",
                ),
                PICTURES,
                SHARE,
                needs=(("VAE", "SSIM"),),
            ),
            *(
                Part(
                    f"the same share, {model} − VAE",
                    partial(
                        residual_answers.sharpness, network=(model, "SSIM"), minus=("VAE", "SSIM")
                    ),
                    ABOVE_ZERO,
                    _SHARPER,
                    PICTURES,
                    needs=((model, "SSIM"), ("VAE", "SSIM")),
                )
                for model in ("AAE", "BiAAE")
            ),
        ),
    ),
    "dvae-vaece": Sentence(
        "The dVAE is on a par with the VAE-CE, or slightly better.",
        "section 5.1",
        tuple(
            _dice(
                f"{target}: {CONTRASTS['dvae-vaece'].name}, SSIM",
                CONTRASTS["dvae-vaece"].pairs,
                partial(numbers.judge_similar, sign=1),
                _PAR,
                target,
            )
            for target in (tables.OUTLINE, tables.SEMANTIC)
        ),
    ),
    "earlier-methods": Sentence(
        "The method is on a par with earlier unsupervised ones.",
        "abstract, section 5.1",
        (
            Part(
                "the numbers of the earlier papers",
                _no_common_data,
                ABOVE_ZERO,
                Why("", ""),
                TABLE_2,
                needs=(),
            ),
            *(
                Part(
                    f"Dice, outline: the paper's network − {name}",
                    partial(mask_answers.against_baseline, baseline=key),
                    ABOVE_ZERO,
                    _SIMPLE,
                    TABLE_2,
                    beside=True,
                )
                for key, name in (
                    ("B3", "the same chain without a network (r = −x)"),
                    ("B2 fixed", "z-scored FLAIR above 1"),
                )
            ),
        ),
    ),
    "no-copy": Sentence(
        "The network returns healthy anatomy and does not copy its input.",
        "sections 4, 4.1",
        (
            Part(
                "share of the tumour's extra FLAIR brightness that is in the reconstruction",
                residual_answers.copied_share,
                LESS_THAN_HALF,
                Why(
                    "Less than half of the tumour's extra brightness returns.",
                    "More than half of the tumour's extra brightness returns: the tumour, too, "
                    "is copied for the most part.",
                ),
                PICTURES,
                SHARE,
            ),
            Part(
                "correlation of reconstruction and input in healthy tissue",
                partial(residual_answers.pixel_mean, column="input_correlation"),
                MORE_THAN_HALF,
                Why("Healthy anatomy does return.", "Little of the healthy anatomy returns."),
                PICTURES,
                NUMBER,
                beside=True,
            ),
            Part(
                "pixel AP for the tumour: FLAIR residual − the FLAIR image itself",
                residual_answers.pixel_gain,
                ABOVE_ZERO,
                Why(
                    "The residual shows the tumour better than the image it is made from.",
                    "The image shows the tumour better than the residual made from it.",
                ),
                LENGTH,
                beside=True,
            ),
        ),
    ),
    "no-labels": Sentence(
        "No training labels are used.",
        "sections 1, 6, 7",
        (
            Part(
                "share of the slices that the labels keep out of training",
                mask_answers.label_share,
                numbers.judge_never,
                Why(
                    "No slice was left out because of its labels.",
                    "No network learns from a label, but labels choose the slices that it is "
                    "trained on and those that set the thresholds.",
                ),
                COHORT,
                SHARE,
                needs=(),
            ),
        ),
    ),
}
