"""Values of parameters: what a given text or object means for a declared type.

Conversion happens at the command line only, where everything is a text; inside lists and inside
a running notebook a text stands for itself, so that "false" can never pass for a bool.
"""

import ast
import json
import math
import re
from collections.abc import Callable, Mapping


def read_value(annotation: str, value: object, *, from_text: bool) -> object:
    """Return `value` as the type that `annotation` names.

    Args:
        annotation: A key of `READERS`, "list[<key>]" or "<one of these> | None".
        value: What was given.
        from_text: Whether a text stands for what it spells ("[1, 2]") or for itself.

    Raises:
        TypeError: If the value has another type.
        ValueError: If the text spells no such value, the number is not finite, or the
            annotation is none of the above.
    """
    kind, item_kind, optional = _kinds(annotation)
    if optional and (value is None or (from_text and value in ("None", "none", "null"))):
        return None
    found = READERS[kind](value, from_text)
    if item_kind and isinstance(found, list):
        return [READERS[item_kind](item, False) for item in found]
    return found


def _kinds(annotation: str) -> tuple[str, str, bool]:
    """Return the type, the type of its items ("" for any) and whether None is allowed."""
    parts = [part.strip() for part in annotation.split("|")]
    kinds = [part for part in parts if part != "None"]
    kind, _, item_kind = kinds[0].removesuffix("]").partition("[") if kinds else ("", "", "")
    known = kind in READERS and (not item_kind or (kind == "list" and item_kind in READERS))
    if len(kinds) != 1 or not known:
        raise ValueError(
            f"Found the type {annotation!r}; expected one of {', '.join(READERS)}, "
            "list[<one of them>] or <one of these> | None."
        )
    return kind, item_kind, "None" in parts


def _read_bool(value: object, from_text: bool) -> bool:
    if isinstance(value, bool):
        return value
    if from_text and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise TypeError("expected true or false")


def _read_int(value: object, from_text: bool) -> int:
    if from_text and isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+\s*", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("expected a whole number")
    return value


def _read_float(value: object, from_text: bool) -> float:
    readable = (str, int, float) if from_text else (int, float)
    if isinstance(value, bool) or not isinstance(value, readable):
        raise TypeError("expected a number")
    found = float(value)
    if not math.isfinite(found):
        raise ValueError("expected a finite number")
    return found


def _read_str(value: object, _from_text: bool) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def _read_list(value: object, from_text: bool) -> list:
    found = _spelled(value) if from_text and isinstance(value, str) else value
    if not isinstance(found, list | tuple):
        raise TypeError("expected a list")
    return list(found)


def _read_dict(value: object, from_text: bool) -> dict:
    found = _spelled(value) if from_text and isinstance(value, str) else value
    if not isinstance(found, dict):
        raise TypeError("expected a dict")
    return found


def _spelled(text: str) -> object:
    """Return the JSON or Python literal in `text`."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        try:
            return ast.literal_eval(text)
        except SyntaxError as error:
            raise ValueError("expected JSON or a Python literal") from error


READERS: Mapping[str, Callable[[object, bool], object]] = {
    "bool": _read_bool,
    "int": _read_int,
    "float": _read_float,
    "str": _read_str,
    "list": _read_list,
    "dict": _read_dict,
}
