import subprocess
import sys

import nbformat
import pytest

from paperlib.publish import blanks
from paperlib.publish.notebooks import read_student_copy, write_notebooks

QUESTION = """\
# %% [markdown]
# ```{exercise-start} Predict: a sum
# :label: exercise-sum
# ```
# What is 2 + 2?

# %%
given = 2

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-sum
# :class: dropdown
# ```
# Count on your fingers.
"""
SOLUTION = """\
# %% tags=["solution"]
step = given
# hint: count
# hint: slowly
total = (
    given + step
)"""
CHECK = '# %% tags=["check"]\nassert total == 4'
SHOWN = "# %%\nprint('worked', total)"
END = "# %% [markdown]\n# ```{solution-end}\n# ```\n#\n# ## What we learned"
OPEN = """\
# %% [markdown]
# ```{exercise-start} Open: why?
# :label: exercise-why
# ```
# A good answer is short.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-why
# :class: dropdown
# ```
# Because.
#
# ```{solution-end}
# ```"""


def copied(write_source, *cells):
    return [(cell.cell_type, cell.source, cell.metadata.get("tags", []))
            for cell in read_student_copy(write_source(*cells)).cells]  # fmt: skip


def test_the_copy_holds_question_hints_blank_and_check(write_source):
    assert copied(write_source, QUESTION, SOLUTION, CHECK, SHOWN, END) == [
        ("markdown", "### Predict: a sum\nWhat is 2 + 2?", []),
        ("code", "given = 2", []),
        ("code", "# hint: count\n# hint: slowly\ntotal = ...", []),
        ("code", "assert total == 4", ["check", "raises-exception"]),
        ("markdown", "## What we learned", []),
    ]


def test_an_open_exercise_leaves_room_for_an_answer(write_source):
    assert copied(write_source, OPEN, "# %% [markdown]\n# ## What we learned") == [
        ("markdown", "### Open: why?\nA good answer is short.", []),
        ("markdown", blanks.OPEN_ANSWER, []),
        ("markdown", "## What we learned", []),
    ]


def test_a_solution_ends_before_the_next_exercise(write_source):
    kinds = [kind for kind, _, _ in copied(write_source, QUESTION, SOLUTION, CHECK, END, OPEN)]
    assert kinds == ["markdown", "code", "code", "code", "markdown", "markdown", "markdown"]


def test_the_written_notebook_is_valid_and_has_no_solution(write_source, tmp_path):
    write_notebooks([write_source(QUESTION, SOLUTION, CHECK, END)], tmp_path / "work")
    notebook = nbformat.read(tmp_path / "work" / "01_data.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert "given + step" not in "".join(cell.source for cell in notebook.cells)


def test_a_notebook_without_exercises_stays_as_it_is(write_source):
    assert copied(write_source, "# %% [markdown]\n# # Title", "x = 1  # hint: no") == [
        ("markdown", "# Title", []), ("code", "x = 1  # hint: no", [])]  # fmt: skip


def test_a_solution_without_a_hint_is_refused():
    with pytest.raises(ValueError, match=r"no `# hint: ...` above an answer: x = 1"):
        blanks.blank_answers("x = 1")


@pytest.mark.parametrize("code", ["f(1)", "x, y = 1, 2", "x: int = 1"])
def test_what_is_no_plain_answer_is_refused(code):
    with pytest.raises(ValueError, match="expected `name = value`"):
        blanks.blank_answers(f"# hint: think\n{code}")


@pytest.mark.long
@pytest.mark.parametrize(("answer", "code"), [("...", 0), ("4", 0), ("5", 1)])
def test_papermill_takes_a_missing_answer_for_no_error_and_a_wrong_one_for_one(
    write_source, tmp_path, answer, code
):
    check = (
        '# %% tags=["check"]\nfrom paperlib.exercises import answers\n\n'
        'answers.check_number("total", total, right=4, mistakes=[], otherwise="count again.")\n'
        "answers.passed(total)"
    )
    write_notebooks([write_source(QUESTION, SOLUTION, check, END)], tmp_path)
    path = tmp_path / "01_data.ipynb"
    path.write_text(path.read_text().replace("total = ...", f"total = {answer}"))
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / "out.ipynb")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    (said,) = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-2].outputs
    expected = {"...": "not answered yet", "4": "Passed: 4", "5": "count again"}[answer]
    assert expected in (said.evalue if code else said.text)
