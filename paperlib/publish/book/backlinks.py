"""From the evidence back to the claims that rest on it.

The claims page links from each claim to the section or figure that bears it out. These links are
read from its executed notebook, so that the way back can neither be forgotten nor lead elsewhere.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder

from paperlib.publish.gate import EXECUTED

CLAIMS = f"{EXECUTED}/11_claims"
_TARGET = re.compile(r"^([\w-]+)\.html#([\w-]+)$")
_CLAIM = re.compile(r"^(claim|numbers?|contrast)-")


class Claim(NamedTuple):
    """A claim as its evidence names it: its anchor on the claims page and its words."""

    anchor: str
    words: str


def read_claims(html: str) -> Iterator[tuple[str, str, Claim]]:
    """Yield page, anchor on it and claim for each link from a claim to its evidence.

    Args:
        html: Tables of claims; rows or groups of rows with an anchor are claims.
    """
    for link in BeautifulSoup(html, "html.parser").find_all("a"):
        target = _TARGET.match(str(link.get("href", "")))
        place = link.find_parent(id=_CLAIM)
        if target and place:
            yield target[1], target[2], Claim(str(place["id"]), _words(place))


def add_backlinks(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put a line with its claims where evidence is shown; for the event doctree-resolved."""
    if CLAIMS not in app.env.found_docs or not docname.startswith(f"{EXECUTED}/"):
        return
    if docname == CLAIMS:
        return
    for anchor, claims in _claims_on(app, docname.removeprefix(f"{EXECUTED}/")).items():
        found = [node for node in doctree.findall(nodes.Element) if anchor in node.get("ids", ())]
        if found:
            _insert(found[0], _line(claims, app.builder, docname))


def setup(app: Sphinx) -> dict[str, object]:
    """Register the hook."""
    app.connect("doctree-resolved", add_backlinks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _claims_on(app: Sphinx, page: str) -> Mapping[str, list[Claim]]:
    """Return the claims that rest on each anchor of a page, each once, in their order."""
    found: dict[str, dict[Claim, None]] = {}
    for table in app.env.get_doctree(CLAIMS).findall(nodes.raw):
        for name, anchor, claim in read_claims(table.astext()):
            if name == page:
                found.setdefault(anchor, {})[claim] = None
    return {anchor: list(claims) for anchor, claims in found.items()}


def _words(place) -> str:
    """Return the title of a group of rows, or the name of a row, without its links and notes."""
    cell = place.find(["th", "td"])
    for link in cell.find_all("a"):
        link.extract()
    text = re.sub(r"\(\s*\)", "", cell.get_text(" "))
    return " ".join(text.split())


def _line(claims: list[Claim], builder: Builder, docname: str) -> nodes.paragraph:
    line = nodes.paragraph("", "What the claims page makes of it: ", classes=["provenance"])
    page = builder.get_relative_uri(docname, CLAIMS)
    for number, claim in enumerate(claims):
        line += nodes.Text("; " if number else "")
        line += nodes.reference("", claim.words, refuri=f"{page}#{claim.anchor}", internal=True)
    line += nodes.Text(".")
    return line


def _insert(evidence: nodes.Element, line: nodes.paragraph) -> None:
    """Put the line below a figure's cell, or at the end of a section before its subsections."""
    if not isinstance(evidence, nodes.section):
        while not isinstance(evidence.parent, nodes.section | nodes.document):
            evidence = evidence.parent
        evidence.parent.insert(evidence.parent.index(evidence) + 1, line)
        return
    inner = [place for place, child in enumerate(evidence) if isinstance(child, nodes.section)]
    evidence.insert(inner[0] if inner else len(evidence), line)
