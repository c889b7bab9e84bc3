"""Pages written by hand: no typed result, and no claim that the reference does not bear out."""

import functools
import itertools
import json
import re
from pathlib import Path

import pytest

from paperlib import artifacts
from paperlib.evaluation import evidence, tables
from paperlib.evaluation.networks import costs
from paperlib.evaluation.patients import cohort
from paperlib.evaluation.texts import summary
from paperlib.pipeline.pages import publishing

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
PAGES = sorted(path for path in BOOK.rglob("*.md") if "executed" not in path.parts)
GLOSSARY = BOOK / "glossary.md"
REFERENCES = ROOT / "results" / "reference"
ROLE = re.compile(r"\{result\}`([^`:]+)(?::([^`]*))?`")
NO_PROSE = (
    re.compile(r"^```(?!\{list-table\})\{?\w.*?^```", re.S | re.M),
    re.compile(r"\{[\w-]+\}`[^`]*`"),
    re.compile(r"[Ss]ections? [\d.]+(?: and [\d.]+)?"),
    re.compile(r"(?:Python|CC BY) [\d.]+"),
)


@functools.cache
def load(name):
    return evidence.load_evidence(REFERENCES / name, command="git checkout results/reference")


def summarise(name):
    found = load(name)
    numbers = summary.summarise(found, prefix=name, draws=tables.Draws(20))
    return numbers | summary.measured_summary(found, prefix=name)


def beyond_summary():
    return publishing.summarise_beyond("real36", load("real36"), tables.Draws(20))


@pytest.fixture(scope="module")
def real():
    return summarise("real36")


@pytest.fixture(scope="module")
def phantom():
    return summarise("phantom")


@pytest.fixture(scope="module")
def numbers(real, phantom):
    """Every number that a page may name."""
    known = real | phantom | summary.paper_summary() | summary.band_summary()
    known |= beyond_summary()
    known |= costs.summarise_costs(
        *(
            artifacts.read_json(REFERENCES / name / "provenance.json")
            for name in ("phantom", "real36")
        )
    )
    # Every profile has at least this network, so a build of any run knows these.
    own = {key.replace("real36", "run", 1): value for key, value in real.items()
           if not re.search(r"\.(dVAE|VAE-SSIM|VAE1px|VAE-CE|AAE|BiAAE)", key)}  # fmt: skip
    return known | own


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(BOOK)))
def test_a_page_types_no_measured_number(page):
    text = page.read_text("utf-8")
    for pattern in NO_PROSE:
        text = pattern.sub(" ", text)
    assert re.findall(r"(?<![\w.])\d*\.\d+", text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(BOOK)))
def test_every_number_of_a_page_exists_whatever_the_run(page, numbers):
    for key, form in ROLE.findall(page.read_text("utf-8")):
        assert key in numbers
        format(numbers[key], form)


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


def test_the_model_card_is_right_about_its_rows(real, phantom):
    keys = [f"real36.outline.{name}.neighbourhood_" for name in _networks(real)]
    pairs = [(real[f"{a}low"] < real[f"{b}high"] and real[f"{b}low"] < real[f"{a}high"])
             for a, b in itertools.combinations(keys, 2)]  # fmt: skip
    assert sum(pairs) > len(pairs) / 2  # "most intervals overlap"
    row = re.compile(r"phantom\.outline\.\w+(-CE)?-(MSE|SSIM)\.neighbourhood_value")
    values = {key: value for key, value in phantom.items() if row.fullmatch(key)}
    assert len(values) == 12
    assert max(values, key=values.get) == "phantom.outline.VAE-CE-SSIM.neighbourhood_value"
    provenance = json.loads((REFERENCES / "real36" / "provenance.json").read_text("utf-8"))
    assert not any(network["converged"] for network in provenance["networks"])
    assert len(provenance["seeds"]) == 1


def test_the_data_card_shows_every_band():
    text = (BOOK / "data_card.md").read_text("utf-8")
    for key in cohort.BANDS:
        for shown in (f"band.{key}.low", f"band.{key}.high", f"phantom.measured.{key}"):
            assert f"{{result}}`{shown}:" in text


def _terms():
    """Return the glossary's terms; a term starts in the first column."""
    blocks = re.findall(r"^:::\{glossary\}\n(.*?)^:::", GLOSSARY.read_text("utf-8"), re.S | re.M)
    return [line for block in blocks for line in block.splitlines() if re.match(r"\S", line)]


def test_every_term_of_the_glossary_is_used_and_explained_in_at_most_three_sentences():
    texts = [page.read_text("utf-8") for page in PAGES if page != GLOSSARY]
    texts += [path.read_text("utf-8") for path in (ROOT / "notebooks").glob("*.py")]
    used = re.sub(r"\s+", " ", re.sub(r"\n# |[*`]", " ", "\n".join(texts))).lower()
    assert len(_terms()) > 40
    unused = [term for term in _terms() if not re.search(rf"\b{re.escape(term.lower())}", used)]
    assert unused == []
    entries = re.findall(r"^  .*(?:\n  .*)*", GLOSSARY.read_text("utf-8"), re.M)
    assert len(entries) <= len(_terms())
    long = [entry for entry in entries if len(re.findall(r"[.?!](?:\s|$)", entry)) > 3]
    assert long == []


def test_every_work_can_be_found_by_its_doi_its_preprint_or_its_publisher():
    entries = re.split(r"^@", (BOOK / "references.bib").read_text("utf-8"), flags=re.M)[1:]
    assert len(entries) > 15
    missing = [entry.split(",")[0] for entry in entries
               if not re.search(r"\b(doi|eprint|publisher|series) = \{[^}]+\}", entry)]  # fmt: skip
    assert missing == []


@pytest.mark.parametrize("page", ["index.md", "references.md"])
def test_what_our_copy_of_the_paper_does_not_print_stays_visibly_open(page):
    text = re.sub(r"\s+", " ", (BOOK / page).read_text("utf-8"))
    assert re.search(r"authors \w+ DOI.{0,80}\*to be filled in\*", text)
