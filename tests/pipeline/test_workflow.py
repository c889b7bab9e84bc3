"""What the workflow asks of a machine or a cluster, read from a dry run of Snakemake."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from paperlib import cli

PROJECT = Path(__file__).parents[2]
TRAINING = {"network", "ablation", "ablation_stage", "length", "beyond", "curve"}
PROFILE = yaml.safe_load((PROJECT / "workflow/profiles/slurm/config.yaml").read_text("utf-8"))
SNAKEFILE = (PROJECT / "workflow" / "Snakefile").read_text("utf-8")
RULES = set(re.findall(r"^rule (\w+):", SNAKEFILE, re.MULTILINE))


def _resources(profile, *targets):
    """Return for each rule that would run what it asks for, as Snakemake prints it."""
    command = [sys.executable, "-m", "snakemake", *targets, "--snakefile", "workflow/Snakefile"]
    command += ["--workflow-profile", "none", "--dry-run", "--forceall", "--nolock"]
    command += ["--cores", "2", "--config", f"profile={profile}"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    blocks = re.split(r"^(?:local)?rule (\w+):\n", done.stdout, flags=re.MULTILINE)[1:]
    return dict(zip(blocks[::2], blocks[1::2], strict=True))


@pytest.mark.parametrize(("profile", "wanted"), [("paper", TRAINING), ("smoke", set())])
def test_only_training_asks_for_a_gpu_and_only_in_the_profile_made_for_one(profile, wanted):
    found = _resources(profile, "all", "ablations", "lengths", "beyond_paper", "curves")
    assert set(found) >= TRAINING | {"prepare", "segment", "gather", "notebook", "publish"}
    assert {rule for rule, text in found.items() if "gpu=1" in text} == wanted


def test_the_cluster_profile_names_only_rules_that_there_are():
    named = {*PROFILE["set-threads"], *PROFILE["set-resources"]}
    assert named <= RULES
    assert named >= TRAINING


def test_on_a_cluster_only_the_book_is_put_together_where_the_command_was_given():
    (line,) = re.findall(r"^localrules: (.*)$", SNAKEFILE, re.MULTILINE)
    rules_that_do_nothing = set(re.findall(r'"(\w+)"', SNAKEFILE.partition("TARGETS = ")[2]
                                           .partition("\n")[0]))  # fmt: skip
    assert set(line.split(", ")) - rules_that_do_nothing == {"publish"}


@pytest.mark.parametrize(("cluster", "said"), [
    ("slrum", "CLUSTER=slrum: neither a folder in workflow/profiles nor one of yours"),
    ("slurm", "cannot work in a path with spaces"),
])  # fmt: skip
def test_a_cluster_that_cannot_be_used_is_refused_at_once(
    tmp_path, monkeypatch, capsys, cluster, said
):
    root = tmp_path / "a path"
    (root / "workflow").mkdir(parents=True)
    (root / "workflow" / "profiles").symlink_to(PROJECT / "workflow" / "profiles")
    monkeypatch.setattr("paperlib.artifacts.ROOT", root)
    monkeypatch.setattr(cli.workflow.subprocess, "Popen", lambda *_, **__: pytest.fail("started"))
    assert cli.main(["book", "--profile", "smoke", "--cluster", cluster]) == 1
    assert said in capsys.readouterr().err
