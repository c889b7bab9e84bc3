"""The reference of the code, and the line below each function that a page shows."""

import os
import re
from html import unescape
from types import SimpleNamespace

import pytest
import yaml
from sphinx.cmd.build import build_main

from paperlib.publish.book.reference import PACKAGE, modules_of

ROOT = PACKAGE.parent
ROOMS = sorted((ROOT / "book" / "code").glob("*.md"))
CODE = ROOT / "paperlib" / "postprocessing" / "morphology.py"
EXTENSIONS = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "paperlib.publish.book.reference",
]
OPTIONS = ("autodoc_default_options", "autodoc_typehints_format", "napoleon_use_ivar",
           "default_role", "nitpick_ignore_regex")  # fmt: skip
ROOM = "\n```{eval-rst}\n.. room:: paperlib.labels paperlib.postprocessing.morphology\n```\n"


@pytest.fixture
def small_book(tmp_path, capsys):
    """Return a function that builds one page with plain Sphinx and the book's own options."""
    book = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]
    assert set(EXTENSIONS[1:]) <= set(book["extensions"])
    lines = [f"extensions = {EXTENSIONS}", 'exclude_patterns = ["_build"]']
    lines += [f"{name} = {book[name]!r}" for name in OPTIONS]
    folder = tmp_path / "a book"
    folder.mkdir()
    (folder / "conf.py").write_text("\n".join(lines))

    def build(text):
        (folder / "index.md").write_text(f"# Title\n{text}\n")
        options = ["-q", "-W", "-n", "--keep-going", "-E", "-b", "html"]
        status = build_main([*options, str(folder), str(folder / "_build")])
        page = folder / "_build" / "index.html"
        html = page.read_text("utf-8") if page.exists() else ""
        return SimpleNamespace(status=status, html=html, stderr=capsys.readouterr().err)

    build.folder = folder
    return build


@pytest.fixture
def shown(small_book):
    """Return a function that writes the Markdown which shows a part of `CODE`."""
    path = os.path.relpath(CODE, small_book.folder)
    return lambda options: f"\n```{{literalinclude}} {path}\n{options}\n```\n"


def plain(html):
    return unescape(re.sub(r"<[^>]+>", "", html))


def test_a_room_lists_the_modules_right_in_it():
    assert modules_of("paperlib.scores") == ["paperlib.scores"]
    found = modules_of("paperlib.evaluation.figures")
    assert "paperlib.evaluation.figures.dice" in found
    assert "paperlib.evaluation.figures.__init__" not in found
    assert "paperlib.evaluation.figures.dice" not in modules_of("paperlib.evaluation")
    with pytest.raises(ValueError, match=r"no package or module 'paperlib\.cellar'"):
        modules_of("paperlib.cellar")


def test_every_module_stands_in_exactly_one_room():
    lines = [line for page in ROOMS for line in page.read_text("utf-8").splitlines()]
    rooms = [room for line in lines if line.startswith(".. room::") for room in line.split()[2:]]
    listed = [module for room in rooms for module in modules_of(room)]
    files = [path.relative_to(ROOT).with_suffix("") for path in PACKAGE.rglob("[!_]*.py")]
    assert sorted(listed) == sorted(".".join(path.parts) for path in files)


def test_an_entry_carries_the_docstring_and_a_readable_signature_and_links_its_source(small_book):
    built = small_book(ROOM)
    assert (built.status, built.stderr) == (0, "")
    assert 'id="paperlib.postprocessing.morphology.open_close"' in built.html
    text = plain(built.html)
    assert "open_close(" in text
    assert "mask: Bool[ndarray, '*slice height width']" in text
    assert "jaxtyping." not in text
    assert "Remove small groups and fill small holes" in text
    source = "_modules/paperlib/postprocessing/morphology.html#open_close"
    assert source in built.html
    page = small_book.folder / "_build" / source.partition("#")[0]
    assert 'id="open_close"' in page.read_text("utf-8")


def test_a_function_that_a_page_shows_links_its_entry_and_its_file(small_book, shown):
    built = small_book(ROOM + shown(":pyobject: open_close"))
    assert (built.status, built.stderr) == (0, "")
    line = built.html[built.html.index('class="source-link"') :].partition("</p>")[0]
    assert 'href="#paperlib.postprocessing.morphology.open_close"' in line
    assert "postprocessing/morphology.py: open_close" in plain(line)
    assert 'href="_modules/paperlib/postprocessing/morphology.html#open_close"' in line


@pytest.mark.parametrize("options", [":pyobject: _largest", ":lines: 1-3"])
def test_what_has_no_entry_of_its_own_links_its_module(small_book, shown, options):
    built = small_book(ROOM + shown(options))
    assert (built.status, built.stderr) == (0, "")
    line = built.html[built.html.index('class="source-link"') :].partition("</p>")[0]
    assert 'href="#module-paperlib.postprocessing.morphology"' in line
    assert 'href="_modules/paperlib/postprocessing/morphology.html"' in line


def test_shown_code_without_an_entry_breaks_the_build(small_book, shown):
    built = small_book(shown(":pyobject: open_close"))
    assert built.status != 0
    assert "paperlib.postprocessing.morphology.open_close" in built.stderr


def test_a_file_outside_the_package_gets_no_line(small_book):
    other = small_book.folder / "other.py"
    other.write_text("def f():\n    return 1\n")
    built = small_book("\n```{literalinclude} other.py\n:pyobject: f\n```\n")
    assert (built.status, built.stderr) == (0, "")
    assert "source-link" not in built.html
