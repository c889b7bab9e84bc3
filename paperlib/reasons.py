"""Why something is made again: what changed since it was last finished, in words.

Surprising convention: a record is made of three mappings, `settings`, `upstream` (content hashes
of what was read) and `code` (hashes of modules); manifests of stages and stamps of pages both
hold them.
"""

import json
from collections.abc import Iterator, Mapping

NOT_MADE = "it was never finished"
UNRECORDED = "code changed (which module was not written down then)"
SHOWN = 3  # names; more are counted
LONG = 60  # characters of a change worth showing


def explain(record: Mapping | None, now: Mapping[str, Mapping[str, object]]) -> str:
    """Return why something has to be made, or an empty string if nothing differs.

    Args:
        record: What it was made from; None if it is not there.
        now: What it would be made from: `settings`, `upstream`, `code`.
    """
    if record is None:
        return NOT_MADE
    found = []
    for kind, word in (("settings", "settings"), ("upstream", "input"), ("code", "code")):
        if kind not in record:
            continue
        old, new = _flat(record[kind]), _flat(now[kind])
        names = list(_differences(old, new, values=kind == "settings"))
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            found.append(f"{word} changed: {', '.join(names[:SHOWN])}{more}")
    if not found and "code" not in record:
        return UNRECORDED
    return "; ".join(found)


def _differences(
    old: Mapping[str, object], new: Mapping[str, object], *, values: bool
) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            yield f"{name} (new)"
        elif name not in new:
            yield f"{name} (gone)"
        elif old[name] != new[name]:
            change = f"{json.dumps(old[name])} -> {json.dumps(new[name])}"
            yield f"{name} ({change})" if values and len(change) <= LONG else name


def _flat(mapping: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return the leaves under dotted names, as JSON would read them back."""
    leaves: dict[str, object] = {}
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            leaves |= _flat(value, f"{name}.")
        else:
            leaves[name] = json.loads(json.dumps(value, default=list))
    return leaves
