"""Every exercise of every page: the blank, two typical wrong answers and the solution."""

import ast
import re

import numpy as np
import pytest
from exercise_pages import SOURCES, every_exercise, needed, read_page, run, statements
from matplotlib import pyplot as plt
from wrong_answers import WRONG_ANSWERS

from paperlib.exercises import answers
from paperlib.publish import blanks
from paperlib.publish.notebooks import read_notebook, read_student_copy

CHECKED = [exercise for exercise in every_exercise() if exercise.check]
SOLUTION = re.compile(
    r"^```\{solution-start\}[^\n]*\n:class: dropdown\n```\n(.*?)^```\{solution-end\}", re.M | re.S
)
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")

checked = pytest.mark.parametrize("exercise", CHECKED, ids=lambda one: one.label)


@pytest.fixture(scope="session")
def pages():
    return {}


@pytest.fixture
def namespace(exercise, pages, mini_run, monkeypatch):
    """Return what the page has loaded when its exercises begin, on the shared small run."""
    monkeypatch.setattr("paperlib.pipeline.run.open_run", lambda *_: mini_run)
    if exercise.page not in pages:
        source = next(one for one in SOURCES if one.stem == exercise.page)
        before, found = read_page(source)
        wanted = statements([cell for one in found
                             for cell in (*one.shown, *one.solution, *one.check)])  # fmt: skip
        pages[exercise.page] = {"__name__": "page"}
        run(needed(statements(before), wanted), pages[exercise.page])
    own = dict(pages[exercise.page])
    run(statements(exercise.shown), own)
    yield own
    plt.close("all")


def answer(exercise, namespace, *, instead=""):
    run(statements(exercise.solution), namespace)
    run(statements([instead]), namespace)


@checked
def test_a_blank_is_said_to_be_not_answered_yet(exercise, namespace):
    run(statements(exercise.blank), namespace)
    with pytest.raises(answers.NotAnsweredError, match="not answered yet"):
        run(statements(exercise.check), namespace)


@checked
def test_the_solution_passes_in_one_line(exercise, namespace, capsys):
    answer(exercise, namespace)
    capsys.readouterr()
    run(statements(exercise.check), namespace)
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if line.startswith("Passed: ")] == printed[:1]


@checked
def test_typical_wrong_answers_are_told_what_is_wrong_and_not_what_is_right(exercise, namespace):
    messages, told = [], []
    for wrong in WRONG_ANSWERS[exercise.label]:
        own = dict(namespace)
        answer(exercise, own)
        right = [own[name] for name in answers_of(exercise)]
        run(statements([wrong]), own)
        with pytest.raises(answers.WrongAnswerError) as caught:
            run(statements(exercise.check), own)
        messages.append(str(caught.value))
        told.append([value for value in right if gives_away(str(caught.value), value)])
    assert len(set(messages)) == 2
    assert told == [[], []]


def test_wrong_answers_belong_to_exercises_with_a_check():
    assert set(WRONG_ANSWERS) == {exercise.label for exercise in CHECKED}
    assert {len(wrong) for wrong in WRONG_ANSWERS.values()} == {2}


def answers_of(exercise):
    return [node.targets[0].id for node in statements(exercise.blank)]


def gives_away(message, right):
    if isinstance(right, str):
        return f"is {right!r}" in message or message.endswith(f"{right!r}.")
    shown = [float(number) for number in NUMBER.findall(message)]
    return bool(np.isclose(shown, right, rtol=0.01, atol=0).any()) if shown else False


def test_statements_that_an_exercise_builds_on_are_found():
    page = statements(["import a", "x = 1\nunused = 2", "rows = []\nrows.append(x)", "a.show(9)"])
    kept = needed(page, statements(["a.use(rows)"]))
    assert [ast.unparse(node) for node in kept] == [
        "import a", "x = 1", "rows = []", "rows.append(x)"]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_copy_for_students_holds_no_line_of_a_solution(source):
    def lines(notebook):
        kept = [
            cell for cell in notebook.cells if blanks.CHECK not in cell.metadata.get("tags", [])
        ]
        return "\n".join(cell.source for cell in kept).splitlines()

    page = lines(read_notebook(source))
    solved = [line for part in SOLUTION.findall("\n".join(page)) for line in part.splitlines()]
    solved = [line for line in solved if line.strip() and not line.startswith(blanks.HINT)]
    copy = lines(read_student_copy(source))
    assert solved
    assert {n: copy.count(n) for n in solved} == {
        n: page.count(n) - solved.count(n) for n in solved
    }
