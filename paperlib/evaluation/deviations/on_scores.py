"""Choices about anomaly scores, gates and their controls (section 4.2)."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from paperlib import scores
from paperlib.evaluation.claims.sentence import TABLE_3, Link
from paperlib.evaluation.deviations import measures
from paperlib.evaluation.deviations.deviation import AUROC, GATED, Alternative, Deviation
from paperlib.evaluation.deviations.measures import Way
from paperlib.evaluation.slices import matching

GATES = Link("04_anomaly_scores", "gates", "gates")
LATENT = Link("04_anomaly_scores", "what-the-latent-distance-measures", "latent distance")
MATCHED = Link(
    "04_anomaly_scores", "does-the-residual-know-more-than-position", "more than position?"
)
OURS = Way(gate="max_healthy", empty=1.0)  # section 5.3, under the one convention shown first


def _gate(words: str, way: Way) -> Alternative:
    return measures.counted(words, way, ours=OURS, unit=GATED)


ON_SCORES: Mapping[str, Deviation] = MappingProxyType(
    {
        "score-area": Deviation(
            "where the residual is averaged",
            "4.2",
            "Mean and variance of the residual; no mask.",
            "Over the brain of the slice; the sign is flipped once, so that higher is more "
            "anomalous. The variance is a row of its own.",
            "Over the whole image the background dilutes it, and more so the less brain there is.",
            alternatives=(
                Alternative(
                    "mean over the whole image",
                    partial(measures.change_score, to="mean_residual_image"),
                    AUROC,
                ),
            ),
            link=TABLE_3,
        ),
        "score-kind": Deviation(
            "mean or variance",
            "4.2",
            "Names mean and variance of the residual; shows one number.",
            "The mean, as in section 5.2.",
            "The variance sees residuals of both signs.",
            alternatives=(
                Alternative(
                    "variance instead of mean",
                    partial(measures.change_score, to="residual_variance"),
                    AUROC,
                ),
            ),
            link=TABLE_3,
        ),
        "score-sequence": Deviation(
            "which sequence is scored",
            "4.2",
            "Does not say.",
            "FLAIR; T1CE is an extra row.",
            "FLAIR shows the whole tumour. Both together are possible.",
            alternatives=(
                Alternative(
                    "T1CE instead of FLAIR",
                    partial(measures.change_score, to="t1ce_mean_residual"),
                    AUROC,
                ),
            ),
            link=TABLE_3,
        ),
        "latent-statistics": Deviation(
            "Mahalanobis distance",
            "4.2",
            "From saved mean and variance of the latent.",
            "Diagonal, of healthy training slices; a variance is at least "
            f"{scores.LATENT_VARIANCE_FLOOR:g} of the others' median.",
            "A full covariance needs more slices than there are. Without a floor a unit that "
            "hardly ever moved would decide alone.",
            link=LATENT,
        ),
        "gate-rule": Deviation(
            "threshold of the gate",
            "4.2",
            "“A maximum threshold” from healthy slices.",
            "The highest healthy validation score (`max_healthy`). “Maximum” is of the flipped "
            "score: tumours make the residual lower.",
            "Mean plus two deviations, a quantile, a threshold for each height are possible.",
            alternatives=(
                _gate("mean + 2 sd", OURS._replace(gate="mean_2sd")),
                _gate("95 % quantile", OURS._replace(gate="quantile_95")),
                _gate("95 % quantile at that height", OURS._replace(gate="height")),
            ),
            note="The page of ablations has each rule beside no gate at all.",
            link=GATES,
        ),
        "gate-score": Deviation(
            "score that is gated",
            "5.2",
            "The mean residual, which was better than the latent.",
            "The same, whatever is better here.",
            "Choosing by our own table would be choosing by test labels.",
            alternatives=(
                _gate("latent distance", OURS._replace(score="latent_distance")),
                _gate("mean residual of T1CE", OURS._replace(score="t1ce_mean_residual")),
            ),
            link=GATES,
        ),
        "gate-latent": Deviation(
            "threshold of the latent distance",
            "4.2",
            "“Higher than two times the standard deviation” of the distance.",
            "Mean plus two deviations, wherever the latent is gated. Mean and deviation come from "
            "healthy validation slices.",
            "Read literally, the mean is left out (see below).",
            alternatives=(
                measures.counted(
                    "literally: two deviations, no mean",
                    OURS._replace(score="latent_distance", gate="2sd_literal"),
                    ours=OURS._replace(score="latent_distance", gate="mean_2sd"),
                    unit=GATED,
                ),
            ),
            link=GATES,
        ),
        "gate-height": Deviation(
            "healthy slices at about that height",
            "4.2",
            "Nothing.",
            f"Within {scores.HEIGHT_REACH} slices; with fewer than {scores.HEIGHT_MINIMUM} "
            "healthy ones the threshold of all heights. The control “height-corrected” takes the "
            "nearest height instead.",
            "A smooth curve over height is possible.",
            link=GATES,
        ),
        "tumour-blind": Deviation(
            "the control that hides the tumour",
            "4.2",
            "No control.",
            "The score without the true tumour and a margin around it (`margin_px`).",
            "A wider margin also hides edema that was not labelled.",
            link=TABLE_3,
        ),
        "matching": Deviation(
            "slices that match in position",
            "4.2",
            "No control.",
            f"A pair matches within {matching.HEIGHT_REACH} slices of height and "
            f"{matching.AREA_SHARE:.0%} of brain area; what is left is balanced by weights.",
            "Closer pairs are fewer. Matching within a patient would leave hardly any.",
            link=MATCHED,
        ),
        "auroc-folds": Deviation(
            "AUROC over folds",
            "5.2",
            "One area under the curve per score, from one network.",
            "With cross-validation one per fold, averaged over patients.",
            "Scores of different networks have different zero points; pooled they are ranked as "
            "if they had one.",
            alternatives=(
                Alternative("raw scores of all folds pooled", measures.pool_folds, AUROC),
            ),
            link=TABLE_3,
        ),
    }
)
