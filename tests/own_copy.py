"""A copy of the project that a test may change: what git would keep, as a repository of its own."""

import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
GENERATED = {".git", ".venv", "runs", "data", "work", "_build", "logs", ".snakemake"}


def copy_project(target: Path) -> Path:
    """Copy the project, with times, to `target` and commit it there."""

    def generated(folder, names):
        here = Path(folder)
        return {
            name
            for name in names
            if (here == PROJECT and (name in GENERATED or name.endswith("_cache")))
            or (here == PROJECT / "book" and name == "executed")
            or name == "__pycache__"
        }

    shutil.copytree(PROJECT, target, ignore=generated)
    name = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "--quiet"], ["add", "."], [*name, "commit", "--quiet", "-m", "copy"]):
        subprocess.run(["git", *command], cwd=target, check=True)
    (target / ".git" / "info" / "exclude").write_text("/.venv\n")  # a link is no folder to git
    return target


def changed_files(project: Path) -> str:
    """Return what git says has changed, new files included; empty for nothing."""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout
