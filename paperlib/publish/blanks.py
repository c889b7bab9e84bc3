"""Blanks from solutions: what `make notebooks` leaves of an exercise (see `paperlib.exercises`).

The source holds question, solution and check. The student's copy holds the question, the hints, a
`...` for each answer, and the check; it may fail, so that the cells after it run all the same.
"""

import ast

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from paperlib.publish.plain import FENCE, unfence

SOLUTION, CHECK, MAY_FAIL = "solution", "check", "raises-exception"
HINT = "# hint:"
OPEN_ANSWER = (
    "*Double-click here and write your answer. A worked one is on this page of the book, folded.*"
)
_OPENING, _CLOSING = "```{solution-start}", "```{solution-end}"


def blank_solutions(notebook: NotebookNode) -> None:
    """Turn a notebook with solutions into the copy for students, in place.

    Args:
        notebook: From `notebooks.read_notebook`.

    Raises:
        ValueError: If a cell tagged `solution` has no hint, or a hint no `name = value` below it.
    """
    kept: list[NotebookNode] = []
    inside, answers = False, 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            texts, inside, answers = _question(cell.source, inside, answers)
            kept += [new_markdown_cell(text, metadata=cell.metadata) for text in texts]
            continue
        if SOLUTION in tags:
            cell.source = blank_answers(cell.source)
            cell.metadata.pop("tags")
            answers += 1
        elif CHECK in tags:
            cell.metadata["tags"] = [*tags, MAY_FAIL]
        elif inside:
            continue
        kept.append(cell)
    notebook.cells = nbformat.from_dict(kept)


def blank_answers(source: str) -> str:
    """Return the code of a solution with `...` in place of each answer below a hint.

    Args:
        source: Code of a cell tagged `solution`.

    Raises:
        ValueError: If there is no hint, or no `name = value` below one.
    """
    lines, kept = source.splitlines(), []
    for statement in ast.parse(source).body:
        start = statement.lineno - 1
        first = start
        while first and lines[first - 1].startswith("#"):
            first -= 1
        if not any(line.startswith(HINT) for line in lines[first:start]):
            continue
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            raise ValueError(
                f"Below a hint stands `{lines[start]}`; expected `name = value`, the answer."
            )
        kept += [*lines[first:start], f"{statement.targets[0].id} = ..."]
    if not kept:
        raise ValueError(
            f"A cell tagged `{SOLUTION}` has no `{HINT} ...` above an answer: {source}"
        )
    return "\n".join(kept)


def _question(text: str, inside: bool, answers: int) -> tuple[list[str], bool, int]:
    """Return what a student sees of a markdown cell, in cells, and the state after it.

    Args:
        text: Of the cell.
        inside: Whether the cell before ended inside a solution.
        answers: Cells with answers since that solution began.
    """
    cells: list[list[str]] = [[]]
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(_OPENING):
            inside, answers = True, 0
        elif line.startswith(_CLOSING):
            inside = False
            next(lines, FENCE)
            cells += [] if answers else [[OPEN_ANSWER], []]
        elif not inside:
            cells[-1].append(line)
    shown = [unfence("\n".join(lines)) for lines in cells]
    return [text.strip("\n") for text in shown if text.strip()], inside, answers
