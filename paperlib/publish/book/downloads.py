"""Buttons of a page: its notebook to take home and, with a repository, to start elsewhere.

The notebook is that of the source, without outputs, its parameters set to those of the page; a
folder of patients is left out. The theme's own buttons would offer the executed file, which tells
where the run found its data. The page itself holds what is saved: browsers open a file beside a
page of file:// as text.
"""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import nbformat
from docutils import nodes
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.errors import ConfigError

from paperlib.publish.gate import EXECUTED, SOURCES, STAMP
from paperlib.publish.notebooks import read_notebook, set_cell_ids
from paperlib.publish.parameters import INJECTED, PARAMETERS_TAG, read_parameters
from paperlib.publish.plain import write_plainly

SAVE = (
    "Object.assign(document.createElement('a'), "
    "{{download: '{name}', href: 'data:application/x-ipynb+json;base64,{content}'}}).click()"
)
WORK = "work"  # where `make notebooks` and postBuild write
PLACES = {"data"}  # parameters that name a place on somebody's machine
BINDER = "https://mybinder.org/v2"
_HOSTS = {"github.com": "gh", "gitlab.com": "gl"}  # as Binder calls them
_FIRST = """\
From the book *{title}*. It needs the package `paperlib` and the results of a run; without them it
says which command makes them. {data}Your changes stay in this file."""
_OWN_DATA = "The page was made from a folder of patients: name yours in `data` below. "


def preset_notebook(source: Path, parameters: Mapping[str, object], title: str) -> NotebookNode:
    """Return a source as a notebook without outputs, with other defaults of its parameters.

    Args:
        source: A py:percent file.
        parameters: Values by name, as in the stamp of its executed notebook.
        title: Of the book.
    """
    notebook = read_notebook(source)
    write_plainly(notebook, source.parent)
    own_data = any(parameters.get(name) for name in PLACES)
    preset = {name: value for name, value in parameters.items() if name not in PLACES}
    for cell in notebook.cells:
        if PARAMETERS_TAG in cell.metadata.get("tags", []):
            for name, parameter in read_parameters(source).items():
                if preset.get(name, parameter.default) != parameter.default:
                    line = rf"^({re.escape(name)}\s*:[^=]+=\s*).*?(\s+#.*)?$"
                    cell.source = re.sub(line, _with(preset[name]), cell.source, flags=re.M)
    text = _FIRST.format(title=title, data=_OWN_DATA if own_data else "")
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(text))
    set_cell_ids(notebook)
    return notebook


def launch_url(repository: str, branch: str, name: str) -> str:
    """Return the address that opens a notebook of a public repository on Binder.

    What opens is the copy in work/ that `postBuild` makes there: JupyterLab shows a source as text.

    Args:
        repository: Its address: "https://github.com/owner/name".
        branch: Name of a branch or tag.
        name: Of the notebook, such as "01_data".

    Raises:
        ConfigError: If the address is none.
    """
    parts = urlsplit(repository)
    path = parts.path.strip("/").removesuffix(".git")
    if parts.scheme not in ("http", "https") or "/" not in path:
        raise ConfigError(
            f"_config.yml: repository url {repository!r}; expected "
            "https://host/owner/name, or nothing for a book without launch buttons."
        )
    host = _HOSTS.get(parts.netloc)
    where = {None: f"git/{quote(repository, safe='')}", "gh": f"gh/{path}"}.get(
        host, f"{host}/{quote(path, safe='')}"
    )
    opens = quote(f"lab/tree/{WORK}/{name}.ipynb", safe="")
    return f"{BINDER}/{where}/{quote(branch, safe='')}?urlpath={opens}"


def hide_places(_app: Sphinx, doctree: nodes.document) -> None:
    """Leave folders out of the parameters that a page shows; for the event doctree-read."""
    places = re.compile(rf"^({'|'.join(PLACES)}) = (?!\"\"$).+$", re.M)
    for block in list(doctree.findall(nodes.literal_block)):
        if block.astext().startswith(INJECTED) and places.search(block.astext()):
            text = places.sub(r'\1 = "..."', block.astext())
            block.replace_self(nodes.literal_block(text, text, **block.attributes))


def add_buttons(
    app: Sphinx, pagename: str, _template: str, context: dict[str, Any], doctree: object
) -> None:
    """Put the buttons of one page in place of the theme's; for the event html-page-context."""
    buttons = context.get("header_buttons", [])
    offered = _downloads(buttons)
    offered[:] = [one for one in offered if one.get("label") != "download-source-button"]
    source = Path(app.srcdir) / SOURCES / f"{Path(pagename).name}.py"
    if not (doctree and pagename.startswith(f"{EXECUTED}/") and source.is_file()):
        return
    content = base64.b64encode(_own_notebook(app, pagename, source).encode()).decode()
    download = {
        "type": "javascript",
        "javascript": SAVE.format(name=f"{source.stem}.ipynb", content=content),
        "text": ".ipynb",
        "icon": "fas fa-code",
        "tooltip": "Download this page as a notebook without outputs",
        "label": "download-notebook-button",
    }
    offered.insert(0, download)
    options = app.config.html_theme_options
    if options.get("repository_url"):
        branch = options.get("repository_branch") or "main"
        url = launch_url(options["repository_url"], branch, source.stem)
        buttons.append(
            {
                "type": "link",
                "url": url,
                "icon": "fas fa-rocket",
                "tooltip": "Start this notebook on Binder",
                "label": "launch-button",
            }
        )


def setup(app: Sphinx) -> dict[str, object]:
    """Register the hooks, the buttons after those of the theme."""
    app.connect("doctree-read", hide_places)
    app.connect("html-page-context", add_buttons, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _downloads(buttons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the theme's menu of downloads, to be changed in place."""
    menus = [one["buttons"] for one in buttons if one.get("label") == "download-buttons"]
    return menus[0] if menus else []


def _own_notebook(app: Sphinx, pagename: str, source: Path) -> str:
    executed = nbformat.read(app.env.doc2path(pagename), as_version=4)
    parameters = executed.metadata[STAMP]["parameters"]
    notebook = preset_notebook(source, parameters, app.config.html_title)
    return nbformat.writes(notebook) + "\n"


def _with(value: object):
    """Return what puts a value between the two groups of a line of the parameters cell."""
    return lambda found: f"{found[1]}{value!r}{found[2] or ''}"
