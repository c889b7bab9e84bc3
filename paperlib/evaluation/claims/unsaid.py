"""What the verdicts on claims cannot tell, said from the numbers themselves."""

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from paperlib.evaluation import paper
from paperlib.evaluation.claims.answers import NOT_MEASURED
from paperlib.evaluation.claims.contrasts import ALPHA, EFFECTS, NOT_TESTABLE
from paperlib.evaluation.claims.numbers import patients_for_margin
from paperlib.evaluation.measures.statistics import UNDECIDED, Interval
from paperlib.evaluation.present import Shown


def show_limits(
    numbers: pd.DataFrame,
    others: Sequence[pd.DataFrame],
    sentences: pd.DataFrame,
    seven: pd.DataFrame,
) -> Shown:
    """Return how often each verdict occurs, and what the verdicts cannot tell.

    Args:
        numbers: From `claims.table_2_claims` on real patients, or on None.
        others: From `claims.table_3_claims` and `claims.gated_claims` on the same.
        sentences: From `sentences.evaluate_sentences` on the same.
        seven: From `contrasts.evaluate_contrasts` on the same.
    """
    readings = numbers["reading"].nunique()
    lines = [
        f"Table 2, each number under {readings} readings: {_counted(numbers)}.",
        f"Table 3 and section 5.3: {_counted(*others)}.",
        f"Measurements of sentences: {_counted(sentences)}.",
        *_too_few(numbers),
        *_weak_contrasts(seven),
    ]
    open_ones = sentences[sentences["verdict"].isin([NOT_TESTABLE, NOT_MEASURED])]
    if len(open_ones):
        words = "; ".join(word.removesuffix(".") for word in open_ones["words"].unique())
        lines.append(f"Without a number here, in whole or in part: {words}.")
    html = Markup("<ul>{}</ul>").format(
        Markup("").join(Markup("<li>{}</li>").format(line) for line in lines)
    )
    return Shown(html, "\n".join(f"- {line}" for line in lines))


def _counted(*tables_of_claims: pd.DataFrame) -> str:
    counted = pd.concat([table["verdict"] for table in tables_of_claims]).value_counts()
    return ", ".join(f"{times} × {verdict}" for verdict, times in counted.items())


def _too_few(numbers: pd.DataFrame) -> list[str]:
    """Return how many patients the widest interval would need to fit into the margin."""
    known = numbers[numbers["value"].notna()]
    if known.empty:
        return ["Nothing is concluded: there is no run on real patients here."]
    cells = known[["value", "low", "high", "n"]].itertuples(index=False, name=None)
    needed = max(patients_for_margin(Interval(*cell)) for cell in cells)
    return [
        f"Our widest interval would fit into the margin of a number from {needed} patients on, "
        f"even if the value were exactly the paper's. There are {known['n'].max()} here; the "
        f"paper tested {paper.TEST_PATIENTS}."
    ]


def _weak_contrasts(seven: pd.DataFrame) -> list[str]:
    tested, absent = seven[seven["value"].notna()], seven[seven["value"].isna()]
    lines = []
    if len(absent):
        lines.append(f"Nothing is known of {', '.join(absent['name'])}: not trained here.")
    for _, line in tested[~tested["verdict"].isin([UNDECIDED])].iterrows():
        if line["holm"] > ALPHA:
            lines.append(
                f"{line['name']}: the interval excludes zero, but as one of {len(tested)} "
                f"contrasts its test has p = {line['holm']:.2f}. That is weak."
            )
    if len(tested):
        few = tested[f"needed_{min(EFFECTS)}"]
        lines.append(
            f"A difference of {min(EFFECTS)}, as the paper's rows have it, would need "
            f"{few.min():,.0f} to {few.max():,.0f} patients, depending on the contrast."
        )
    return lines
