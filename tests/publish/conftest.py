import shutil

import pytest
from tiny_book import HEADER

from paperlib.publish.execute import execute_notebook

GOOD = (
    "# %% [markdown]\n# # A title",
    '# %% tags=["parameters"]\nseed: int = 0',
    "import sys\nprint(seed)\nprint('in', '/some' + '/place', file=sys.stderr)",
    "seed + 1",
)


@pytest.fixture
def write_source(tmp_path):
    """Write a notebook source from the texts of its cells, with their `# %%` line or without."""

    def write(*cells, name="01_data.py"):
        path = tmp_path / "notebooks" / name
        path.parent.mkdir(exist_ok=True)
        marked = [cell if cell.startswith("# %%") else f"# %%\n{cell}" for cell in cells]
        path.write_text(HEADER + "\n\n".join(marked) + "\n")
        return path

    return write


@pytest.fixture(scope="session")
def good_run(tmp_path_factory):
    """Return the folder of one source that ran for real, its published notebook beside it."""
    folder = tmp_path_factory.mktemp("a folder with spaces")
    source = folder / "notebooks" / "01_data.py"
    source.parent.mkdir()
    cells = [cell if cell.startswith("# %%") else f"# %%\n{cell}" for cell in GOOD]
    source.write_text("\n\n".join(cells) + "\n")
    output = folder / "executed" / "01_data.ipynb"
    warnings = execute_notebook(source, output, {"seed": "3"})
    assert warnings == ["in /some/place\n"]
    return folder


@pytest.fixture
def published(good_run, tmp_path):
    """Return a copy of `good_run` to spoil."""
    return shutil.copytree(good_run, tmp_path / "a copy")
