"""The book's mark-up in the words of copies that Jupyter shows."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from paperlib.publish.book.downloads import preset_notebook
from paperlib.publish.notebooks import read_student_copy
from paperlib.publish.plain import NUMBER, write_plainly

SOURCES = sorted((Path(__file__).parents[2] / "notebooks").glob("*.py"))
MARK_UP = re.compile(r"\{[a-z:-]+\}`|```\{|\]\(\d\w*\)|^\([\w-]+\)=$|^:[a-z-]+:", re.M)
MODULE = """\
LIMIT = 3


@staticmethod
def shown(value):
    return value


# The end
"""


@pytest.fixture
def plain(tmp_path):
    """Return a function from a text to what Jupyter gets to see."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text(MODULE)
    figure = {"name": "fig-one", "caption": "What it shows. And more of it."}

    def convert(text):
        notebook = new_notebook(cells=[
            new_markdown_cell(text), new_code_cell(metadata={"mystnb": {"figure": figure}}),
        ])  # fmt: skip
        write_plainly(notebook, tmp_path / "notebooks")
        return notebook.cells[0].source

    return convert


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_no_mark_up_of_the_book_is_left_in_any_copy(source):
    for notebook in (read_student_copy(source), preset_notebook(source, {}, "a book")):
        texts = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        outside_code = re.sub(r"(?s)```python\n.*?\n```", "", texts)
        assert MARK_UP.findall(outside_code) == []
        nbformat.validate(notebook)


def test_shown_code_stands_in_the_copy(plain):
    whole = "```python\n@staticmethod\ndef shown(value):\n    return value\n```"
    include = "```{literalinclude} ../../package/module.py\n"
    assert plain(f"Before\n{include}:pyobject: shown\n```\nafter") == f"Before\n{whole}\nafter"
    part = plain(f'{include}:start-at: "LIMIT"\n:end-before: "@static"\n```')
    assert part.split() == ["```python", "LIMIT", "=", "3", "```"]
    with pytest.raises(ValueError, match="no function or class hidden"):
        plain(f"{include}:pyobject: hidden\n```")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[the last page](06_results) says", "[the last page](06_results.ipynb) says"),
        ("[there](06_results#one-part)", "[there](06_results.ipynb)"),
        ("{result}`paper.dice:.2f` of 1", f"{NUMBER} of 1"),
        ("Look at {numref}`fig-one` again", 'Look at the figure "What it shows" again'),
        ("shown before {cite}`baur2018,chen2018`", "shown before [baur2018; chen2018]"),
        ("the {term}`folds <fold>` of", "the folds of"),
        ("(a-label)=\n## A heading", "## A heading"),
        ("```{exercise-start} Predict\n:label: one\n```\nWhy?\n\n```{exercise-end}\n```",
         "### Predict\nWhy?\n\n"),
        ("```{solution-start} one\n:class: dropdown\n```\nSo.", "**Solution**\nSo."),
        ("A sum $\\{a\\}$ and `code` stay.", "A sum $\\{a\\}$ and `code` stay."),
    ],
)  # fmt: skip
def test_directives_and_roles_become_words(plain, text, expected):
    assert plain(text) == expected
