import base64
import os
import re
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import nbformat
import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.application import Sphinx
from sphinx.errors import ConfigError

from paperlib.cli import main
from paperlib.publish.book.downloads import (
    WORK,
    add_buttons,
    hide_places,
    launch_url,
    preset_notebook,
)
from paperlib.publish.gate import stamp
from paperlib.publish.notebooks import read_notebook
from paperlib.publish.parameters import read_parameters

ROOT = Path(__file__).parents[3]
PARAMETERS = """\
# %% tags=["parameters"]
profile: str = "smoke"  # size; one of: smoke, phantom
data: str = ""  # folder of real patients
folds: int = 1  # from 1 to 20
share: float | None = None"""


def code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_a_download_has_the_parameters_of_the_page_as_its_defaults(write_source, tmp_path):
    source = write_source(PARAMETERS, "profile")
    given = {"profile": "phantom", "data": "", "folds": 4, "share": 0.5}
    notebook = preset_notebook(source, given, "A book")
    assert code(notebook)[0].splitlines() == [
        "profile: str = 'phantom'  # size; one of: smoke, phantom",
        'data: str = ""  # folder of real patients',
        "folds: int = 4  # from 1 to 20",
        "share: float | None = 0.5",
    ]
    again = tmp_path / "again.py"
    again.write_text(f'# %% tags=["parameters"]\n{code(notebook)[0]}\n')
    assert {name: one.default for name, one in read_parameters(again).items()} == given


def test_a_download_that_changes_nothing_is_the_source_without_outputs(write_source):
    source = write_source(PARAMETERS, "profile")
    notebook = preset_notebook(source, {"profile": "smoke", "folds": 1}, "A book")
    assert code(notebook) == code(read_notebook(source))
    assert all(cell.get("outputs", []) == [] for cell in notebook.cells)
    assert "From the book *A book*" in notebook.cells[0].source
    assert "folder of patients" not in notebook.cells[0].source
    nbformat.validate(notebook)


def test_a_download_names_no_folder_and_asks_for_the_readers_own(write_source, tmp_path):
    source = write_source(PARAMETERS, "profile")
    notebook = preset_notebook(source, {"data": str(tmp_path / "somebody")}, "A book")
    assert "somebody" not in nbformat.writes(notebook)
    assert "name yours in `data`" in notebook.cells[0].source


@pytest.mark.parametrize(
    ("repository", "where"),
    [
        ("https://github.com/owner/name", "gh/owner/name/main"),
        ("https://github.com/owner/name.git/", "gh/owner/name/main"),
        ("https://gitlab.com/group/sub/name", "gl/group%2Fsub%2Fname/main"),
        ("https://git.example.org/o/n", "git/https%3A%2F%2Fgit.example.org%2Fo%2Fn/main"),
    ],
)
def test_the_launch_address_opens_the_notebook_of_the_page(repository, where):
    url = launch_url(repository, "main", "01_data")
    assert url == f"https://mybinder.org/v2/{where}?urlpath=lab%2Ftree%2Fwork%2F01_data.ipynb"


def test_what_the_launch_address_opens_is_made_where_it_starts():
    script = (ROOT / "postBuild").read_text()
    assert os.access(ROOT / "postBuild", os.X_OK)
    assert f"\npython -m paperlib notebooks {WORK}\n" in script
    commands = [line.split()[3] for line in script.splitlines() if line.startswith("python -m")]
    for command in commands:
        with pytest.raises(SystemExit, match="0"):
            main([command, "--help"])


@pytest.mark.parametrize("repository", ["owner/name", "https://github.com/owner", "git@x:o/n"])
def test_an_address_that_is_none_is_refused(repository):
    with pytest.raises(ConfigError, match=r"_config\.yml: repository url .*https://host/owner"):
        launch_url(repository, "main", "01_data")


@pytest.fixture
def page(write_source, tmp_path):
    """Return a function that gives a page its buttons, with or without a repository."""
    source = write_source(PARAMETERS, "profile")
    executed = tmp_path / "book" / "executed" / "01_data.ipynb"
    executed.parent.mkdir(parents=True)
    notebook = read_notebook(source)
    stamp(notebook, source, {"profile": "phantom", "data": str(tmp_path / "somebody"), "folds": 1})
    nbformat.write(notebook, executed)

    def buttons(name="book/executed/01_data", repository=""):
        options = {"repository_url": repository, "repository_branch": "main"}
        app = Mock(
            spec=Sphinx,
            srcdir=tmp_path,
            env=SimpleNamespace(doc2path=lambda _: executed),
            config=SimpleNamespace(html_theme_options=options, html_title="A book"),
        )
        menu = [{"label": "download-source-button"}, {"label": "download-pdf-button"}]
        context = {"header_buttons": [{"label": "download-buttons", "buttons": menu}]}
        add_buttons(app, name, "page.html", context, object())
        return menu, context["header_buttons"][1:]

    return buttons


def test_a_page_offers_its_notebook_and_no_executed_file(page):
    menu, others = page()
    assert [one["label"] for one in menu] == ["download-notebook-button", "download-pdf-button"]
    assert others == []
    saved = menu[0]["javascript"]
    assert "download: '01_data.ipynb'" in saved
    text = base64.b64decode(re.search("base64,([^']+)'", saved)[1]).decode()
    assert "profile: str = 'phantom'" in text
    assert "somebody" not in text


def test_a_repository_brings_a_launch_button(page):
    _, others = page(repository="https://github.com/owner/name")
    assert [one["label"] for one in others] == ["launch-button"]
    assert "gh/owner/name/main?urlpath=lab%2Ftree%2Fwork%2F01_data.ipynb" in others[0]["url"]


def test_a_page_written_by_hand_offers_only_what_can_be_printed(page):
    menu, others = page("book/index", repository="https://github.com/owner/name")
    assert [one["label"] for one in menu] == ["download-pdf-button"]
    assert others == []


def test_the_parameters_on_a_page_name_no_folder(tmp_path):
    document = new_document("page")
    given = f'# Parameters\ndata = "{tmp_path}"\nfolds = 1'
    document += [nodes.literal_block(text, text, language="python") for text in (given, "data = 1")]
    hide_places(Mock(spec=Sphinx), document)
    texts = [block.astext() for block in document.findall(nodes.literal_block)]
    assert texts == ['# Parameters\ndata = "..."\nfolds = 1', "data = 1"]
    assert document[0]["language"] == "python"
