"""Pages written by hand: no typed result, and no claim that the reference does not bear out."""

import re
from pathlib import Path

import pytest

from paperlib.evaluation import evidence, summary, tables

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "book").glob("*.md"))
REFERENCE = ROOT / "results" / "reference" / "real36"
ROLE = re.compile(r"\{result\}`([^`:]+)(?::([^`]*))?`")
NO_PROSE = (
    re.compile(r"^```(?!\{list-table\})\{?\w.*?^```", re.S | re.M),
    re.compile(r"\{[\w-]+\}`[^`]*`"),
    re.compile(r"[Ss]ections? [\d.]+"),
)


@pytest.fixture(scope="module")
def real():
    found = evidence.load_evidence(REFERENCE, command="git checkout results/reference")
    return summary.summarise(found, prefix="real36", draws=tables.Draws(20))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_types_no_measured_number(page):
    text = page.read_text("utf-8")
    for pattern in NO_PROSE:
        text = pattern.sub(" ", text)
    assert re.findall(r"(?<![\w.])\d*\.\d+", text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_number_of_a_page_exists_whatever_the_run(page, real):
    known = real | summary.paper_summary()
    # Every profile has at least this network, so a build of any run knows these.
    known |= {key.replace("real36", "run", 1): value for key, value in real.items()
              if not re.search(r"\.(dVAE|VAE-SSIM|VAE1px|VAE-CE|AAE|BiAAE)", key)}  # fmt: skip
    for key, form in ROLE.findall(page.read_text("utf-8")):
        assert key in known
        format(known[key], form)


def _networks(real):
    return sorted({key.split(".")[2] for key in real if re.match(r"real36\.score\.", key)})


def test_the_start_page_is_right_that_no_network_is_needed(real):
    value = {key: real[f"real36.outline.{key}.neighbourhood_value"]
             for key in (*_networks(real), "B1", "B2", "B2_fixed", "B3", "B12")}  # fmt: skip
    networks = [value[key] for key in _networks(real)]
    assert len(networks) >= 8
    assert min(value[key] for key in ("B1", "B2", "B2_fixed", "B12")) > max(networks)
    assert value["B3"] > max(networks) - 0.03  # "does as well as the best"


def test_the_start_page_is_right_about_height_and_latent_distance(real):
    better = []
    for network in _networks(real):
        names = ("mean_residual", "latent_distance", "slice_height")
        mean, latent, height = (real[f"real36.score.{network}.{name}.value"] for name in names)
        assert height > mean - 0.05  # "about as well"
        better.append(latent > max(mean, height))
    assert sum(better) > len(better) / 2  # "most"


def test_the_reference_is_of_36_real_patients(real):
    assert real["real36.patients"] == 36
    assert real["real36.profile"] == "full"
