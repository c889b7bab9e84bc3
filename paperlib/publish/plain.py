"""What Jupyter does not know of the book's MyST, in the words that it does: for copies of a page.

The book shows code from the package, numbers from results and links by itself. Outside of it the
code stands in the notebook, a page is a file beside it, and a number is where the book has it.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from nbformat import NotebookNode

FENCE = "```"
_INCLUDED = re.compile(r"^```\{literalinclude\} (\S+)\n((?::.*\n)*)```$", re.M)
_OPTION = re.compile(r"^:([a-z-]+): *\"?(.*?)\"?$", re.M)
_ROLE = re.compile(r"\{([a-z:]+)\}`([^`]+)`")
_PAGE = re.compile(r"\]\((\d\w*)(#[\w-]+)?\)")
_LABEL = re.compile(r"^\([\w-]+\)=\n", re.M)
_EXERCISE = re.compile(r"^```\{exercise-start\} *(.*)\n:label: .*\n```$", re.M)
_SOLUTION = re.compile(r"^```\{solution-start\}.*\n(?::.*\n)*```$", re.M)
_END = re.compile(r"^```\{(?:exercise|solution)-end\}\n```$\n?", re.M)
NUMBER = "*(a number that this page of the book shows)*"


def write_plainly(notebook: NotebookNode, folder: Path) -> None:
    """Replace the book's directives and roles in the texts of a notebook, in place.

    Args:
        notebook: From `notebooks.read_notebook`, with or without blanks.
        folder: Of the sources; paths of included code start two folders below its parent, where
            the book executes its pages.

    Raises:
        FileNotFoundError: If an included file is not there.
        ValueError: If it has no such object.
    """
    figures = dict(_figures(notebook))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _plain(cell.source, folder, figures)


def _plain(text: str, folder: Path, figures: Mapping[str, str]) -> str:
    text = _INCLUDED.sub(lambda found: _code(folder, found[1], found[2]), text)
    text = _LABEL.sub("", _PAGE.sub(r"](\1.ipynb)", text))
    return _ROLE.sub(lambda found: _words(found[1], found[2], figures), unfence(text))


def unfence(text: str) -> str:
    """Return a text with headings in the place of the fences around exercises and solutions."""
    return _END.sub("", _SOLUTION.sub("**Solution**", _EXERCISE.sub(r"### \1", text)))


def _code(folder: Path, path: str, options: str) -> str:
    """Return the part of a file that the book shows, as a block of code."""
    file = folder.parent / path.removeprefix("../../")
    lines, chosen = file.read_text("utf-8").splitlines(), dict(_OPTION.findall(options))
    first, last = 0, len(lines)
    if "pyobject" in chosen:
        first, last = _extent(file, chosen["pyobject"])
    if "start-at" in chosen:
        first = next(n for n, line in enumerate(lines) if chosen["start-at"] in line)
    if "end-before" in chosen:
        last = next(n for n in range(first + 1, last) if chosen["end-before"] in lines[n])
    return "\n".join([f"{FENCE}python", *lines[first:last], FENCE])


def _extent(file: Path, name: str) -> tuple[int, int]:
    """Return first line and end of a function or class, decorators included."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            return first - 1, node.end_lineno or first
    raise ValueError(f"{file} has no function or class {name}.")


def _figures(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield the name of each figure, and its caption's first sentence."""
    for cell in notebook.cells:
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if "name" in figure:
            yield figure["name"], figure["caption"].partition(". ")[0].rstrip(".")


def _words(role: str, content: str, figures: Mapping[str, str]) -> str:
    if role == "result":
        return NUMBER
    if role == "numref":
        return f'the figure "{figures.get(content, content)}"'
    if role.startswith("cite"):
        return f"[{content.replace(',', '; ')}]"
    return content.partition(" <")[0]
