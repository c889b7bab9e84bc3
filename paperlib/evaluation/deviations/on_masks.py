"""Choices from the residual to the three labels (section 4.3)."""

from collections.abc import Mapping
from types import MappingProxyType

from paperlib.evaluation.claims.sentence import CLUSTERS, CORE, Link
from paperlib.evaluation.deviations.deviation import TUNED, Deviation
from paperlib.evaluation.deviations.measures import Way, counted
from paperlib.labels import TISSUES
from paperlib.postprocessing import mixture

TWO_CLUSTERS = Link("05_postprocessing", "two-clusters", "two clusters")
STOP = Link("05_postprocessing", "when-to-stop", "when to stop")
FITS = Link("05_postprocessing", "how-the-fits-go-over-all-test-slices", "how the fits go")
FOCI = Link("07_limits", "one-tumour-or-more", "one tumour or more")

ON_MASKS: Mapping[str, Deviation] = MappingProxyType(
    {
        "reading": Deviation(
            "reading of equation 1",
            "4.3",
            "The share of a cluster and the neighbourhood weight, both.",
            "The neighbourhood in place of the share; the other two readings stand in every table.",
            "As printed the prior counts twice and the smaller cluster starves (see below). A "
            "plain mixture has no neighbours.",
            TUNED,
            settings=("MixtureSettings.reading", "MixtureSettings.readings"),
            rows=("both", "weights"),
            alternatives=(
                counted("as printed", Way(reading="both")),
                counted("plain mixture", Way(reading="weights")),
            ),
            link=TWO_CLUSTERS,
        ),
        "mask": Deviation(
            "what is clustered",
            "4.3",
            "The residual brain image.",
            "The brain of one slice and sequence; nothing outside takes part.",
            "Of the full image the background would be the largest cluster. A whole volume is "
            "possible.",
            rows=("image",),
            link=TWO_CLUSTERS,
        ),
        "iterations": Deviation(
            "when the fit stops",
            "4.3",
            "Nothing.",
            "At a small mean change of the posterior, or after the limit; the share that stopped "
            "by itself is printed.",
            "The neighbourhood reading has no likelihood and drifts towards halving the brain, so "
            "that an early stop acts as a prior.",
            settings=("MixtureSettings.max_iterations", "MixtureSettings.tolerance"),
            rows=("iterations-5", "iterations-20", "iterations-100"),
            link=STOP,
        ),
        "neighbours": Deviation(
            "neighbours at the rim",
            "4.3",
            "Eight neighbours; nothing on the rim.",
            "Those inside the brain only, divided by their true number; without any, one half.",
            "With zeros outside, the rim would be healthy by definition. Four neighbours are "
            "possible.",
            rows=("neighbours-4",),
            link=TWO_CLUSTERS,
        ),
        "start": Deviation(
            "start of the fit",
            "4.3",
            "Nothing.",
            "Means at the median and a low quantile; shares "
            f"{mixture.FIRST_SHARES[0]:g} and {mixture.FIRST_SHARES[1]:g} in the first step of "
            f"every reading; a variance is at least {mixture.VARIANCE_FLOOR:g} of the residual's.",
            "Two means of k-means are possible.",
            settings=("MixtureSettings.start",),
            rows=("kmeans",),
            link=TWO_CLUSTERS,
        ),
        "cluster": Deviation(
            "which cluster is the tumour",
            "4.3",
            "The smaller one.",
            "The same; ties go to the lower mean.",
            "The cluster of lower residuals, where the paper expects tumours (see below).",
            settings=("MixtureSettings.cluster",),
            rows=("lower-mean",),
            link=CLUSTERS,
        ),
        "tail": Deviation(
            "both tails of the cluster",
            "4.3",
            "Nothing.",
            "The whole cluster is kept, bright and dark residuals.",
            "A wide cluster around a narrow one holds both tails; only the lower one can be "
            "tumour by the paper's own reasoning.",
            settings=("MixtureSettings.tail",),
            rows=("negative-tail",),
            link=CLUSTERS,
        ),
        "degenerate": Deviation(
            "fits that do not divide the slice",
            "4.3",
            "Nothing.",
            f"An empty mask, counted: under {mixture.SMALLEST_CLUSTER_PX} pixels, or a variance "
            "at its floor.",
            "An error, or the whole brain.",
            link=FITS,
        ),
        "morphology": Deviation(
            "opening and closing",
            "4.3",
            "One opening, one closing; no element.",
            "A full square of three by three pixels, per slice; the result is cut to the brain.",
            "A cross, or balls in 3-D. The row leaves both steps out.",
            rows=("no-morphology",),
        ),
        "component": Deviation(
            "how many pieces are kept",
            "4.3, 6",
            "Section 4.3 keeps all pieces; section 6 speaks of the biggest blob.",
            "All. Pixels that touch at a corner only are two pieces.",
            "A patient can have more than one tumour. The largest piece of the slice or of the "
            "volume is possible.",
            settings=("MixtureSettings.component",),
            rows=("largest-2d", "largest-3d"),
            alternatives=(
                counted("largest piece of the slice", Way(component="largest_2d")),
                counted("largest piece of the volume", Way(component="largest_3d")),
            ),
            link=FOCI,
        ),
        "enhancing": Deviation(
            "enhancing tumour outside the outline",
            "4",
            "From the T1CE residual “in the same way”.",
            "What lies outside the whole tumour is dropped. Without enhancing tumour all of the "
            "outline is edema.",
            "Vessels and membranes take up contrast medium as well.",
            link=CORE,
        ),
        "hull": Deviation(
            "convex hull around the core",
            "4",
            "The hull of the enhancing part; not of what.",
            "Of all its pixels in a slice, cut to the whole tumour.",
            "Of each piece, in 3-D, or none. Even the hull of the true enhancing tumour misses "
            "much of the core.",
            settings=("MixtureSettings.hull",),
            rows=("hull-component", "hull-volume", "hull-none"),
            alternatives=(
                counted(
                    "all labels true, core = hull",
                    Way(method="B11 hull of the true ET", regions=TISSUES),
                    ours=Way(method="B11 truth", regions=TISSUES),
                    unit="semantic Dice of the truth",
                    beside=True,
                ),
            ),
            link=CORE,
        ),
    }
)
