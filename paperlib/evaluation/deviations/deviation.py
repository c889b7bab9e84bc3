"""What an entry of the deviations page consists of, and the settings that it names."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from paperlib import config
from paperlib.evaluation.claims.answers import Answer
from paperlib.evaluation.claims.sentence import Link
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.tables import Draws

DECIDED, TUNED, LATE, DIFFERS = "decided", "tuned", "set afterwards", "differs"
KINDS: Mapping[str, str] = {
    DECIDED: "the paper is silent or ambiguous; chosen for the reason given, not by its result",
    TUNED: "chosen because it came closest to a number of the paper; what rests on it is judged "
    "by order and differences, never by its value",
    LATE: "set when some results had been seen; a verdict that rests on it is no test",
    DIFFERS: "we do something else than the paper says",
}
# What an effect is a difference of; all run from 0 to 1.
OUTLINE = "Dice of the outline"
GATED = "gated Dice of the outline"
AUROC = "AUROC, slices with tumour"


class Alternative(NamedTuple):
    """Another choice, measured on the evidence of a run.

    Attributes:
        words: What is done instead.
        measure: Alternative minus ours, from evidence and draws.
        unit: What it is a difference of.
        beside: Whether it is no alternative to the choice, only something to see it beside: the
            entry is not sorted by it.
    """

    words: str
    measure: Callable[[Evidence, Draws], Answer]
    unit: str = OUTLINE
    beside: bool = False


class Deviation(NamedTuple):
    """One choice that somebody else could make differently.

    Attributes:
        title: In a few words.
        section: Of the paper.
        paper: What it says, in our words.
        here: What we do.
        why: The reason, and what else is possible.
        kind: One of `KINDS`.
        settings: Fields of `config` that hold it, such as "PrepareSettings.z_low".
        rows: Names of the ablation rows that change it.
        alternatives: Other choices that follow from the evidence of a run.
        note: What is known of its effect beside the numbers.
        link: Where it is shown.
    """

    title: str
    section: str
    paper: str
    here: str
    why: str
    kind: str = DECIDED
    settings: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    note: str = ""
    link: Link | None = None


Deviations = Mapping[str, Deviation]


def setting_value(name: str) -> str:
    """Return the default of a setting as text: "60", or "MSE 1, L1 1, SSIM 0.1".

    Args:
        name: Class and field, such as "PrepareSettings.z_low".

    Raises:
        KeyError: If `config` has no such field, or it has no default.
    """
    defaults = _defaults()
    if name not in defaults:
        raise KeyError(f"No setting {name!r} with a default; there are {', '.join(defaults)}.")
    return _text(defaults[name])


def _defaults() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _, kind in inspect.getmembers(config, inspect.isclass):
        if not dataclasses.is_dataclass(kind):
            continue
        for field in dataclasses.fields(kind):
            if field.default is not dataclasses.MISSING:
                found[f"{kind.__name__}.{field.name}"] = field.default
            elif field.default_factory is not dataclasses.MISSING:
                found[f"{kind.__name__}.{field.name}"] = field.default_factory()
    return found


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(part)}" for key, part in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value) or '""'
