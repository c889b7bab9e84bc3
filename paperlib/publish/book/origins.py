"""The line under every figure and table of a page: which run made it, from which cell.

It is put in here, once for all, when Sphinx reads a page. What an output says of its own origin in
its text (the note of a figure, the caption of a table) is taken as it is: it may come from a
reference run. All others were made by the run of this build.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from paperlib.publish.book.sphinxext import RESULTS, format_result, read_results
from paperlib.publish.gate import EXECUTED

# Results hold it for each run, "run.origin", with more letters where a run is named otherwise.
ORIGIN_KEY = "origin"
THIS_RUN = "run"
PAGE = f"{EXECUTED}/provenance"
# Prefixes of results that are no run's own, and the runs that they are computed from.
COMPUTED_FROM = {"paper": (), "band": (), "cost": ("phantom", "real36")}
_SAYS_ORIGIN = re.compile(r"\bcommit \w{7}|\bversion \d")


def add_origins(app: Sphinx, doctree: nodes.document) -> None:
    """Put the line under the results of one page; for Sphinx's event doctree-read.

    Raises:
        ValueError: If the results do not hold the origin of this run.
    """
    env = app.env
    cells = [cell for cell in _containers(doctree, "cell_code") if _is_result(cell)]
    typed = [table for table in doctree.findall(nodes.table) if _prefixes(table)]
    if not cells and not typed:
        return
    path = Path(env.srcdir) / RESULTS
    env.note_dependency(str(path))
    results = read_results(path)
    for cell in cells:
        _describe_cell(cell, results, env)
    for table in typed:
        origins = [format_result(results, f"{name}.{ORIGIN_KEY}") for name in _prefixes(table)]
        line = _line("; ".join(origins), [], _runs(_prefixes(table), env))
        table.parent.insert(table.parent.index(table) + 1, line)


def setup(app: Sphinx) -> dict[str, object]:
    """Register the hook."""
    app.connect("doctree-read", add_origins)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def label(prefix: str) -> str:
    """Return the label of a run's section on the provenance page."""
    return f"provenance-{prefix}"


def _describe_cell(cell: nodes.Element, results: dict[str, object], env: BuildEnvironment) -> None:
    """Put an anchor to the code of a cell and to its result, and a line that links to both."""
    code, shown = f"cell-{cell['cell_index']}", f"result-{cell['cell_index']}"
    text, drawn = _own_text(cell), not _is_table(cell)
    named = _SAYS_ORIGIN.search(text)
    if not named:
        text = format_result(results, f"{THIS_RUN}.{ORIGIN_KEY}")
    elif drawn:
        _describe_pictures(cell, text)
    sources = _containers(cell, "cell_code_source")
    for source in sources:
        source["ids"].append(code)
        back = nodes.reference("", "result", refid=shown, internal=True)
        source.append(nodes.paragraph("", "", back, classes=["to-result"]))
    for output in _containers(cell, "cell_code_output"):
        output["ids"].append(shown)
    to_code = [nodes.reference("", "this code", refid=code, internal=True) for _ in sources]
    line = _line("" if named and not drawn else text, to_code, _runs(_named(text, results), env))
    if named and drawn:
        line[0]["classes"].append("drawn")
    cell.append(line)


def _describe_pictures(cell: nodes.Element, text: str) -> None:
    """Add what is drawn in letters to the alternative text of a picture."""
    for picture in cell.findall(nodes.image):
        picture["alt"] = f"{picture.get('alt', '')} {text}".strip()


def _named(text: str, results: dict[str, object]) -> list[str]:
    """Return the runs one of whose origins stands in a text."""
    origins = [key for key in results if key.partition(".")[2].startswith(ORIGIN_KEY)]
    found = [key.partition(".")[0] for key in origins if str(results[key]) in text]
    return list(dict.fromkeys(found))


def _line(origin: str, code: Sequence[nodes.Node], runs: Sequence[nodes.Node]) -> nodes.paragraph:
    """Return "origin. Made by this code from this run", with links; parts may be missing."""
    line = nodes.paragraph("", "", classes=["provenance"])
    line += nodes.inline("", f"{origin}. " if origin else "")
    line += nodes.Text("Made by " if code else "From ")
    for number, node in enumerate([*code, *runs]):
        joint = " from " if code and number == 1 else " and " if number else ""
        line += [nodes.Text(joint), node]
    return line


def _runs(prefixes: Iterable[str], env: BuildEnvironment) -> list[nodes.Node]:
    """Return the name of each run, a link where the book has the provenance page."""
    named = []
    for prefix in prefixes:
        words = "this run" if prefix == THIS_RUN else f"the reference {prefix}"
        name = nodes.inline("", words)
        target = {"refdomain": "std", "reftype": "ref", "reftarget": label(prefix)}
        to_page = addnodes.pending_xref(
            "", name, refdoc=env.docname, refexplicit=True, refwarn=True, **target
        )
        named.append(to_page if PAGE in env.found_docs else name)
    return named


def _containers(node: nodes.Element, kind: str) -> list[nodes.Element]:
    return [one for one in node.findall(nodes.container) if one.get("nb_element") == kind]


def _is_result(cell: nodes.Element) -> bool:
    return _is_table(cell) or any(True for _ in cell.findall(nodes.image))


def _is_table(cell: nodes.Element) -> bool:
    return any("<table" in raw.astext() for raw in cell.findall(nodes.raw))


def _own_text(cell: nodes.Element) -> str:
    """Return the text alternatives of a cell's figures and tables, in one line."""
    texts = [
        one.astext()
        for one in cell.findall(nodes.container)
        if one.get("mime_type") == "text/plain"
    ]
    return " ".join(" ".join(texts).split()).removeprefix("Figure: ")


def _prefixes(table: nodes.table) -> list[str]:
    """Return the runs whose results stand in a table of a hand-written page."""
    found = [
        one["result"].partition(".")[0] for one in table.findall(nodes.inline) if "result" in one
    ]
    runs = [run for prefix in found for run in COMPUTED_FROM.get(prefix, (prefix,))]
    return list(dict.fromkeys(runs))
