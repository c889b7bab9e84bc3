"""The built book as files: links, downloads, and nothing of the machine that built it."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from paperlib.publish.book.links import check_links

ROOT = Path(__file__).resolve().parents[1]
PLACES = (str(ROOT), str(Path.home()) + "/", "/tmp/")
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def pages(built_book):
    """Return the executed pages by name, parsed."""
    files = sorted((built_book / "book" / "executed").glob("[0-9]*.html"))
    return {file.stem: BeautifulSoup(file.read_text("utf-8"), "html.parser") for file in files}


def test_every_link_of_the_book_leads_somewhere(built_book):
    assert list(map(str, check_links(built_book))) == []


def test_every_figure_and_table_says_where_it_comes_from(pages):
    assert len(pages) > 10
    for name, page in pages.items():
        cells = [cell for cell in page.select("div.cell")
                 if cell.select_one(".cell_output table, .cell_output img")]  # fmt: skip
        assert cells or name == "search"
        for cell in cells:
            line = cell.select_one("p.provenance")
            said = " ".join([line.get_text(), *(one.get_text() for one in cell.select("caption"))])
            assert re.search(r"commit \w{7}|version \d", said), (name, said)
            code = cell.select_one(".cell_input")
            assert line.select_one(f'a[href="#{code["id"]}"]')
            assert code.select_one(f'.to-result a[href="#{cell.select_one(".cell_output")["id"]}"]')


def test_claims_and_their_evidence_lead_to_each_other(pages):
    claims = pages["11_claims"]
    back = {(name, link["href"].partition("#")[2]) for name, page in pages.items()
            for link in page.select('p.provenance a[href^="11_claims.html#"]')}  # fmt: skip
    anchors = {one["id"] for one in claims.select('[id^="claim-"], [id^="contrast-"]')}
    anchors |= {one["id"] for one in claims.select('tr[id^="number-gated"], [id^="numbers-"]')}
    assert len(anchors) > 20
    for anchor in anchors:
        links = claims.find(id=anchor).select('a[href*=".html#"]')
        assert links, anchor
        for link in links:
            assert (link["href"].partition(".html")[0], anchor) in back


def _offered(page, name):
    (button,) = page.select("button.btn-download-notebook-button")
    assert f"download: '{name}.ipynb'" in button["onclick"]
    return base64.b64decode(re.search("base64,([^']+)'", button["onclick"])[1]).decode()


def test_each_executed_page_offers_its_notebook_without_outputs(pages):
    for name, page in pages.items():
        text = _offered(page, name)
        assert [place for place in PLACES if place in text] == [], name
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        assert not any(cell.get("outputs") for cell in notebook.cells)
        assert page.select(".btn-launch-button") == []  # no repository is configured


def test_no_file_of_the_book_names_a_place_on_this_machine(built_book):
    for file in built_book.rglob("*"):
        if file.suffix in (".html", ".ipynb", ".json", ".js") and "_static" not in file.parts:
            text = file.read_text("utf-8")
            assert [place for place in PLACES if place in text] == [], file


def test_a_downloaded_notebook_runs_in_any_folder(pages, tmp_path):
    name = "03b_training_length"
    (tmp_path / "in.ipynb").write_text(_offered(pages[name], name))
    command = [sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb", "--no-progress-bar"]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths}
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=environment)
    executed = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert any(cell.get("outputs") for cell in executed.cells)
