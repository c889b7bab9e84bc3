"""A verdict on each sentence of the paper, measured on real patients, simulated ones beside it."""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from paperlib.evaluation.claims.answers import Absent, Answer, reading_of
from paperlib.evaluation.claims.contrasts import NOT_TESTABLE, is_real
from paperlib.evaluation.claims.numbers import FAILS, HOLDS, UNDECIDED
from paperlib.evaluation.claims.pairing import missing_networks, with_reading
from paperlib.evaluation.claims.sentence import Part, Sentence
from paperlib.evaluation.claims.sentences_networks import ON_NETWORKS
from paperlib.evaluation.claims.sentences_tumours import ON_TUMOURS
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures.statistics import Interval
from paperlib.evaluation.tables import Draws

NO_VERDICT = "our control"
NO_REAL_RUN = "There is no run on real patients here."
OPEN = "{n} patients leave both answers open."


def evaluate_sentences(
    real: Evidence | None, phantom: Evidence | None, *, draws: Draws
) -> pd.DataFrame:
    """Return every measurement of every sentence.

    Args:
        real: Evidence of real patients; None leaves all verdicts open.
        phantom: Evidence of simulated patients, which are shown and not judged.
        draws: Of the intervals.

    Returns:
        One row per measurement: `key` and `number` of the sentence's part, `words`, `section`,
        `measured`, `form`, `printed`, `value`, `low`, `high`, `n`, the same of the phantom as
        `phantom_value` and so on, `verdict`, `why`, `beside`, and `link`.

    Raises:
        ValueError: If simulated patients are given as real ones.
    """
    if real is not None and not is_real(real):
        raise ValueError("Simulated patients were given as real ones; no verdict rests on them.")
    real, phantom = (one and with_reading(one, reading_of(one)) for one in (real, phantom))
    lines = []
    for key, sentence in SENTENCES.items():
        for number, part in enumerate(sentence.parts):
            ours, simulated = (answer(found, part, draws) for found in (real, phantom))
            verdict, why = judge_part(part, ours)
            if real is not None and isinstance(ours, Interval):
                why += _left_out(real, part)
            lines.append(
                {
                    **{"key": key, "number": number, "words": sentence.words},
                    **{"section": sentence.section, "measured": part.measured},
                    **{"form": part.form, "printed": part.printed, "beside": part.beside},
                    **_cells("", ours),
                    **_cells("phantom_", simulated),
                    **{"verdict": verdict, "why": why, "link": part.link},
                }
            )
    return pd.DataFrame(lines)


def answer(found: Evidence | None, part: Part, draws: Draws) -> Answer:
    """Return what a part measures in a cohort, or why it can't be measured there.

    Args:
        found: Evidence of a run; None where there is none.
        part: Of a sentence.
        draws: Of the interval.
    """
    if found is None:
        return Absent(NOT_TESTABLE, NO_REAL_RUN)
    missing = missing_networks(found, part.needs)
    if missing:
        return Absent(NOT_TESTABLE, f"Not trained here: {missing}.")
    return part.measure(found, draws)


def judge_part(part: Part, found: Answer) -> tuple[str, str]:
    """Return verdict and reason.

    Args:
        part: Of a sentence.
        found: On real patients.
    """
    if isinstance(found, Absent):
        return found.verdict, found.reason
    verdict = part.judge(found)
    reasons = {
        HOLDS: part.why.holds,
        FAILS: part.why.fails,
        UNDECIDED: OPEN.format(n=found.patients),
    }
    return (NO_VERDICT if part.beside else verdict), reasons[verdict]


def _left_out(found: Evidence, part: Part) -> str:
    """Return which models a mean lacks, as a further sentence; empty if none."""
    missing = [one for one in part.wants if missing_networks(found, [one])]
    models = ", ".join(dict.fromkeys(model for model, _ in missing))
    return f" Without {models}, not trained here." if models else ""


def _cells(prefix: str, found: Answer) -> dict[str, float]:
    values = found if isinstance(found, Interval) else (float("nan"),) * 3 + (0,)
    return dict(zip((f"{prefix}{n}" for n in ("value", "low", "high", "n")), values, strict=True))


SENTENCES: Mapping[str, Sentence] = MappingProxyType({**ON_NETWORKS, **ON_TUMOURS})
