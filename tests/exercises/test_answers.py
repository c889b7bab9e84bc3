import numpy as np
import pytest
from ipykernel.zmqshell import ZMQInteractiveShell

from paperlib.exercises import answers

REMARKS = {"up": "look again."}
TWICE = answers.Mistake(4.0, "that is twice as much.")


def number(answer, right=2.0, tolerance=0.01):
    answers.check_number(
        "n", answer, right=right, mistakes=[TWICE], otherwise="count.", tolerance=tolerance
    )


def remark(answer, right=2.0):
    """Return what is said of a number; nothing where it passes."""
    try:
        number(answer, right)
    except answers.AnswerError as error:
        return str(error)
    return ""


def test_blanks_are_named_together():
    with pytest.raises(answers.NotAnsweredError, match="`a` and `c`: not answered yet"):
        answers.check_answered(a=..., b=1, c=...)


def test_a_choice_is_right_wrong_or_unknown():
    answers.check_choice("way", "down", right="down", remarks=REMARKS)
    with pytest.raises(answers.WrongAnswerError, match="`way` is 'up': look again"):
        answers.check_choice("way", "up", right="down", remarks=REMARKS)
    with pytest.raises(answers.WrongAnswerError, match="expected one of 'down', 'up'"):
        answers.check_choice("way", ["up"], right="down", remarks=REMARKS)


@pytest.mark.parametrize("answer", [2, 2.0, 2.01, np.float32(2), np.array([2.0]), np.int64(2)])
def test_a_number_may_come_in_any_dress_and_be_rounded(answer):
    assert remark(answer) == ""
    assert remark(answer, right=3.0) == f"`n` is {np.asarray(answer).item():.4g}, too low: count."


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (4.0, "`n` is 4: that is twice as much"),
        (3, "`n` is 3, too high: count"),
        (float("nan"), "`n` is nan: count"),
        ("2", "`n` is str; expected one number"),
        (True, "`n` is bool; expected one number"),
        (np.array([2.0, 2.0]), "`n` is ndarray; expected one number"),
    ],
)
def test_a_wrong_number_is_told_what_is_wrong(answer, message):
    with pytest.raises(answers.WrongAnswerError, match=message):
        number(answer)


def test_near_zero_the_tolerance_is_absolute():
    number(0.0009, right=0.0)
    with pytest.raises(answers.WrongAnswerError):
        number(0.002, right=0.0)


def test_an_undefined_number_is_matched_by_nan_only():
    number(float("nan"), right=float("nan"))
    with pytest.raises(answers.WrongAnswerError):
        number(0.0, right=float("nan"))


def test_a_mistake_that_happens_to_be_right_passes():
    assert remark(4.0, right=4.0) == ""
    assert remark(4.0) == f"`n` is 4: {TWICE.remark}"


def test_the_message_stands_alone_in_a_notebook():
    error = answers.NotAnsweredError("later")
    assert error._render_traceback_() == ["NotAnsweredError: later"]
    assert "_render_traceback_" in ZMQInteractiveShell.showtraceback.__code__.co_names
