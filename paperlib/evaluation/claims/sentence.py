"""What a sentence of the paper consists of here: words, section, measurements, rules, links."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from paperlib.evaluation.claims import numbers
from paperlib.evaluation.claims.answers import Answer
from paperlib.evaluation.claims.numbers import MOSTLY
from paperlib.evaluation.claims.pairing import Network
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.examples import PAPERS_CHOICE
from paperlib.evaluation.measures.statistics import Interval
from paperlib.evaluation.tables import Draws

DIFFERENCE, NUMBER, SHARE = "{:+.3f}", "{:.2f}", "{:.0%}"
ABOVE_ZERO = partial(numbers.judge_above, limit=0.0)
BELOW_ZERO = partial(numbers.judge_below, limit=0.0)
MORE_THAN_HALF = partial(numbers.judge_above, limit=MOSTLY)
LESS_THAN_HALF = partial(numbers.judge_below, limit=MOSTLY)


class Link(NamedTuple):
    """Where the evidence of a claim is shown: page, anchor on it, and its name."""

    page: str
    anchor: str
    name: str


class Why(NamedTuple):
    """One sentence that says why, for either verdict; the verdict chooses."""

    holds: str
    fails: str


class Part(NamedTuple):
    """One measurement of a sentence.

    Attributes:
        measured: What the number is.
        measure: From evidence and draws.
        judge: The rule.
        why: The reason for either verdict; "undecided" has a general one.
        link: Where the evidence is shown.
        form: Of the number.
        printed: The paper's number; NaN where it gives none.
        needs: Networks that every patient must have tested.
        wants: Networks that a mean is taken over as far as they are there; who is missing is said.
        beside: Whether this is our control and not the paper's sentence: it gets no verdict.
    """

    measured: str
    measure: Callable[[Evidence, Draws], Answer]
    judge: Callable[[Interval], str]
    why: Why
    link: Link
    form: str = DIFFERENCE
    printed: float = math.nan
    needs: Sequence[Network] = (PAPERS_CHOICE,)
    wants: Sequence[Network] = ()
    beside: bool = False


class Sentence(NamedTuple):
    """A statement of the paper in our words, where it stands, and its measurements."""

    words: str
    section: str
    parts: tuple[Part, ...]


TABLE_2 = Link("06_results", "table-2-outline-of-the-whole-tumour", "Table 2, outline")
SEMANTIC = Link("06_results", "table-2-semantic-segmentation", "Table 2, semantic")
CONVENTIONS = Link("06_results", "fig-conventions", "conventions of section 5.3")
TABLE_3 = Link("04_anomaly_scores", "table-3-with-controls", "Table 3")
SCORES = Link("04_anomaly_scores", "all-test-slices", "scores of all test slices")
CLUSTERS = Link("05_postprocessing", "which-cluster-is-the-tumour", "which cluster")
CORE = Link("05_postprocessing", "three-labels", "from masks to labels")
LENGTH = Link("03_training", "training-length-changes-the-order-of-the-rows", "training length")
PICTURES = Link(
    "02_architectures", "one-slice-through-every-network-of-this-run", "reconstructions"
)
COHORT = Link("01_data", "the-cohort", "cohort and split")
SEQUENCES = Link("01_data", "two-images-and-a-label-map", "images and labels")
