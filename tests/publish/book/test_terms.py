"""Glossary terms are linked where a page first uses them."""

import pytest
from docutils import nodes
from sphinx.cmd.build import build_main

from paperlib.publish.book.terms import link_first_uses, read_terms

GLOSSARY = """\
# Glossary

:::{glossary}
residual
  What is left.

mean residual
MR
  Its mean.
:::
"""
PAGE = """\
# The residual

A *mean residual* of all Residuals; `residual`, [a residual](https://example.org) and a residual
again. MRI is no term, but an MR is.

| residual |
|---|
| residual |
"""


def page(*texts):
    document = nodes.document("", None)
    document += [nodes.paragraph(text, "", nodes.Text(text)) for text in texts]
    return document


def linked(document):
    return [found.astext() for found in document.findall(nodes.inline)]


def test_terms_stand_in_column_one_of_the_glossary_blocks(tmp_path):
    path = tmp_path / "glossary.md"
    path.write_text(GLOSSARY)
    assert read_terms(path) == ["residual", "mean residual", "MR"]


@pytest.mark.parametrize(
    ("texts", "links"),
    [
        (["The residual of a residual."], ["residual"]),
        (["No term.", "Residuals!", "A residual."], ["Residuals"]),
        (["The mean residual, a residual."], ["mean residual", "residual"]),
        (["A residuality, an MRI."], []),
        (["MR"], ["MR"]),
    ],
)
def test_each_term_is_linked_once_and_the_longest_wins(texts, links):
    document = page(*texts)
    link_first_uses(document, ["residual", "mean residual", "MR"], "page")
    assert linked(document) == links
    assert [paragraph.astext() for paragraph in document.children] == texts


def test_a_built_page_links_running_text_only(tmp_path):
    book = tmp_path / "book"
    (book / "executed").mkdir(parents=True)
    (book / "glossary.md").write_text(GLOSSARY)
    (book / "executed" / "page.md").write_text(PAGE)
    (book / "other.md").write_text(PAGE)
    (tmp_path / "index.md").write_text(
        "# Book\n\n```{toctree}\nbook/glossary\nbook/executed/page\nbook/other\n```\n"
    )
    extensions = ["myst_parser", "paperlib.publish.book.terms"]
    options = f"extensions = {extensions}\nmyst_enable_extensions = ['colon_fence']\n"
    (tmp_path / "conf.py").write_text(options)
    out = tmp_path / "_build"
    assert build_main(["-q", "-W", "-n", "-b", "html", str(tmp_path), str(out)]) == 0
    html = (out / "book" / "executed" / "page.html").read_text("utf-8")
    for target, text in (
        ("mean-residual", "mean residual"),
        ("residual", "Residuals"),
        ("MR", "MR"),
    ):
        assert f'href="../glossary.html#term-{target}"><span class="term">{text}</span>' in html
    assert html.count("#term-") == 3
    assert "#term-" not in (out / "book" / "other.html").read_text("utf-8")
