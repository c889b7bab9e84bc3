"""What a page is made from beside its own source: the code that its notebook uses."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from paperlib import artifacts

PACKAGE = Path(artifacts.__file__).parent


def code_used(source: Path) -> dict[str, str]:
    """Return the hash of each module of paperlib that a notebook imports, directly or not.

    Args:
        source: A py:percent file; what it imports by a computed name is not seen.
    """
    found: dict[str, str] = {}
    waiting = [*_imported(source)]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found[module] = _code_hash(module)
            waiting += _imported(_file(module))
    return dict(sorted(found.items()))


_code_hash = functools.cache(artifacts.code_hash)  # a page shares most modules with the others


@functools.cache
def _imported(source: Path) -> tuple[str, ...]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    names = (name for node in ast.walk(tree) for name in _names(node))
    return tuple(name for name in names if name.startswith("paperlib.") and _file(name).is_file())


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(module: str) -> Path:
    return PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
