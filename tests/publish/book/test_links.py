import pytest

from paperlib.publish.book.links import check_links

PAGE = "<html><body>{}</body></html>"


@pytest.fixture
def broken(tmp_path):
    """Return a function that writes pages and returns what is wrong with their links."""

    def check(**pages):
        folder = tmp_path / "a book"
        for name, body in pages.items():
            path = folder / f"{name.replace('__', '/')}.html"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PAGE.format(body))
        (folder / "a picture.png").touch()
        return [(str(one.path), one.target, one.reason) for one in check_links(folder)]

    return check


@pytest.mark.parametrize(
    "link",
    [
        '<a href="sub/two.html">file</a>',
        '<a href="sub/two.html#place">anchor</a>',
        '<a href="#here">own anchor</a>',
        '<a href="">this page</a>',
        '<a href="https://example.org/nowhere#x">elsewhere</a>',
        '<a href="mailto:x@example.org">mail</a>',
        "<a>no link</a>",
        '<img src="a%20picture.png">',
        '<img src="data:image/png;base64,AAAA">',
        '<link rel="canonical" href="https://example.org/">',
    ],
)
def test_a_whole_link_is_passed(broken, link):
    assert broken(one=f'<p id="here">{link}</p>', sub__two='<p id="place"></p>') == []


@pytest.mark.parametrize(
    ("link", "target", "reason"),
    [
        ('<a href="three.html">', "three.html", "there is no such file"),
        ('<a href="sub/two.html#gone">', "sub/two.html#gone", "there is no anchor 'gone'"),
        ('<a href="#gone">', "#gone", "there is no anchor 'gone'"),
        ('<img src="b.png">', "b.png", "there is no such file"),
        ('<a href="../index.html">', "../index.html", "it leads out of the book"),
        ('<script src="https://example.org/a.js">', "https://example.org/a.js",
         "the page would load it from elsewhere"),
        ('<img src="//example.org/a.png">', "//example.org/a.png",
         "the page would load it from elsewhere"),
    ],
)  # fmt: skip
def test_a_broken_link_is_named_with_its_page(broken, link, target, reason):
    assert broken(one=link, sub__two='<p id="place"></p>') == [("one.html", target, reason)]


def test_names_are_anchors_of_links_only(broken):
    body = '<meta name="viewport"><a name="old"></a><a href="#old"></a><a href="#viewport"></a>'
    assert [target for _, target, _ in broken(one=body)] == ["#viewport"]


def test_pages_of_a_theme_count_only_where_a_page_leads_to_them(broken):
    wrong = '<a href="gone.html">'
    assert broken(one="", _static__macros=wrong) == []
    found = broken(one='<iframe src="_static/macros.html">', _static__macros=wrong)
    assert found == [("_static/macros.html", "gone.html", "there is no such file")]


def test_the_line_of_the_log_names_page_link_and_reason(tmp_path):
    (tmp_path / "one.html").write_text('<a href="two.html">')
    (found,) = check_links(tmp_path)
    assert str(found) == "one.html: the link 'two.html' is broken: there is no such file"
