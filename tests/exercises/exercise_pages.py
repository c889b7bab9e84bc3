"""The exercises of a page as a test can run them: question, answer and check, without a kernel."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import jupytext

from paperlib.publish import blanks

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "notebooks").glob("*.py"))
KINDS = ("Predict", "Change", "Explain", "Open")
START = re.compile(r"\{exercise-start\} *(.*)\n:label: (\S+)")
MARK = re.compile(r"^```\{((?:exercise|solution)-(?:start|end))\}", re.M)


class Exercise(NamedTuple):
    """One exercise: its page, label and title, and the code of its cells."""

    page: str
    label: str
    title: str
    shown: list[str]  # code that the student sees before he answers
    solution: list[str]
    check: list[str]

    @property
    def kind(self):
        return self.title.split(":")[0]

    @property
    def blank(self):
        return [blanks.blank_answers(code) for code in self.solution]


def read_page(source):
    """Return the code cells before the exercises, and the exercises."""
    before, found, mark = [], [], ""
    for cell in jupytext.read(source, fmt="py:percent").cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            for title, label in START.findall(cell.source):
                found.append(Exercise(source.stem, label, title, [], [], []))
            mark = [mark, *MARK.findall(cell.source)][-1]
        elif not found:
            before.append(cell.source)
        elif blanks.SOLUTION in tags:
            found[-1].solution.append(cell.source)
        elif blanks.CHECK in tags:
            found[-1].check.append(cell.source)
        elif mark == "exercise-start":
            found[-1].shown.append(cell.source)
    return before, found


def every_exercise():
    return [exercise for source in SOURCES for exercise in read_page(source)[1]]


def statements(cells):
    return [node for cell in cells for node in ast.parse(cell).body]


def needed(earlier, wanted):
    """Return of some earlier statements those that the wanted ones build on, in order.

    A figure is not drawn when nothing after it uses what it returns.
    """
    names = set()
    for one in reversed(wanted):
        names = (names - _written(one)) | _read(one)
    imported = {name for one in earlier if isinstance(one, ast.Import | ast.ImportFrom)
                for name in _written(one)}  # fmt: skip
    kept = []
    for one in reversed(earlier):
        if _written(one) & names or (_changed(one) - imported) & names:
            names |= _read(one)
            kept.append(one)
    return kept[::-1]


def run(nodes, namespace):
    exec(compile(ast.Module(list(nodes), []), "<page>", "exec"), namespace)


def _read(node):
    parts = list(ast.walk(node))
    loads = {n.id for n in parts if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    loads |= {n.target.id for n in parts
              if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)}  # fmt: skip
    loops = [n.target for n in parts if isinstance(n, ast.comprehension)]
    own = {n.id for target in loops for n in ast.walk(target) if isinstance(n, ast.Name)}
    return loads - own - {n.arg for n in parts if isinstance(n, ast.arg)}


def _written(node):
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(name.asname or name.name).split(".")[0] for name in node.names}
    stored = {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return stored | {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef)}


def _changed(node):
    """Return what a statement may change in place: `a[...] = 1`, `a.b = 1`, `a.append(1)`."""
    inner = []
    for one in ast.walk(node):
        if isinstance(one, ast.Subscript | ast.Attribute) and isinstance(one.ctx, ast.Store):
            inner.append(one.value)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
            inner.append(one.func.value)
    return {n.id for part in inner for n in ast.walk(part) if isinstance(n, ast.Name)}
