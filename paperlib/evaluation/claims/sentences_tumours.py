"""What the paper says of residuals, scores and masks, in our words: data for `sentences`.

A reason is chosen by the verdict, so that none can contradict it.
"""

import math
from collections.abc import Mapping
from functools import partial

from paperlib.evaluation import paper
from paperlib.evaluation.claims import mask_answers, numbers, residual_answers
from paperlib.evaluation.claims.contrasts import VALUE_MARGIN
from paperlib.evaluation.claims.sentence import (
    ABOVE_ZERO,
    BELOW_ZERO,
    CLUSTERS,
    CONVENTIONS,
    CORE,
    LESS_THAN_HALF,
    MORE_THAN_HALF,
    NUMBER,
    SCORES,
    SEMANTIC,
    SEQUENCES,
    SHARE,
    TABLE_3,
    Part,
    Sentence,
    Why,
)

ON_TUMOURS: Mapping[str, Sentence] = {
    "sequences": Sentence(
        "FLAIR shows the whole tumour best, T1CE the enhancing part.",
        "section 4",
        tuple(
            Part(
                f"{region}: pixel AUROC of the plain {own} image − that of {other}, each as "
                "distance from one half",
                partial(residual_answers.sequence_difference, region=key),
                ABOVE_ZERO,
                Why(
                    f"{own} separates it better than {other}; T1 and T2 are not in this project.",
                    f"{other} separates it better than {own}.",
                ),
                SEQUENCES,
                needs=(),
            )
            for key, region, own, other in (
                ("WT", "whole tumour", "FLAIR", "T1CE"),
                ("ET", "enhancing tumour", "T1CE", "FLAIR"),
            )
        ),
    ),
    "residual-sign": Sentence(
        "The residual is near zero in healthy slices and negative in tumours.",
        "section 4.2",
        (
            Part(
                "mean residual of tumour-free slices, z units",
                partial(residual_answers.slice_residual, kind="tumour-free"),
                numbers.judge_near_zero,
                Why(
                    "It is near zero on average; so is that of slices with tumour, and the margin "
                    "was set when some rows were known.",
                    "Healthy slices are reconstructed brighter or darker than they are.",
                ),
                SCORES,
            ),
            Part(
                "mean residual: slices with − slices without tumour of the same patient",
                partial(residual_answers.slice_residual, kind="difference"),
                BELOW_ZERO,
                Why(
                    "Slices with tumour have the lower residual; they also lie lower in the "
                    "brain, which alone can do it.",
                    "Slices with tumour do not have the lower residual.",
                ),
                SCORES,
            ),
            Part(
                "mean residual of the tumour's pixels, z units",
                partial(residual_answers.pixel_mean, column="tumour_mean_residual"),
                BELOW_ZERO,
                Why(
                    "Tumours are reconstructed darker than they are.",
                    "Tumours are not reconstructed darker than they are.",
                ),
                SCORES,
            ),
        ),
    ),
    "core-enclosed": Sentence(
        "The enhancing part mostly encloses the necrosis.",
        "section 4",
        (
            Part(
                "share of the true necrotic core inside the hull of the true enhancing part, "
                "drawn slice by slice; mean over patients",
                mask_answers.core_in_hull,
                MORE_THAN_HALF,
                Why(
                    "More than half of the core lies inside.",
                    "Most of the core lies outside, for label 1 is also tissue that does not "
                    "enhance and that nothing encloses.",
                ),
                CORE,
                SHARE,
                needs=(),
            ),
            Part(
                "the same, all pixels of all patients together",
                partial(mask_answers.core_in_hull, pooled=True),
                MORE_THAN_HALF,
                Why(
                    "More than half of all core pixels lies inside.",
                    "Most core pixels lie outside: patients with much core have more of it "
                    "outside.",
                ),
                CORE,
                SHARE,
                needs=(),
                beside=True,
            ),
        ),
    ),
    "mean-residual": Sentence(
        "The mean residual tells slices with tumour well; the latent space does worse.",
        "section 5.2",
        (
            Part(
                "AUROC of the mean residual (one half is guessing)",
                partial(residual_answers.auroc_of, score="mean_residual"),
                partial(numbers.judge_above, limit=paper.AUROC["mean_residual"] - VALUE_MARGIN),
                Why(
                    "It is as good as in the paper; what position alone gives stands below.",
                    "It lies below the paper's number by more than the margin.",
                ),
                TABLE_3,
                NUMBER,
                paper.AUROC["mean_residual"],
            ),
            Part(
                "AUROC: mean residual − latent distance",
                partial(
                    residual_answers.auroc_difference,
                    first="mean_residual",
                    second="latent_distance",
                ),
                ABOVE_ZERO,
                Why(
                    "The mean residual is the better score.",
                    "The latent distance is the better score; how much of that is position, the "
                    "matched controls beside Table 3 tell.",
                ),
                TABLE_3,
                printed=paper.AUROC["mean_residual"] - paper.AUROC["latent_distance"],
            ),
            Part(
                "AUROC: mean residual − height of the slice",
                partial(
                    residual_answers.auroc_difference, first="mean_residual", second="slice_height"
                ),
                ABOVE_ZERO,
                Why(
                    "The mean residual tells more than the height of the slice.",
                    "The height of the slice, without any image, tells more.",
                ),
                TABLE_3,
                beside=True,
            ),
        ),
    ),
    "gate": Sentence(
        "The gate raises Dice.",
        "section 5.2",
        (
            Part(
                "Dice, outline, every slice, empty = 1: gated − ungated",
                partial(mask_answers.gate_difference, first="max_healthy", second="open"),
                ABOVE_ZERO,
                Why(
                    "Emptied tumour-free slices bring more than lost tumours cost, where an "
                    "empty pair counts 1.",
                    "Lost tumours cost more than emptied tumour-free slices bring.",
                ),
                CONVENTIONS,
            ),
            *(
                Part(
                    f"{region}, gated − no prediction at all",
                    partial(
                        mask_answers.gate_difference,
                        first="max_healthy",
                        second="shut",
                        region=region,
                    ),
                    ABOVE_ZERO,
                    Why(
                        "The gated masks are better than no masks.",
                        "No masks at all would do better, so much does an empty pair count.",
                    ),
                    CONVENTIONS,
                    beside=True,
                )
                for region in ("WT", "TC", "ET")
            ),
        ),
    ),
    "order-of-regions": Sentence(
        "The whole tumour is found best, then the enhancing part, then the core.",
        "section 5.3",
        tuple(
            Part(
                f"{name}, every slice, empty = 1: {first} − {second}",
                partial(mask_answers.region_difference, first=first, second=second, gate=gate),
                ABOVE_ZERO,
                Why(
                    f"{whose} has the paper's order under this convention.",
                    f"{whose} has the reversed order; where empty pairs count 1, the region that "
                    "fewer slices have gains most.",
                ),
                CONVENTIONS,
                printed=math.nan if gate == "shut" else paper.GATED[first] - paper.GATED[second],
                beside=gate == "shut",
            )
            for first, second in (("WT", "ET"), ("ET", "TC"))
            for gate, name, whose in (
                ("max_healthy", "gated Dice", "The network"),
                ("shut", "no prediction at all", "An empty prediction"),
            )
        ),
    ),
    "hull": Sentence(
        "The convex hull of the enhancing part finds the core.",
        "section 4",
        (
            Part(
                "volume Dice of label 1, hull of the true enhancing part",
                partial(mask_answers.core_dice, method=mask_answers.HULL),
                MORE_THAN_HALF,
                Why(
                    "With perfect masks core and hull overlap by more than half.",
                    "Even with perfect masks core and hull overlap by less than half.",
                ),
                CORE,
                NUMBER,
                needs=(),
            ),
            Part(
                "volume Dice of label 1, the paper's network",
                mask_answers.core_dice,
                MORE_THAN_HALF,
                Why(
                    "With the network's masks, too, they overlap by more than half.",
                    "With the network's masks they overlap by less than half; the ceiling stands "
                    "above.",
                ),
                SEMANTIC,
                NUMBER,
            ),
        ),
    ),
    "smallest-cluster": Sentence(
        "The tumour is never the larger part, so the smallest cluster is the tumour.",
        "sections 4, 4.3",
        (
            Part(
                "share of the slices with tumour in which it fills half of the brain or more",
                mask_answers.oversized_share,
                numbers.judge_never,
                Why(
                    "The tumour is the smaller part of every slice.",
                    "There are slices in which the tumour is the larger part.",
                ),
                CLUSTERS,
                SHARE,
                needs=(),
            ),
            Part(
                "share of the slices with tumour whose smallest cluster holds most of it",
                mask_answers.most_in_cluster,
                MORE_THAN_HALF,
                Why(
                    "In most slices most of the tumour is in the smallest cluster.",
                    "In most slices most of the tumour is not in the smallest cluster.",
                ),
                CLUSTERS,
                SHARE,
            ),
            Part(
                "share of the slices whose smallest cluster is not the one of low residuals",
                mask_answers.clusters_differ,
                LESS_THAN_HALF,
                Why(
                    "Mostly the smallest cluster is that of low residuals, where tumours are "
                    "expected.",
                    "Mostly the smallest cluster is not that of low residuals, where tumours "
                    "are expected.",
                ),
                CLUSTERS,
                SHARE,
                beside=True,
            ),
        ),
    ),
}
