"""What this book adds to Sphinx: numbers from results, the gate, and MathJax from disk.

A page never types a number: {result}`dice_wt:.2f` reads it from book/executed/results.json. An
unknown name is an error, and a notebook that may not be published stops the build before any page
is written; Jupyter Book itself publishes a failed notebook without a word.
"""

import difflib
import json
import os
import shutil
from collections.abc import Mapping
from importlib import metadata
from math import isfinite
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.util.docutils import SphinxRole

from paperlib.publish.book import viewer_page
from paperlib.publish.gate import BOOK, EXECUTED, SOURCES, check_notebook, read_origins

RESULTS = f"{EXECUTED}/results.json"  # both relative to the book's root
STATIC = "book/static"
_MATHJAX = "mathjax/static/mathjax/es5/tex-svg.js"  # inside the wheel django-static-mathjax


class UnpublishableError(SphinxError):
    """A notebook of the book may not be published."""

    category = "Not publishable"


class ResultRole(SphinxRole):
    """The role {result}`key` or {result}`key:format`, with a format as in f-strings."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the formatted number, or an error that fails a build with -W."""
        path = Path(self.env.srcdir) / RESULTS
        self.env.note_dependency(str(path))
        try:
            shown = format_result(read_results(path), self.text)
            return [nodes.inline("", shown, result=self.text)], []
        except ValueError as error:
            self.env.note_reread()  # else the next build takes the page for done, and succeeds
            message = self.inliner.reporter.error(str(error), line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]


def read_results(path: Path) -> dict[str, object]:
    """Return the results by key.

    Args:
        path: A JSON file with one flat object: key to number or text.

    Raises:
        ValueError: If it is missing or holds something else.
    """
    try:
        results = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"{path} is missing; `make book` writes it.") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is no JSON ({error}); `make book` writes it anew.") from error
    if not isinstance(results, dict):
        raise ValueError(f"{path} holds a {type(results).__name__}; expected key to value.")
    return results


def format_result(results: Mapping[str, object], text: str) -> str:
    """Return the result that `text` names, as it shall stand on the page.

    Args:
        results: From `read_results`.
        text: "key", or "key:format" with a format as in f-strings: "dice_wt:.2f".

    Raises:
        ValueError: If the key is unknown, the value is no number or text, or not a finite one,
            or the format does not fit it.
    """
    key, _, specification = text.partition(":")
    if key not in results:
        near = difflib.get_close_matches(key, results, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else f"it has {len(results)} other keys."
        raise ValueError(f"There is no result {key!r} in {RESULTS}; {hint}")
    value = results[key]
    number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if not (number or isinstance(value, str)):
        raise ValueError(f"Result {key!r} is {value!r}; expected a finite number or a text.")
    try:
        return format(value, specification)
    except ValueError as error:
        raise ValueError(f"Result {key!r} is {value!r}: {error}.") from error


def stage_mathjax(static: Path) -> Path:
    """Copy MathJax (one file, 2 MB, no fonts) from its wheel to `static`; return the copy.

    Args:
        static: The folder for static files, book/static.

    Raises:
        FileNotFoundError: If the wheel is not installed.
    """
    target = static / "mathjax" / "tex-svg.js"
    try:
        source = Path(str(metadata.distribution("django-static-mathjax").locate_file(_MATHJAX)))
    except metadata.PackageNotFoundError as error:
        raise FileNotFoundError(
            "MathJax is missing: `python -m pip install django-static-mathjax` brings it."
        ) from error
    if target.is_file() and target.stat().st_size == source.stat().st_size:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(f".{os.getpid()}.tmp")
    shutil.copyfile(source, temporary)
    return temporary.replace(target)


def setup(app: Sphinx) -> dict[str, object]:
    """Register role and hooks."""
    app.add_role("result", ResultRole())
    app.add_directive("slice-viewer", viewer_page.SliceViewer)
    app.connect("config-inited", _stage_mathjax)
    app.connect("env-before-read-docs", _refuse_unpublishable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _stage_mathjax(app: Sphinx, _config: Config) -> None:
    stage_mathjax(Path(app.srcdir) / STATIC)


def _refuse_unpublishable(app: Sphinx, env: BuildEnvironment, _docnames: list[str]) -> None:
    """Stop the build unless every executed notebook of the book is there and passes the gate."""
    root = Path(app.srcdir)
    sources = {path.name: path for path in (root / SOURCES).glob("*.py")}
    origins = read_origins(root / BOOK)
    in_toc = getattr(app.config, "external_site_map", {})  # names what is missing, too
    missing = {name.removesuffix(".ipynb") for name in in_toc} - env.found_docs
    paths = [Path(env.doc2path(name)) for name in env.found_docs]
    paths += [root / f"{name}.ipynb" for name in missing]
    refusals = [
        refusal
        for path in sorted(paths)
        if path.suffix == ".ipynb" and path.is_relative_to(root / EXECUTED)
        for refusal in check_notebook(path, sources, origins.get(path.stem))
    ]
    if refusals:
        raise UnpublishableError("\n".join(map(str, refusals)))
