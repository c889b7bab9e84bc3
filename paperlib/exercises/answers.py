"""How an answer is judged: not answered yet, wrong and why, or right.

An error of a check shows its message alone, without a traceback: the student's code is not broken.
In a notebook a missing answer ends its cell with a printed line and no error at all, so that
papermill calls an untouched copy a success.
"""

import sys
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import NamedTuple

import numpy as np

BLANK = ...  # what stands in the copy for students where an answer is wanted


class AnswerError(ValueError):
    """An answer did not pass its check."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class NotAnsweredError(AnswerError):
    """There is no answer yet."""


class WrongAnswerError(AnswerError):
    """The answer is not right; the message says what is wrong with it."""


class Mistake(NamedTuple):
    """A number that a typical mistake leads to, and what is wrong with it."""

    value: float
    remark: str


def check_answered(**given: object) -> None:
    """Refuse answers that are still blank.

    Args:
        given: Answers by the name that they have in the notebook.

    Raises:
        NotAnsweredError: Names those that are blank.
    """
    blank = [f"`{name}`" for name, answer in given.items() if answer is BLANK]
    if blank:
        raise NotAnsweredError(
            f"{' and '.join(blank)}: not answered yet. Write your answer in place of `...` in the "
            "cell above, run that cell, then this one."
        )


def check_choice(name: str, answer: object, *, right: str, remarks: Mapping[str, str]) -> None:
    """Compare an answer that is one of several texts.

    Args:
        name: Of the answer in the notebook.
        answer: What the student gave.
        right: The right text.
        remarks: What is wrong with each of the texts; the one of the right text is not used.

    Raises:
        NotAnsweredError: If the answer is blank.
        WrongAnswerError: If it is another text, or none of the texts.
    """
    check_answered(**{name: answer})
    if answer == right:
        return
    if not isinstance(answer, str) or answer not in remarks:
        known = ", ".join(map(repr, sorted({*remarks, right})))
        raise WrongAnswerError(f"`{name}` is {answer!r}; expected one of {known}.")
    raise WrongAnswerError(f"`{name}` is {answer!r}: {remarks[answer]}")


def check_number(
    name: str,
    answer: object,
    *,
    right: float,
    mistakes: Sequence[Mistake],
    otherwise: str,
    tolerance: float = 0.01,
) -> None:
    """Compare an answer that is a number.

    Args:
        name: Of the answer in the notebook.
        answer: What the student gave.
        right: The right number, computed from the student's run; NaN is matched by NaN.
        mistakes: Numbers that typical mistakes lead to; one equal to `right` does no harm.
        otherwise: What to look at when the number is none of these.
        tolerance: Allowed difference, as a share of the right number and, for numbers near zero,
            a tenth of it as such.

    Raises:
        NotAnsweredError: If the answer is blank.
        WrongAnswerError: If it is no number, or another one.
    """
    check_answered(**{name: answer})
    plain = (
        answer.item()
        if isinstance(answer, np.generic | np.ndarray) and answer.size == 1
        else answer
    )
    if not isinstance(plain, Real) or isinstance(plain, bool):
        raise WrongAnswerError(f"`{name}` is {type(answer).__name__}; expected one number.")
    number = float(plain)

    def near(other: float) -> bool:
        return bool(np.isclose(number, other, rtol=tolerance, atol=tolerance / 10, equal_nan=True))

    if near(right):
        return
    for mistake in mistakes:
        if near(mistake.value):
            raise WrongAnswerError(f"`{name}` is {number:.4g}: {mistake.remark}")
    side = ", too high" if number > right else ", too low" if number < right else ""  # none of NaN
    raise WrongAnswerError(f"`{name}` is {number:.4g}{side}: {otherwise}")


def passed(text: str) -> None:
    """Print the one line of a passed check: "Passed: it is so, because ..."."""
    print(f"Passed: {text}")


def _print(_shell: object, _kind: type, error: Exception, *_more: object, **_named: object) -> None:
    """Show an error of a notebook as a printed line."""
    print(error)


if "IPython" in sys.modules and (_shell := sys.modules["IPython"].get_ipython()) is not None:
    _shell.set_custom_exc((NotAnsweredError,), _print)
