"""The page that says where every number comes from: versions, machines, times and hashes.

It is written from the manifests of a run and from what reference runs keep of theirs; paths and
names of machines are in neither.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from paperlib import artifacts
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.texts.layout import MISSING
from paperlib.pipeline.run import NOTEBOOKS, Run
from paperlib.publish import gate, provenance
from paperlib.publish.book import origins

MADE = ".made.json"  # beside an executed notebook: by which code, how long it took
HASH_LETTERS = 12  # shown of a longer hash
# Folders of stages in their order; what is not here comes last.
ORDER = ("cohort", "check", "prepare", "split", "models", "reconstructions", "segments",
         "baselines", "attribution", "evidence")  # fmt: skip
TITLE = """\
# Where the numbers come from

Each figure and table of this book names a run. Here is what that run was made with: versions,
machine, times, and hashes that change when anything behind a number changes. The *key* of a step
is a hash of its settings, of what it read and of the code that decides its result; *content* is
one of what it wrote. Equal keys promise equal content on the same machine and versions. A commit
that ends in *dirty* had changes which no commit holds.
"""


def write(
    run: Run, known: Mapping[str, Evidence], references: Path, others: Mapping[str, str]
) -> str:
    """Return the page as Markdown.

    Args:
        run: The run that the book shows.
        known: Evidence of this run, first, and of the reference runs in this copy, by name.
        references: Folder of the reference runs.
        others: Origins of results that belong to no run, in one line each.
    """
    parts = [TITLE]
    for name, found in known.items():
        if name == origins.THIS_RUN:
            parts += _describe(name, "The run of this build", found)
            parts += ["### Its steps", _steps(run), "### Its notebooks", _notebooks(run)]
        else:
            parts += _describe(name, f"Reference {name}", found)
            parts += [_folded("Its networks", _networks(found.provenance["networks"]))]
            parts += [f"Content of its files: `{_content(references / name)}`."]
    for name, line in others.items():
        parts += [f"({origins.label(name)})=\n## Reference {name}", f"{line}."]
    return "\n\n".join([*parts, "## Versions", _versions(known)]) + "\n"


def _describe(prefix: str, title: str, found: Evidence) -> Iterator[str]:
    origin = found.provenance
    machine = origin["platform"]
    trained = [one["seconds"] for one in origin["networks"]]
    yield f"({origins.label(prefix)})=\n## {title}"
    yield f"{provenance.one_line(origin)}."
    yield (
        f"{origin['patients']} patients, {found.patients} of them tested, folds: "
        f"{origin['folds']}. {len(trained)} networks, trained in {sum(trained) / 60:,.1f} minutes "
        f"one after the other. {machine['system']} on {machine['machine']}, {machine['cores']} "
        f"cores, Python {machine['python']}."
    )


def _steps(run: Run) -> str:
    folders = [file.parent for file in run.folder.rglob(artifacts.MANIFEST)]
    lines = []
    for folder in sorted(folders, key=lambda folder: _place(folder.relative_to(run.folder))):
        made = artifacts.read_manifest(folder) or {}
        name = folder.relative_to(run.folder).as_posix()
        lines.append([f"`{name}`", *_made(made), _short(made.get("key")),
                      _short(made.get("content"))])  # fmt: skip
    return _table(["step", "seconds", "commit", "key", "content"], lines)


def _place(folder: Path) -> tuple[int, str]:
    first = folder.parts[0]
    return ORDER.index(first) if first in ORDER else len(ORDER), folder.as_posix()


def _notebooks(run: Run) -> str:
    lines = []
    for name in NOTEBOOKS:
        executed = run.folder / "notebooks" / f"{name}.ipynb"
        made = executed.with_suffix(MADE)
        stamp = nbformat.read(executed, as_version=4).metadata[gate.STAMP]
        facts = artifacts.read_json(made) if made.exists() else {}
        hashes = (_short(stamp["source_hash"]), _short(stamp["digest"]))
        lines.append([f"`{name}`", *_made(facts), *hashes])
    return _table(["notebook", "seconds", "commit", "source", "digest"], lines)


def _networks(networks: Iterable[Mapping[str, Any]]) -> str:
    heads = ["network", "sequence", "seconds", "commit", "slice-steps", "stopped by"]
    lines = [
        [f"`{one['pair']}`", one["sequence"], *_made(one), f"{one['slice_steps']:,}",
         one["stopped_by"]]
        for one in networks
    ]  # fmt: skip
    return _table(heads, lines)


def _versions(known: Mapping[str, Evidence]) -> str:
    found = {name: one.provenance["versions"] for name, one in known.items()}
    packages = dict.fromkeys(package for versions in found.values() for package in versions)
    titles = ["this run" if name == origins.THIS_RUN else name for name in known]
    return _table(
        ["package", *titles],
        [[name, *(one.get(name, MISSING) for one in found.values())] for name in packages],
    )


def _made(facts: Mapping[str, Any]) -> list[str]:
    """Return seconds and commit of a step, as far as they were noted."""
    seconds = facts.get("seconds")
    return [MISSING if seconds is None else f"{seconds:.1f}", facts.get("commit") or MISSING]


def _short(digest: str | None) -> str:
    return f"`{digest[:HASH_LETTERS]}`" if digest else MISSING


def _content(folder: Path) -> str:
    """Return a hash of the names and contents of all files of a reference run."""
    total = hashlib.sha256()
    for file in sorted(folder.glob("*.*")):
        total.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()} ".encode())
    return total.hexdigest()[:HASH_LETTERS]


def _folded(title: str, text: str) -> str:
    return f":::{{dropdown}} {title}\n{text}\n:::"


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
