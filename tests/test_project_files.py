"""What stands in several files of the repository says the same everywhere."""

import importlib
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
MODULES = {
    "RECONSTRUCTION_LOSSES": "models.losses",
    "MODELS": "models.architectures",
    "VARIANTS": "models.architectures",
    "OBJECTIVES": "models.objectives",
    "DISCRIMINATORS": "models.adversaries",
    "ZSCORES": "data.preprocess",
    "SCALES": "data.preprocess",
    "SCORES": "scores",
    "GATES": "scores",
    "READINGS": "postprocessing.mixture",
    "STARTS": "postprocessing.mixture",
    "CLUSTERS": "postprocessing.mixture",
    "COMPONENTS": "postprocessing.morphology",
    "HULLS": "postprocessing.regions",
    "AGGREGATIONS": "evaluation.measures.metrics",
    "LAYOUTS": "data.layouts",
    "PROFILES": "config",
    "STUDIES": "pipeline.studies.ablation_rows",
    "SENTENCES": "evaluation.claims.sentences",
    "ON_DATA": "evaluation.deviations.on_data",
    "STAGES": "pipeline.stages",
    "NOTEBOOKS": "pipeline.run",
}


def test_the_citation_has_the_version_the_licence_and_the_authors_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]
    assert f"({PROJECT['version']})" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_choice_that_contributing_names_is_where_it_says():
    named = set(re.findall(r"`([A-Z_]+)`", CONTRIBUTING))
    assert named == set(MODULES)
    for name, module in MODULES.items():
        assert f"{module.rsplit('.', maxsplit=1)[-1]}.py`" in CONTRIBUTING
        assert len(getattr(importlib.import_module(f"paperlib.{module}"), name)) > 0


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_a_page_names_only_targets_and_files_that_exist(page):
    text = (ROOT / page).read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    commands = re.findall(r"(?:^ *|`)make ((?:[a-z-]+ ?)+)", text, re.MULTILINE)
    named = {word for command in commands for word in command.split()}
    assert len(named) > 2
    assert named <= targets
    written = {"runs/", "work/", "book/executed/"}  # by the commands
    folders = set(re.findall(r"`([a-z_]+/[\w/]*)`", text)) - written
    assert folders
    missing = [
        f for f in folders if not (ROOT / f).exists() and not (ROOT / "paperlib" / f).exists()
    ]
    assert missing == []
