"""What the paper prints that cannot be, or cannot be both: the evidence as tables.

Sizes are read from live modules; everything else from the rows of a run, the paper's network.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType

import pandas as pd
import torch
from torch import nn

from paperlib.evaluation import paper
from paperlib.evaluation.claims import answers
from paperlib.evaluation.claims.pairing import missing_networks
from paperlib.evaluation.conventions import slice_counts
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.examples import PAPERS_CHOICE
from paperlib.evaluation.networks.table1 import LATENT_SIDE, SIDE_PX
from paperlib.evaluation.slices import slice_scores
from paperlib.evaluation.texts.layout import READING_NAMES
from paperlib.labels import REGION_NAMES
from paperlib.models import adversaries, architectures
from paperlib.models.architectures import Architecture, Conv

IMAGE_PATH_SIDE = 2  # where BiAAE's image path ends, in pixels
INEXACT = "*"  # marks a size that was rounded down
PADDINGS: Mapping[str, Callable[[Conv], Conv]] = MappingProxyType(
    {
        "0 everywhere": lambda row: row._replace(padding=0, output_padding=0),
        "1 everywhere": lambda row: row._replace(padding=1, output_padding=0),
        "d(k − 1)/2 everywhere": lambda row: row._replace(
            padding=row.dilation * (row.kernel - 1) // 2, output_padding=0
        ),
        "as built here": lambda row: row,
    }
)


def try_paddings(models: Mapping[str, Architecture] = architectures.MODELS) -> pd.DataFrame:
    """Return what every column of Table 1 makes of a slice under several paddings.

    Args:
        models: Columns of Table 1.

    Returns:
        Texts. By network and padding: the sizes of `encoder and latent`, with `INEXACT` where the
        stride does not divide, and the size of the `image` that comes back.
    """
    lines = {}
    for name, column in models.items():
        for words, change in PADDINGS.items():
            rows = [change(row) for row in (*column.encoder, column.latent)]
            lines[name, words] = _chain(rows)
    frame = pd.DataFrame.from_dict(lines, orient="index", columns=["encoder and latent", "image"])
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["", None])
    return frame


def try_latent_paths() -> pd.DataFrame:
    """Return where BiAAE's two latent blocks end for each stride and padding.

    Returns:
        Texts, one row per stride and padding: the `sizes`, and whether they fit the image path.
    """
    lines = {}
    for stride in (1, 2):
        for padding in (0, 1, 2):
            rows = [
                row._replace(stride=stride, padding=padding) for row in adversaries.BI_LATENT_PATH
            ]
            sizes = _encoded(rows, LATENT_SIDE)
            fits = sizes is not None and sizes[-1] == IMAGE_PATH_SIDE
            text = _with_marks(rows, sizes) if sizes else "smaller than the kernel"
            answer = ("yes, rounded" if INEXACT in text else "yes") if fits else "no"
            lines[f"stride {stride}, padding {padding}"] = {"sizes": text, "fits": answer}
    return pd.DataFrame.from_dict(lines, orient="index")


def compare_readings(found: Evidence) -> pd.DataFrame:
    """Return what becomes of the tumour cluster under every reading of equation 1.

    Args:
        found: Evidence of a run.

    Returns:
        By reading: `Dice` (outline, every slice, empty = 0), `empty` (share of all slices without
        any mask), `not divided` (share of degenerate fits), and `size` (predicted over true
        pixels, all slices). Empty where the paper's network was not tested.
    """
    lines = {}
    for reading in _readings(found):
        counts = _counts(found, reading)
        lines[READING_NAMES[reading]] = {
            "Dice": counts["dice"].mean(),
            "empty": (counts["WT_predicted"] == 0).mean(),
            "not divided": (counts["flair_degenerate"] == 1).mean(),
            "size": counts["WT_predicted"].sum() / counts["WT_truth"].sum(),
        }
    return pd.DataFrame.from_dict(lines, orient="index")


def compare_clusters(found: Evidence) -> pd.DataFrame:
    """Return how often the smaller cluster is another one than that of lower residuals.

    Args:
        found: Evidence of a run.

    Returns:
        By reading: `differ`, share of the slices that the fit divides; `tumour slices`, the same
        of those with tumour; `n` and `tumour n`, their numbers. Empty where the paper's network
        was not tested.
    """
    lines = {}
    for reading in _readings(found):
        counts = _counts(found, reading)
        fitted = counts[counts["flair_degenerate"] == 0]
        ill = fitted[fitted["WT_truth"] > 0]
        lines[READING_NAMES[reading]] = {
            "differ": (fitted["flair_clusters_differ"] == 1).mean(),
            "tumour slices": (ill["flair_clusters_differ"] == 1).mean(),
            "n": len(fitted),
            "tumour n": len(ill),
        }
    return pd.DataFrame.from_dict(lines, orient="index")


def compare_latent_gates(found: Evidence) -> pd.DataFrame:
    """Return what the latent gate flags when read literally, and with the mean.

    Args:
        found: Evidence of a run.

    Returns:
        By rule: shares of the slices with (`sensitivity`) and without tumour (`false
        positives`). Empty where the paper's network was not tested.
    """
    if missing_networks(found, [PAPERS_CHOICE]):
        return pd.DataFrame(columns=["sensitivity", "false positives"])
    method = slice_scores.first_seed(found, *PAPERS_CHOICE)
    rates = slice_scores.gate_rates(found, method, "latent_distance")
    return rates.loc[["2sd_literal", "mean_2sd"], ["sensitivity", "false positives"]].rename_axis(
        None
    )


def compare_ceilings(found: Evidence) -> pd.DataFrame:
    """Return the numbers of section 5.3 beside what the truth itself reaches as Table 2 counts.

    Args:
        found: Evidence of a run.

    Returns:
        By region: `paper`, and `ceiling`: Dice of the truth, every slice, empty = 0, which is the
        share of slices that hold the region.
    """
    ceilings = {region: (found.slices[f"{region}_truth"] > 0).mean() for region in paper.GATED}
    frame = pd.DataFrame({"paper": dict(paper.GATED), "ceiling": ceilings})
    return frame.rename(index=dict(REGION_NAMES))


def _chain(rows: list[Conv]) -> tuple[str, str]:
    sizes = _encoded(rows, SIDE_PX)
    if sizes is None:
        return "a kernel is larger than its map", "–"
    network = architectures.Autoencoder(Architecture(tuple(rows[:-1]), rows[-1])).eval()
    with torch.no_grad():
        back = network.decode(network.encode(torch.zeros(1, 1, SIDE_PX, SIDE_PX)).mean)
    return _with_marks(rows, sizes), f"{back.shape[-1]}"


def _encoded(rows: list[Conv], side: int) -> list[int] | None:
    """Return the sizes from input to latent, of real layers; None where a kernel does not fit."""
    sizes, image = [side], torch.zeros(1, 1, side, side)
    for row in rows:
        if sizes[-1] + 2 * row.padding <= row.dilation * (row.kernel - 1):
            return None
        layer = nn.Conv2d(1, 1, row.kernel, row.stride, row.padding, row.dilation)
        with torch.no_grad():
            image = layer(image)
        sizes.append(image.shape[-1])
    return sizes


def _with_marks(rows: list[Conv], sizes: list[int]) -> str:
    """Return the sizes as text, marked where a stride leaves a remainder."""
    texts = [str(sizes[0])]
    for row, (before, after) in zip(rows, pairwise(sizes), strict=True):
        reach = before + 2 * row.padding - row.dilation * (row.kernel - 1) - 1
        texts.append(f"{after}{INEXACT if reach % row.stride else ''}")
    return " → ".join(texts)


def _readings(found: Evidence) -> list[str]:
    untested = missing_networks(found, [PAPERS_CHOICE])
    return [] if untested else list(found.provenance["mixture"]["readings"])


def _counts(found: Evidence, reading: str) -> pd.DataFrame:
    """Return the slices of the paper's network, its seeds below each other."""
    return pd.concat([slice_counts(found, one, reading=reading) for one in answers.seeds_of(found)])
