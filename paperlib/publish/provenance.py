"""Where a result comes from: versions, commit, machine, profile and seeds."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "paperlib",
    "numpy",
    "scipy",
    "torch",
    "numba",
    "scikit-image",
    "scikit-learn",
    "nibabel",
    "pandas",
    "matplotlib",
)


def collect(cohort: str, profile: str, seeds: Sequence[int]) -> dict[str, object]:
    """Return where a result comes from, as plain values for JSON.

    No host, user or path name is in it, so that it can be published.

    Args:
        cohort: "phantom", or the name of the real cohort.
        profile: The key of the settings used, for example "smoke".
        seeds: Of the networks, in order.
    """
    return {
        "cohort": cohort,
        "profile": profile,
        "seeds": list(seeds),
        "commit": commit(),
        "versions": versions(),
        "platform": {
            "python": platform.python_version(),
            "system": platform.system(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
        },
    }


def one_line(provenance: Mapping[str, Any]) -> str:
    """Return the caption: "phantom, profile smoke, seed 0, commit abc1234".

    Args:
        provenance: From `collect`; one read back from JSON will do.
    """
    seeds = [str(seed) for seed in provenance["seeds"]]
    parts = [str(provenance["cohort"]), f"profile {provenance['profile']}"]
    if seeds:
        parts.append(f"{'seed' if len(seeds) == 1 else 'seeds'} {' '.join(seeds)}")
    found = provenance["commit"]
    parts.append(f"commit {found}" if found else f"version {provenance['versions']['paperlib']}")
    if {network["commit"] for network in provenance.get("networks", ())} - {found}:
        parts[-1] += " (networks trained at earlier ones)"
    return ", ".join(parts)


def versions() -> dict[str, str]:
    """Return the installed versions of the packages that can move a number."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit(folder: Path = Path(__file__).parent) -> str | None:
    """Return the commit of the code in `folder`: seven digits, "-dirty" if files were changed.

    Args:
        folder: Any folder of a checkout.

    Returns:
        None without git, outside a checkout, or where git does not track the folder, as in an
        installed package inside somebody else's repository.
    """
    tracked = _git(folder, "ls-files", "--error-unmatch", ".")
    return (
        _git(folder, "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*")
        if tracked
        else None
    )


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None
