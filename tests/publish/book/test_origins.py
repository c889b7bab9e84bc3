"""The line under figures and tables, and the way back from evidence to claims, in a small book."""

import base64
import json
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from sphinx.cmd.build import build_main

from paperlib.publish.book.backlinks import Claim, read_claims
from paperlib.publish.book.links import check_links
from paperlib.publish.gate import stamp

HERE = "phantom, profile smoke, seed 0, commit abc1234"
REAL = "real, profile full, seed 0, commit def5678"
RESULTS = {"run.dice": 0.75, "run.origin": HERE, "real36.dice": 0.5, "real36.origin": REAL}
CONFIGURATION = """\
extensions = ["myst_nb", "paperlib.publish.book.sphinxext", "paperlib.publish.book.origins",
              "paperlib.publish.book.backlinks"]
exclude_patterns = ["notebooks", "_build"]
nb_execution_mode = "off"
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
"""
PIXEL = base64.b64encode(
    bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55")
    + bytes.fromhex("0000000a49444154789c6360000000020001487f6b000000000049454e44ae426082")
).decode()
CLAIMS = """\
<table><tbody id="claim-best"><tr><th>The residual is best (section 5)</th></tr>
<tr><td>AUROC</td><td>→ <a href="04_scores.html#table-3">Table 3</a></td></tr>
<tr><td>again</td><td>→ <a href="04_scores.html#table-3">Table 3</a></td></tr></tbody>
<tbody><tr id="number-one"><td>mean</td><td><a href="04_scores.html#fig-dots">dots</a></td></tr>
<tr><td>no claim</td><td><a href="04_scores.html#table-3">Table 3</a></td></tr></tbody></table>
"""
INDEX = """\
# A book

| what | value |
|---|---|
| this run | {result}`run.dice:.2f` |
| real | {result}`real36.dice:.2f` |

| no result | here |
|---|---|
| a | b |

```{toctree}
book/executed/04_scores
book/executed/11_claims
book/executed/provenance
```
"""
PROVENANCE = (
    "# Origins\n\n(provenance-run)=\n## This\n\nText.\n\n(provenance-real36)=\n## Real\n\nText.\n"
)


def cell(source, data, **metadata):
    output = nbformat.v4.new_output("display_data", data)
    return nbformat.v4.new_code_cell(source, execution_count=1, outputs=[output], metadata=metadata)


def table(caption):
    return {"text/html": f"<table><caption>{caption}</caption></table>", "text/plain": caption}


def write_notebook(folder, name, cells):
    source = folder / "notebooks" / f"{name}.py"
    source.write_text(f"# %%\n# {name}\n")
    python = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=python)
    stamp(notebook, source, {})
    nbformat.write(notebook, folder / "book" / "executed" / f"{name}.ipynb")


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """Return the pages of a book whose notebooks hold one output of each kind."""
    folder = tmp_path_factory.mktemp("origins") / "a book"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "book" / "executed").mkdir(parents=True)
    (folder / "conf.py").write_text(CONFIGURATION)
    (folder / "index.md").write_text(INDEX)
    (folder / "book" / "executed" / "results.json").write_text(json.dumps(RESULTS))
    (folder / "book" / "executed" / "provenance.md").write_text(PROVENANCE)
    text = nbformat.v4.new_markdown_cell
    figure = {"figure": {"caption": "Dots.", "name": "fig-dots"}, "image": {"alt": "Some dots."}}
    scores = [
        text("# Scores\n\n## Table 3\n\nText."),
        cell("plain", table("no origin here")),
        cell("named", table(f"Patients. {REAL}.")),
        cell("dots", {"image/png": PIXEL, "text/plain": f"Figure: patient 1, {HERE}"},
             mystnb=figure),
        cell("other", table("an ablation, commit 1234567")),
        nbformat.v4.new_code_cell("print(1)", execution_count=1,
                                  outputs=[nbformat.v4.new_output("stream", text="1\n")]),
        text("## After\n\nText."),
    ]  # fmt: skip
    write_notebook(folder, "04_scores", scores)
    claims = [text("# Claims"), cell("claims", {"text/html": CLAIMS, "text/plain": HERE})]
    write_notebook(folder, "11_claims", claims)
    options = ["-q", "-W", "-n", "--keep-going", "-b", "html"]
    assert build_main([*options, str(folder), str(folder / "_build")]) == 0
    return folder / "_build"


@pytest.fixture(scope="module")
def scores(book):
    return BeautifulSoup((book / "book/executed/04_scores.html").read_text(), "html.parser")


def line_of(scores, code):
    """Return the line under the result of the cell with this code."""
    source = next(one for one in scores.select(".cell_input") if one.pre.get_text().strip() == code)
    return source.find_parent(class_="cell").select_one("p.provenance"), source


def words(line):
    return " ".join(line.get_text().split())


def test_an_output_that_names_no_run_is_of_this_run(scores):
    line, _ = line_of(scores, "plain")
    assert words(line) == f"{HERE}. Made by this code from this run"


def test_an_output_keeps_the_origin_that_its_caption_names(scores):
    line, _ = line_of(scores, "named")
    assert words(line) == "Made by this code from the reference real36"


def test_the_note_of_a_figure_is_there_in_words_and_for_those_who_do_not_see_it(scores):
    line, source = line_of(scores, "dots")
    assert words(line) == f"patient 1, {HERE}. Made by this code from this run"
    assert words(line.select_one(".drawn")) == f"patient 1, {HERE}."
    picture = source.find_parent(class_="cell").img
    assert picture["alt"] == f"Some dots. patient 1, {HERE}"


def test_an_output_of_an_unknown_run_is_not_given_to_another(scores):
    line, _ = line_of(scores, "other")
    assert words(line) == "Made by this code"


def test_what_is_only_printed_has_no_line(scores):
    line, source = line_of(scores, "print(1)")
    assert line is None
    assert source.select_one(".to-result") is None


def test_the_line_leads_to_the_code_and_the_code_to_the_result(scores):
    for code in ("plain", "named", "dots", "other"):
        line, source = line_of(scores, code)
        targets = [link["href"] for link in line.find_all("a")]
        assert targets[0] == f"#{source['id']}"
        output = source.find_parent(class_="cell").select_one(".cell_output")
        assert source.select_one(".to-result a")["href"] == f"#{output['id']}"


def test_the_line_leads_to_the_run_on_the_provenance_page(scores):
    line, _ = line_of(scores, "named")
    assert line.find_all("a")[1]["href"] == "provenance.html#provenance-real36"


def test_a_table_of_results_written_by_hand_names_its_runs(book):
    page = BeautifulSoup((book / "index.html").read_text(), "html.parser")
    (line,) = page.select("p.provenance")
    assert words(line) == f"{HERE}; {REAL}. From this run and the reference real36"


def test_evidence_leads_back_to_its_claims(scores):
    section = scores.find(id="table-3")
    (back,) = [one for one in section.select("p.provenance") if "claims page" in one.get_text()
               and one.find("a")["href"].endswith("claim-best")]  # fmt: skip
    assert words(back) == "What the claims page makes of it: The residual is best (section 5)."
    assert back.find("a")["href"] == "11_claims.html#claim-best"
    figure = scores.find("a", href="11_claims.html#number-one")
    assert figure.get_text() == "mean"
    cells = figure.find_parent("p").find_previous_sibling(class_="cell")
    assert cells.select_one("#fig-dots")


def test_all_links_of_such_a_book_are_whole(book):
    found = [one for one in check_links(book) if one.path.parts[0] == "book"]
    assert found == []


def test_claims_are_rows_or_groups_with_an_anchor():
    assert list(read_claims(CLAIMS)) == [
        ("04_scores", "table-3", Claim("claim-best", "The residual is best (section 5)")),
        ("04_scores", "table-3", Claim("claim-best", "The residual is best (section 5)")),
        ("04_scores", "fig-dots", Claim("number-one", "mean")),
    ]


def test_the_title_of_a_claim_is_told_without_its_link():
    html = '<tbody id="numbers-x"><tr><th>Outline, MSE loss (<a href="06_r.html#t">T</a>)</th></tr>'
    ((_, _, claim),) = read_claims(html)
    assert claim.words == "Outline, MSE loss"
    assert re.fullmatch(r"[\w-]+", claim.anchor)
