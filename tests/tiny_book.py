"""A small book: the real configuration with tiny pages."""

import shutil
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
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

INDEX = """\
# A tiny book

Dice {result}`dice_wt:.3f`.

{numref}`fig-01_data` is a line.
"""


def write_book(folder, chapters=CHAPTERS):
    """Write the book's real configuration with tiny pages and sources into `folder`.

    Its table of contents is the real one without the pages that are not written.
    """
    (folder / "notebooks").mkdir(parents=True)
    (folder / "book" / "executed").mkdir(parents=True)
    for name in ("_config.yml", *HAND_WRITTEN):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "book" / "static", folder / "book" / "static")
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    written = {"book/references", *(f"book/executed/{chapter}" for chapter in chapters)}
    for part in toc["parts"]:
        part["chapters"] = [page for page in part["chapters"] if page["file"] in written]
    toc["parts"] = [part for part in toc["parts"] if part["chapters"]]
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    for chapter in chapters:
        text = HEADER + CHAPTER.replace("NAME", chapter)
        (folder / "notebooks" / f"{chapter}.py").write_text(text)
    (folder / "book" / "executed" / "results.json").write_text(
        '{"dice_wt": 0.754, "run.origin": "phantom, profile smoke, seed 0, commit abc1234"}'
    )
    (folder / "book" / "executed" / "viewer.json").write_text('{"cases": []}')
    (folder / "book" / "index.md").write_text(INDEX)
    return folder
