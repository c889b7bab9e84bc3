"""Choices about counting, comparing and judging (section 5)."""

from collections.abc import Mapping
from types import MappingProxyType

from paperlib.evaluation import conventions, paper
from paperlib.evaluation.claims import contrasts, numbers
from paperlib.evaluation.claims.sentence import CONVENTIONS, SEMANTIC, TABLE_2, Link
from paperlib.evaluation.deviations.deviation import DIFFERS, GATED, LATE, Alternative, Deviation
from paperlib.evaluation.deviations.measures import Way, counted
from paperlib.evaluation.deviations.on_scores import OURS
from paperlib.evaluation.measures import foci, metrics
from paperlib.evaluation.patients import strata
from paperlib.labels import TISSUES

RULE = Link("11_claims", "the-rule", "the rule of the claims")
SEVEN = Link("11_claims", "seven-contrasts", "seven contrasts")
KINDS = Link("07_limits", "dice-by-kind-of-patient", "Dice by kind of patient")
WHO = Link("07_limits", "who-the-patients-are", "who the patients are")
WATERFALL = Link("08_error_sources", "from-ours-to-the-truth", "from ours to the truth")
SIMPLE = Link("09_baselines", "the-crossed-table", "the crossed table")
NESTED = ("WT", "TC", "ET")


def _gated(aggregation: str, empty: float) -> Alternative:
    way = OURS._replace(aggregation=aggregation, empty=empty)
    return counted(conventions.name(aggregation, empty), way, ours=OURS, unit=GATED)


ON_COUNTING: Mapping[str, Deviation] = MappingProxyType(
    {
        "table-2": Deviation(
            "what Table 2 averages",
            "5.1",
            "A slice without tumour counts 0; not whether slices or patients weigh the same.",
            "Mean over every slice of all test patients.",
            "Volumes weigh patients equally; pooled pixels weigh large tumours.",
            alternatives=(
                counted("slices with tumour only", Way(aggregation="tumour_slices")),
                counted("mean over volumes", Way(aggregation="volume")),
                counted("all pixels pooled", Way(aggregation="pooled_pixels")),
            ),
            link=TABLE_2,
        ),
        "semantic": Deviation(
            "“semantic” Dice",
            "5.1",
            "Not defined.",
            "Mean over necrotic core, edema and enhancing tumour.",
            "Over the nested regions of BraTS, or weighted by size.",
            alternatives=(
                counted(
                    "mean over whole tumour, core, enhancing",
                    Way(regions=NESTED),
                    ours=Way(regions=TISSUES),
                    unit="semantic Dice",
                ),
            ),
            link=SEMANTIC,
        ),
        "gated-convention": Deviation(
            "what section 5.3 averages",
            "5.3",
            "Three numbers without a convention.",
            f"All {len(metrics.CONVENTIONS)} are shown, none is called the paper's. Where one is "
            f"needed: every slice, empty = {OURS.empty:g}.",
            "Choosing the closest would be tuning. Shown here: those under which a gate can raise "
            "Dice; an empty pair as 1 is ours.",
            alternatives=tuple(
                _gated(way, empty)
                for way, empty in metrics.CONVENTIONS
                if conventions.gate_can_raise(way, empty) and empty != OURS.empty
            ),
            link=CONVENTIONS,
        ),
        "attribution-empty": Deviation(
            "volumes without enhancing tumour",
            "5.3",
            "Nothing.",
            "In the attribution of the error a volume in which prediction and truth are empty "
            "counts 1, so that the truth itself reaches 1.",
            "Counting 0, as slices in Table 2, the waterfall could not end at 1.",
            alternatives=(
                counted(
                    "such a volume counts 0",
                    Way(aggregation="volume", regions=("ET",)),
                    ours=Way(aggregation="volume", regions=("ET",), empty=1.0),
                    unit="volume Dice of the enhancing tumour",
                ),
            ),
            link=WATERFALL,
        ),
        "intervals": Deviation(
            "intervals",
            "5",
            "None, and no test.",
            "Patients are drawn with replacement within their fold; differences by patient.",
            "Drawing slices would pretend to a much larger n.",
            note="None on a value; every interval of the book rests on it.",
        ),
        "contrasts": Deviation(
            "which differences are tested",
            "5.1",
            "Compares many rows of Table 2.",
            f"{len(contrasts.CONTRASTS)} contrasts named in advance, Wilcoxon's test, Holm's "
            "correction over them.",
            "Testing all pairs of rows would need more patients.",
            link=SEVEN,
        ),
        "margins": Deviation(
            "what counts as the same",
            "5",
            "“Similar”, “on par”, without a margin.",
            f"A value agrees within ±{contrasts.VALUE_MARGIN:g}; a difference is on a par within "
            f"±{contrasts.ON_A_PAR_MARGIN:g}. Fixed before the runs shown here, after short "
            "prototypes on some of the same patients.",
            "Wider margins agree more often.",
            link=RULE,
        ),
        "margin-zero": Deviation(
            "“near zero”, “mostly”",
            "4.2",
            "Residuals near zero in healthy slices; the core mostly encloses the necrosis.",
            f"Near zero: within ±{numbers.NEAR_ZERO_MARGIN:g} z units; mostly: more than "
            f"{numbers.MOSTLY:g}.",
            "That of “near zero” was set after some rows of scores had been seen.",
            LATE,
            link=RULE,
        ),
        "foci": Deviation(
            "what counts as a focus",
            "6",
            "Speaks of one blob.",
            f"A connected piece of the true tumour from {foci.FOCUS_ML:g} ml on.",
            "That is the smallest lesion that BraTS 2023 counts.",
            link=WHO,
        ),
        "small-et": Deviation(
            "small enhancing tumours",
            "6",
            "Nothing.",
            f"Under {strata.SMALL_ET_ML:g} ml. A group gets an interval from "
            f"{strata.MIN_PATIENTS} patients on. Fixed before any Dice of a group was seen.",
            "Thirds of the volume are possible, and stand beside it for the whole tumour.",
            link=KINDS,
        ),
        "perfect": Deviation(
            "a perfect reconstruction",
            "6",
            "Hopes for one; shows none.",
            "A row whose residual gets Gaussian noise of a scan's level (`SCAN_NOISE_SD`).",
            "Without noise the residual is exactly 0 in healthy tissue, no mixture can be fitted, "
            "and every mask is empty. Added after this was seen.",
            alternatives=(
                counted(
                    "perfect reconstruction for the network's",
                    Way(method="B11 perfect reconstruction"),
                    beside=True,
                ),
            ),
            link=WATERFALL,
        ),
        "no-network": Deviation(
            "what a network is compared with",
            "5",
            "Networks with each other and with published numbers; best "
            f"supervised {paper.SUPERVISED[0]:.2f} to {paper.SUPERVISED[1]:.2f}.",
            "Adds methods without a network, ceilings and supervised networks on our patients.",
            "Without them nobody can tell what the network adds.",
            DIFFERS,
            alternatives=(
                counted("no network, same post-processing", Way(method="B3"), beside=True),
                counted("bright pixels of FLAIR", Way(method="B2 fixed"), beside=True),
            ),
            link=TABLE_2,
        ),
        "baseline-settings": Deviation(
            "settings of the baselines",
            "5",
            "No baseline.",
            "Thresholds from healthy slices of patients that are not tested; the U-Nets have the "
            "networks' batch and rate; a mirrored pixel without partner keeps its value; a norm "
            "has a least deviation; scikit-learn's mixture is fitted to every fourth pixel.",
            "Each could be tuned, which would need further patients.",
            link=SIMPLE,
        ),
    }
)
