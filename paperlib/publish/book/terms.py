"""The first use of a glossary term on an executed page becomes a link to its entry.

Pages then need no mark-up for it, and a new entry reaches all of them at once. Hand-written pages
link by hand, with {term}`...`: their authors know which word a newcomer stumbles over.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from paperlib.publish.gate import EXECUTED

GLOSSARY = "book/glossary.md"  # relative to the book's root
_BLOCK = re.compile(r"^:::\{glossary\}\n(.*?)^:::", re.S | re.M)


def read_terms(path: Path) -> list[str]:
    """Return the terms of a glossary page: in its blocks, the lines that start in column one."""
    blocks = _BLOCK.findall(path.read_text("utf-8"))
    return [line for block in blocks for line in block.splitlines() if line[:1].strip()]


def link_first_uses(doctree: nodes.document, terms: Iterable[str], page: str) -> None:
    """Turn the first use of each term in running text into a reference to the glossary.

    Args:
        doctree: A page; changed in place.
        terms: As the glossary writes them; case and a plural s do not matter, the longest wins.
        page: Name of the page, which Sphinx needs to make the link.
    """
    left = {term.lower() for term in terms}
    words = "|".join(re.escape(term) for term in sorted(left, key=len, reverse=True))
    pattern = re.compile(rf"\b({words})(?:s|es)?\b", re.IGNORECASE)
    for text in list(_running_text(doctree)):
        pieces = list(_pieces(str(text), pattern, left, page))
        if len(pieces) > 1 or not isinstance(pieces[0], nodes.Text):
            text.parent.replace(text, pieces)


def _running_text(doctree: nodes.document) -> Iterator[nodes.Text]:
    """Yield the text of paragraphs and lists, without links, code, formulas and tables."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.entry):
            continue
        for text in paragraph.findall(nodes.Text):
            if isinstance(text.parent, nodes.paragraph | nodes.emphasis | nodes.strong):
                yield text


def _pieces(
    text: str, pattern: re.Pattern[str], left: set[str], page: str
) -> Iterator[nodes.Text | addnodes.pending_xref]:
    """Yield the text in pieces; a term that is still `left` becomes a link, and leaves."""
    start = 0
    for found in pattern.finditer(text):
        term = found[1].lower()
        if term not in left:
            continue
        left.remove(term)
        if found.start() > start:
            yield nodes.Text(text[start : found.start()])
        yield addnodes.pending_xref(
            "",
            nodes.inline("", found[0], classes=["term"]),
            refdomain="std",
            reftype="term",
            reftarget=term,
            refdoc=page,
            refexplicit=True,
            refwarn=True,
        )
        start = found.end()
    if start < len(text) or not text:
        yield nodes.Text(text[start:])


def setup(app: Sphinx) -> dict[str, object]:
    """Register the hook."""
    app.connect("doctree-read", _link)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _link(app: Sphinx, doctree: nodes.document) -> None:
    glossary = Path(app.srcdir) / GLOSSARY
    if not app.env.docname.startswith(f"{EXECUTED}/") or not glossary.is_file():
        return
    app.env.note_dependency(str(glossary))
    link_first_uses(doctree, read_terms(glossary), app.env.docname)
