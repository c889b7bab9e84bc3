import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from sphinx.cmd.build import build_main
from tiny_book import CHAPTERS, write_book

from paperlib.publish.book.sphinxext import format_result, read_results, stage_mathjax
from paperlib.publish.commands import run_book, run_execute

RESULTS = {"dice_wt": 0.7544, "dice_tc": -0.5, "cases": 36, "verdict": "agrees", "broken": None}
CONFIGURATION = """\
extensions = ["myst_parser", "paperlib.publish.book.sphinxext"]
exclude_patterns = ["notebooks", "_build"]
"""


@pytest.fixture
def small_book(tmp_path, capsys):
    """Return a function that builds plain Sphinx, without Jupyter Book, from one page's text."""
    folder = tmp_path / "a book"
    (folder / "book" / "executed").mkdir(parents=True)
    (folder / "conf.py").write_text(CONFIGURATION)
    (folder / "book" / "executed" / "results.json").write_text(json.dumps(RESULTS))

    def build(text=None):
        if text is not None:
            (folder / "index.md").write_text(f"# Title\n\n{text}\n")
        options = ["-q", "-W", "-n", "--keep-going", "-b", "text"]
        code = build_main([*options, str(folder), str(folder / "_build")])
        return SimpleNamespace(returncode=code, stderr=capsys.readouterr().err)

    build.folder = folder
    return build


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dice_wt", "0.7544"),
        ("dice_wt:.2f", "0.75"),
        ("dice_wt:.0%", "75%"),
        ("dice_tc:+.1f", "-0.5"),
        ("cases", "36"),
        ("cases:.1f", "36.0"),
        ("verdict", "agrees"),
    ],
)
def test_a_result_is_shown_as_the_format_says(text, shown):
    assert format_result(RESULTS, text) == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dice_wr", "no result 'dice_wr' .*did you mean dice_wt, dice_tc"),
        ("zzz", "no result 'zzz' .*it has 5 other keys"),
        ("dice_wt:d", "'dice_wt' is 0.7544: Unknown format code 'd'"),
        ("verdict:.2f", "'verdict' is 'agrees': Unknown format code 'f'"),
        ("broken", "'broken' is None; expected a finite number or a text"),
    ],
)
def test_a_result_that_cannot_be_shown_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        format_result(RESULTS, text)


@pytest.mark.parametrize("value", [True, float("nan"), float("inf"), [1]])
def test_only_finite_numbers_and_texts_are_results(value):
    with pytest.raises(ValueError, match="expected a finite number or a text"):
        format_result({"x": value}, "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "is missing; `make book` writes it"), ("{", "is no JSON"), ("[1]", "holds a list")],
)
def test_a_bad_results_file_is_refused_with_the_cure(tmp_path, text, message):
    path = tmp_path / "results.json"
    if text:
        path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_results(path)


def test_mathjax_is_copied_once(tmp_path):
    path = stage_mathjax(tmp_path)
    assert path == tmp_path / "mathjax" / "tex-svg.js"
    assert b"MathJax" in path.read_bytes()
    os.utime(path, (0, 0))
    assert stage_mathjax(tmp_path).stat().st_mtime == 0
    path.write_text("half a copy")
    assert stage_mathjax(tmp_path).stat().st_size > 1_000_000
    assert os.listdir(path.parent) == ["tex-svg.js"]


def test_a_page_follows_its_results_and_breaks_on_an_unknown_key(small_book):
    page = "Dice {result}`dice_wt:.2f`."
    assert small_book(page).returncode == 0
    shown = small_book.folder / "_build" / "index.txt"
    assert "Dice 0.75." in shown.read_text()
    (small_book.folder / "book" / "executed" / "results.json").write_text('{"dice_wt": 0.91}')
    assert small_book().returncode == 0
    assert "Dice 0.91." in shown.read_text()

    for text in ("Dice {result}`dice_wr`.", None):  # None: built again without a change
        failed = small_book(text)
        assert failed.returncode == 1
        assert "index.md:3: ERROR: There is no result 'dice_wr'" in failed.stderr
        assert "did you mean dice_wt?" in failed.stderr


def test_plain_sphinx_stops_at_a_notebook_without_our_stamp(small_book):
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    configuration = small_book.folder / "conf.py"
    configuration.write_text(CONFIGURATION.replace("myst_parser", "myst_nb"))
    path = small_book.folder / "book" / "executed" / "01_data.ipynb"
    path.write_text(json.dumps(notebook))
    failed = small_book("Text.")
    assert failed.returncode != 0
    assert "01_data.ipynb is not publishable: it carries no stamp of ours" in failed.stderr
    assert not (small_book.folder / "_build" / "index.txt").exists()


@pytest.fixture(scope="module")
def executed_book(tmp_path_factory):
    """Return a book with the real configuration and three executed notebooks, not yet built."""
    folder = write_book(tmp_path_factory.mktemp("tiny") / "a book")
    for chapter in CHAPTERS:
        output = folder / "book" / "executed" / f"{chapter}.ipynb"
        assert run_execute(folder / "notebooks" / f"{chapter}.py", output) == 0
    return folder


@pytest.fixture
def book(executed_book, tmp_path):
    return shutil.copytree(executed_book, tmp_path / "a book")


def failed_build(folder, capfd):
    assert run_book(folder) != 0
    captured = capfd.readouterr()
    return captured.out + captured.err


@pytest.mark.long
def test_the_book_builds_without_a_warning_and_asks_the_network_for_nothing(book):
    assert run_book(book) == 0
    html = book / "_build" / "html"
    pages = list(html.rglob("*.html"))
    assert len([page for page in pages if page.parent.name == "executed"]) == len(CHAPTERS)
    loads = re.compile(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="((?:https?:)?//[^"]+)"')
    found = {page.name: loads.findall(page.read_text()) for page in pages}
    assert {name: loaded for name, loaded in found.items() if loaded} == {}
    text = (html / "book" / "executed" / "01_data.html").read_text()
    assert "a Dice of 0.75, see" in BeautifulSoup(text, "html.parser").get_text()
    assert "_static/mathjax/tex-svg.js" in text
    assert (html / "_static" / "mathjax" / "tex-svg.js").stat().st_size > 1_000_000
    assert not [page for page in pages if str(book) in page.read_text()]
    assert "btn-launch-button" not in text
    assert run_book(book) == 0


@pytest.mark.long
def test_with_a_repository_each_executed_page_starts_its_own_notebook(book):
    config = book / "_config.yml"
    address = 'url: "https://github.com/owner/name"'
    config.write_text(re.sub(r'url: ""', address, config.read_text(), count=1))
    assert run_book(book) == 0
    for chapter in CHAPTERS:
        page = book / "_build" / "html" / "book" / "executed" / f"{chapter}.html"
        (link,) = BeautifulSoup(page.read_text(), "html.parser").select("a.btn-launch-button")
        assert link["href"] == (
            f"https://mybinder.org/v2/gh/owner/name/main?urlpath=lab%2Ftree%2Fwork%2F{chapter}.ipynb"
        )


@pytest.mark.long
def test_an_unknown_key_fails_the_book_each_time(book, capfd):
    page = book / "book" / "index.md"
    page.write_text(page.read_text().replace("dice_wt", "dice_xx"))
    for _ in range(2):
        assert "index.md:3: ERROR: There is no result 'dice_xx'" in failed_build(book, capfd)


@pytest.mark.long
def test_any_warning_fails_the_book_each_time(book, capfd):
    (book / "book" / "index.md").write_text("# A tiny book\n\n{numref}`fig-nowhere`\n")
    for _ in range(2):
        assert "fig-nowhere" in failed_build(book, capfd)
    assert not (book / "_build" / "html").exists()


@pytest.mark.long
def test_the_last_book_stays_where_the_next_one_fails(book, capfd):
    assert run_book(book) == 0
    first_page = book / "_build" / "html" / "book" / "index.html"
    before = first_page.read_text()
    (book / "book" / "index.md").write_text("# Another\n\n{numref}`fig-nowhere`\n")
    assert "fig-nowhere" in failed_build(book, capfd)
    assert first_page.read_text() == before
    (book / "book" / "index.md").write_text("# Another book\n")
    assert run_book(book) == 0
    assert "Another book" in first_page.read_text()
    assert [place.name for place in (book / "_build").iterdir()] == ["html"]


@pytest.mark.long
def test_a_failed_notebook_stops_the_book_before_a_page_is_written(book, capfd):
    source = book / "notebooks" / "03_training.py"
    source.write_text(source.read_text() + "\nraise OSError('no disk')\n")
    assert run_execute(source, book / "book" / "executed" / "03_training.ipynb") == 1
    assert "03_training.ipynb is not publishable: it is missing" in failed_build(book, capfd)
    assert not (book / "_build").exists()


@pytest.mark.long
def test_jupyter_book_itself_stops_at_a_missing_and_at_a_stale_notebook(book):
    (book / "book" / "executed" / "03_training.ipynb").unlink()
    source = book / "notebooks" / "04_anomaly_scores.py"
    source.write_text(source.read_text() + "\n# more\n")
    call = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", call, "build", str(book)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode != 0
    assert "03_training.ipynb is not publishable: it is missing" in built.stderr
    assert "04_anomaly_scores.ipynb is not publishable: its source" in built.stderr
    assert not list((book / "_build").rglob("*.html"))
