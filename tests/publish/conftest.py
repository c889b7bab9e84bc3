import shutil
from pathlib import Path

import pytest
import yaml

from paperlib.publish.execute import execute_notebook

ROOT = Path(__file__).parents[2]
CHAPTERS = ("01_data", "03_training", "04_anomaly_scores")
HAND_WRITTEN = ("book/references.bib", "book/references.md", "book/viewer.md")
HEADER = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

"""
CHAPTER = """\
# %% [markdown]
# # Chapter NAME
#
# The whole tumour has a Dice of {result}`dice_wt:.2f`, see {cite:t}`menze2015brats`.
#
# ```{math}
# :label: eq-NAME
# p(x) = \\sum_k \\pi_k \\mathcal{N}(x; \\mu_k, \\sigma_k)
# ```

# %% tags=["parameters"]
profile: str = "smoke"  # size of the run; one of: smoke, local, paper
seed: int = 0  # from 0 to 9

# %% tags=["remove-cell"]
from paperlib.publish import parameters

parameters.validate(globals())

# %% mystnb={"figure": {"caption": "A line.", "name": "fig-NAME"}, "image": {"alt": "A line"}}
import matplotlib.pyplot as plt

axes = plt.plot([1, 2, 3])

# %% [markdown]
# :::{exercise}
# :label: ex-NAME
# Change one thing, and look at {numref}`fig-NAME` and {eq}`eq-NAME` again.
# :::
#
# :::{solution} ex-NAME
# :class: dropdown
# As you like.
# :::

# %%
import warnings

warnings.warn("a warning that quotes a path")
print(profile, seed)
"""

GOOD = (
    "# %% [markdown]\n# # A title",
    '# %% tags=["parameters"]\nseed: int = 0',
    "import sys\nprint(seed)\nprint('in', '/some' + '/place', file=sys.stderr)",
    "seed + 1",
)

INDEX = """\
# A tiny book

Dice {result}`dice_wt:.3f`.

{numref}`fig-01_data` is a line.
"""


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


def write_book(folder):
    """Write the book's real configuration with tiny pages and sources into `folder`.

    Its table of contents is the real one without the pages that are not written.
    """
    (folder / "notebooks").mkdir(parents=True)
    (folder / "book" / "executed").mkdir(parents=True)
    for name in ("_config.yml", *HAND_WRITTEN):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "book" / "static", folder / "book" / "static")
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    written = {"book/references", *(f"book/executed/{chapter}" for chapter in CHAPTERS)}
    for part in toc["parts"]:
        part["chapters"] = [page for page in part["chapters"] if page["file"] in written]
    toc["parts"] = [part for part in toc["parts"] if part["chapters"]]
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    for chapter in CHAPTERS:
        text = HEADER + CHAPTER.replace("NAME", chapter)
        (folder / "notebooks" / f"{chapter}.py").write_text(text)
    (folder / "book" / "executed" / "results.json").write_text(
        '{"dice_wt": 0.754, "run.origin": "phantom, profile smoke, seed 0, commit abc1234"}'
    )
    (folder / "book" / "executed" / "viewer.json").write_text('{"cases": []}')
    (folder / "book" / "index.md").write_text(INDEX)
    return folder
