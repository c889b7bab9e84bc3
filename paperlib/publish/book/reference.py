"""The code in the book: a reference made from docstrings, and from shown code a link to it.

Every page shows functions with `literalinclude`; the link below each is written here, once. With
`-n` it also proves that the function has an entry: one without breaks the build.
"""

import posixpath
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.directives.code import LiteralInclude
from sphinx.ext.viewcode import OUTPUT_DIRNAME, viewcode_anchor
from sphinx.util.docutils import SphinxDirective

PACKAGE = Path(__file__).resolve().parents[2]


class RoomDirective(SphinxDirective):
    """The directive `.. room:: paperlib.data`: an entry for every module of these packages.

    An argument is a package, for the modules right in it, or one module.
    """

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return a section for each module: its docstring, classes and functions."""
        modules = [name for room in self.arguments[0].split() for name in modules_of(room)]
        return self.parse_text_to_nodes("".join(map(_entry, modules)), allow_section_headings=True)


class ShownSource(LiteralInclude):
    """Sphinx's `literalinclude`, with a line that links what it shows to its whole source."""

    def run(self) -> list[nodes.Node]:
        """Return the code and, if it comes from paperlib, the line below it."""
        shown = super().run()
        _, filename = self.env.relfn2path(self.arguments[0])
        path = Path(filename).resolve()
        if path.suffix != ".py" or not path.is_relative_to(PACKAGE):
            return shown
        return [*shown, self._link(path)]

    def _link(self, path: Path) -> nodes.paragraph:
        module = _module(path)
        name = self.options.get("pyobject", "")
        public = name if not name.startswith("_") else ""
        label = f"{path.relative_to(PACKAGE)}{f': {name}' * bool(name)}"
        entry = addnodes.pending_xref(
            "",
            nodes.literal(label, label),
            refdomain="py",
            reftype="obj" if public else "mod",
            reftarget=f"{module}.{public}" if public else module,
            refdoc=self.env.docname,
            refexplicit=True,
            refwarn=True,
        )
        whole = viewcode_anchor(
            reftarget=posixpath.join(OUTPUT_DIRNAME, module.replace(".", "/")),
            refid=public,
            refdoc=self.env.docname,
        )
        return nodes.paragraph("", "", entry, nodes.Text(" "), whole, classes=["source-link"])


def modules_of(room: str) -> list[str]:
    """Return the public modules right in a package, by name; a module stands for itself.

    Args:
        room: A dotted name, for example "paperlib.data" or "paperlib.scores".

    Raises:
        ValueError: If paperlib has no such package or module.
    """
    path = PACKAGE.joinpath(*room.split(".")[1:])
    if path.with_suffix(".py").is_file():
        return [room]
    files = sorted(path.glob("[!_]*.py"))
    if not files:
        raise ValueError(f"There is no package or module {room!r} in {PACKAGE.name}/.")
    return [_module(file) for file in files]


def _module(path: Path) -> str:
    """Return the dotted name of a file of the package."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def _entry(module: str) -> str:
    title = module.removeprefix(f"{PACKAGE.name}.")
    return f"{title}\n{'-' * len(title)}\n\n.. automodule:: {module}\n\n"


def setup(app: Sphinx) -> dict[str, object]:
    """Register both directives."""
    app.add_directive("room", RoomDirective)
    app.add_directive("literalinclude", ShownSource, override=True)
    app.connect("autodoc-skip-member", _skip)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _skip(_app: Sphinx, _what: str, _name: str, member: object, *_rest: object) -> bool | None:
    """Leave out fields of named tuples, listed with their class, and what a library adds."""
    field = type(member).__name__ == "_tuplegetter"
    foreign = callable(member) and not str(getattr(member, "__module__", "")).startswith(
        PACKAGE.name
    )
    return True if field or foreign else None
