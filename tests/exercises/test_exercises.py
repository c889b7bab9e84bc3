"""Every exercise of every page: the blank, two typical wrong answers and the solution."""

import ast
import re

import numpy as np
import pytest
from exercise_pages import KINDS, ROOT, SOURCES, every_exercise, needed, read_page, run, statements
from matplotlib import pyplot as plt
from wrong_answers import WRONG_ANSWERS

from paperlib.exercises import answers
from paperlib.publish import blanks
from paperlib.publish.notebooks import read_notebook, read_student_copy

CHECKED = [exercise for exercise in every_exercise() if exercise.check]
SOLUTION = re.compile(
    r"^```\{solution-start\}[^\n]*\n:class: dropdown\n```\n(.*?)^```\{solution-end\}", re.M | re.S
)
OPEN = re.compile(
    r"\{exercise-start\} (Open: [^\n]*)\n(.*?)\{solution-start\}(.*?)\{solution-end\}", re.S
)
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")

checked = pytest.mark.parametrize("exercise", CHECKED, ids=lambda one: one.label)


@pytest.fixture(scope="session")
def pages():
    return {}


@pytest.fixture
def namespace(exercise, page_of):
    """Return what stands before an answer: what the page has loaded, and the question's cells."""
    own = dict(page_of(exercise.page))
    run(statements(exercise.shown), own)
    return own


@pytest.fixture
def page_of(pages, mini_run, monkeypatch):
    """Return what a page has loaded when its exercises begin, on the shared small run."""
    reference = ROOT / "results" / "reference"
    monkeypatch.setattr("paperlib.pipeline.run.open_run", lambda *_: mini_run)
    monkeypatch.setattr("paperlib.pipeline.pages.publishing.reference_folder", reference.joinpath)

    def load(page):
        if page not in pages:
            source = next(one for one in SOURCES if one.stem == page)
            before, found = read_page(source)
            cells = [cell for one in found for cell in (*one.shown, *one.solution, *one.check)]
            loaded = {"__name__": "page"}
            run(needed(statements(before), statements(cells)), loaded)
            pages[page] = loaded
        return pages[page]

    yield load
    plt.close("all")


def answer(exercise, namespace, *, instead=""):
    run(statements(exercise.solution), namespace)
    run(statements([instead]), namespace)


@checked
def test_a_blank_is_said_to_be_not_answered_yet(exercise, namespace):
    run(statements(exercise.blank), namespace)
    with pytest.raises(answers.NotAnsweredError, match="not answered yet"):
        run(statements(exercise.check), namespace)


@pytest.mark.parametrize("page", sorted({exercise.page for exercise in CHECKED}))
def test_an_unanswered_page_runs_to_its_end_but_for_the_checks(page, page_of):
    own, waiting = dict(page_of(page)), 0
    for exercise in (one for one in every_exercise() if one.page == page):
        run(statements([*exercise.shown, *exercise.blank]), own)
        if exercise.check:
            with pytest.raises(answers.NotAnsweredError):
                run(statements(exercise.check), own)
        waiting += bool(exercise.check)
    assert waiting >= 2


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
        remark = messages[-1].split(": ", maxsplit=1)[-1]  # before it stands the student's answer
        told.append([value for value in right if gives_away(remark, value)])
    assert len(set(messages)) == 2
    assert told == [[], []]


def test_wrong_answers_belong_to_exercises_with_a_check():
    assert set(WRONG_ANSWERS) == {exercise.label for exercise in CHECKED}
    assert {len(wrong) for wrong in WRONG_ANSWERS.values()} == {2}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_page_has_exercises_from_easy_to_open(source):
    found = read_page(source)[1]
    kinds = [exercise.kind for exercise in found]
    assert len(kinds) >= 3
    assert {"Predict", "Change"} <= set(kinds) <= set(KINDS)
    assert kinds[0] == "Predict"
    assert kinds[-1] == "Open"
    assert [bool(exercise.check) for exercise in found] == [kind != "Open" for kind in kinds]
    assert [len(exercise.check) for exercise in found if exercise.check] == [
        len(exercise.solution) for exercise in found if exercise.solution
    ]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_changing_one_thing_adds_to_a_table(source):
    for exercise in read_page(source)[1]:
        if exercise.kind == "Change":
            calls = [ast.unparse(one) for one in statements(exercise.check)]
            assert calls[0].startswith("exercises.check_")
            assert calls[-1].startswith("present.show(")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_an_open_exercise_has_a_rubric_and_a_worked_answer(source):
    markdown = "\n".join(cell.source for cell in read_notebook(source).cells
                         if cell.cell_type == "markdown")  # fmt: skip
    for title, asked, worked in OPEN.findall(markdown):
        assert "A good answer" in asked, title
        assert all(f"({n})" in asked and f"({n})" in worked for n in (1, 2, 3)), title


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
