"""Links of the built book: each must lead to a file, and to an anchor that is in it.

Sphinx checks what it makes itself; tables of results and slice viewers carry links of their own.
Pages are read as a browser reads them: what a page loads must come with the book.
"""

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

STATIC = "_static"  # files of themes: pages there count only where a page leads to them
_LINKING = {"a": "href", "area": "href", "form": "action"}
_LOADING = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src",
            "video": "src", "audio": "src", "embed": "src", "object": "data"}  # fmt: skip


class BrokenLink(NamedTuple):
    """A link of the page at `path` that leads nowhere."""

    path: Path
    target: str
    reason: str

    def __str__(self) -> str:
        """Return the line that the reader of a log needs."""
        return f"{self.path}: the link {self.target!r} is broken: {self.reason}"


class _Page(HTMLParser):
    """The anchors of a page, what it links to, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found: Mapping[str, str] = {name: value or "" for name, value in attrs}
        names = ("id", "name") if tag == "a" else ("id",)
        self.anchors |= {found[name] for name in names if found.get(name)}
        if found.get("rel") == "canonical":
            return
        for table, targets in ((_LINKING, self.links), (_LOADING, self.loads)):
            target = found.get(table.get(tag, ""))
            if target:
                targets.add(target.strip())


def check_links(folder: Path) -> list[BrokenLink]:
    """Return the broken links of all pages below `folder`, and what they load from elsewhere.

    Args:
        folder: The built book, _build/html.
    """
    folder = folder.resolve()
    waiting = {
        page for page in folder.rglob("*.html") if STATIC not in page.relative_to(folder).parts
    }
    pages: dict[Path, _Page] = {}
    while waiting:
        path = waiting.pop()
        pages[path] = _Page(path.read_text("utf-8"))
        found = {_file(path, target) for target in pages[path].links | pages[path].loads}
        waiting |= {one for one in found if one and one.suffix == ".html" and one.is_file()}
        waiting -= set(pages)
    return [
        BrokenLink(path.relative_to(folder), target, reason)
        for path in sorted(pages)
        for target, reason in _judge(path, pages, folder)
    ]


def _judge(path: Path, pages: Mapping[Path, _Page], folder: Path) -> Iterator[tuple[str, str]]:
    page = pages[path]
    for target in sorted(page.loads):
        if urlsplit(target).scheme not in ("", "data", "blob") or target.startswith("//"):
            yield target, "the page would load it from elsewhere"
    for target in sorted(page.links | page.loads):
        file = _file(path, target)
        if file is None:
            continue
        anchor = unquote(urlsplit(target).fragment)
        if not file.is_relative_to(folder):
            yield target, "it leads out of the book"
        elif not file.exists():
            yield target, "there is no such file"
        elif anchor and file in pages and anchor not in pages[file].anchors:
            yield target, f"there is no anchor {anchor!r}"


def _file(path: Path, target: str) -> Path | None:
    """Return the file that a link of the page at `path` leads to; None for other places."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return None
    return (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
