"""The cards of book/change_one_thing.md as a reader follows them: file, place, snippet, commands.

Everything is read from the page, so that page and tests cannot disagree.
"""

import re
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "book" / "change_one_thing.md"
_PLACE = re.compile(r"In `(paperlib/[\w/]+\.py)`, below this line of `([A-Z_]+)`:\n")
_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.S | re.M)


class Card(NamedTuple):
    """One card: put `snippet` below `line` in `file`, then run `script`."""

    title: str
    file: str
    registry: str
    line: str
    snippet: str
    script: str

    def apply(self, text: str) -> str:
        """Return the text of the file with the snippet in its place."""
        assert text.count(self.line) == 1, f"{self.file} has no single line {self.line!r}"
        return text.replace(self.line, self.line + self.snippet)


def read_cards() -> list[Card]:
    """Return the cards of the page in order."""
    sections = re.split(r"^### ", PAGE.read_text("utf-8"), flags=re.M)[1:]
    cards = []
    for section in sections:
        title = section.splitlines()[0]
        (place,) = _PLACE.findall(section)
        blocks = _BLOCK.findall(section)
        line, snippet = (text for kind, text in blocks if kind == "python")
        script = "".join(text for kind, text in blocks if kind == "sh")
        cards.append(Card(title, *place, line, snippet, script))
    return cards
