"""Parameters of a notebook: declared in its source, checked before and after the kernel starts.

papermill takes unknown names and wrong types without a word (its "false" is a true text), so the
declarations are read from the source. Each is one annotated line in the cell tagged "parameters".
The comment on it is not mere prose, its limits are enforced:

    profile: str = "smoke"  # size of the run; one of: smoke, local, paper
    seed: int = 0  # from 0 to 99
"""

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import jupytext

from paperlib.publish.values import read_value

PARAMETERS_TAG = "parameters"
Check = Callable[[Mapping[str, Any]], None]  # raises on values that do not go together
INJECTED = "# Parameters"  # papermill's first line in the cell that it adds
_CHOICES = re.compile(r"\bone of:? ([\w.+-]+(?:, [\w.+-]+)*)")
_BOUNDS = re.compile(r"\bfrom ([-+.\deE]+) to ([-+.\deE]*\d)")


class UsageError(ValueError):
    """What was asked for cannot be; said before anything was started."""

    exit_code = 2


class Parameter(NamedTuple):
    """One declared parameter; `annotation` as written, for example "list[int]"."""

    name: str
    annotation: str
    default: object
    choices: tuple[str, ...] = ()  # the values allowed, as texts; empty: any
    bounds: tuple[float, float] | None = None  # both ends allowed

    def __str__(self) -> str:
        """Return the declaration as messages name it: "seed: int = 0 (from 0 to 99)"."""
        limits = [f"one of: {', '.join(self.choices)}"] if self.choices else []
        limits += [f"from {self.bounds[0]:g} to {self.bounds[1]:g}"] if self.bounds else []
        note = f" ({'; '.join(limits)})" if limits else ""
        return f"{self.name}: {self.annotation} = {self.default!r}{note}"


def read_parameters(source: Path) -> dict[str, Parameter]:
    """Return the parameters declared in a notebook source, in order.

    Args:
        source: A jupytext py:percent file; without a cell tagged "parameters" it takes none.

    Raises:
        ValueError: If two cells carry the tag, a line of the cell is not a typed literal, its
            type is unknown, or its default breaks its own declaration.
    """
    cells = [
        cell.source
        for cell in jupytext.read(source, fmt="py:percent").cells
        if cell.cell_type == "code" and PARAMETERS_TAG in cell.metadata.get("tags", [])
    ]
    if len(cells) > 1:
        raise ValueError(f'{source} has {len(cells)} cells tagged "parameters"; keep one.')
    return _declared(cells[0], str(source)) if cells else {}


def check_parameters(
    given: Mapping[str, object], declared: Mapping[str, Parameter]
) -> dict[str, object]:
    """Return `given` with every text turned into what it means for its declared type.

    Args:
        given: Values by name; texts as typed at a command line: "[1,2]", "false", "1e-3".
        declared: From `read_parameters`.

    Raises:
        UsageError: If a name is unknown, or a value has another type or is not allowed.
    """
    _refuse_unknown(given, declared)
    return {name: _checked(declared[name], value, from_text=True) for name, value in given.items()}


def check_together(values: Mapping[str, Any], check: Check | None) -> None:
    """Let `check` judge values that are each allowed.

    Raises:
        UsageError: If they do not go together, or what they name is not there.
    """
    try:
        if check:
            check(values)
    except (ValueError, FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(str(error)) from error


def validate(namespace: MutableMapping[str, Any], check: Check | None = None) -> None:
    """Check the parameters from inside a running notebook: `validate(globals())`.

    Belongs in the first cell after the parameters, since plain papermill checks nothing. The
    declarations come from the kernel's history, so that it works from any folder. What papermill
    passed is written back as what it means: its -p leaves "false" and "[1, 2]" texts.

    Args:
        namespace: The `globals()` of the notebook, or of its source run as a script. A value
            that papermill passed is replaced in it by the value of the declared type.
        check: Judges values that are each allowed, by name, and raises where they do not go
            together.

    Raises:
        UsageError: If papermill passed an unknown name, a value has another type or is not
            allowed, or they do not go together.
        ValueError: If no parameters cell has run.
    """
    declared, injected = _history(namespace)
    _refuse_unknown(injected, declared)
    for name, parameter in declared.items():
        try:
            found = _checked(parameter, namespace[name], from_text=name in injected)
        except UsageError as error:
            lost_text = parameter.annotation.startswith("str") and name in injected
            if not lost_text or isinstance(namespace[name], str):
                raise
            raise UsageError(f"{error} To pass a number as a text: papermill -r {name}.") from error
        if name in injected:
            namespace[name] = found
    check_together({name: namespace[name] for name in declared}, check)


def _declared(code: str, where: str) -> dict[str, Parameter]:
    """Return what the parameters cell with the text `code`, called `where`, declares."""
    try:
        body = ast.parse(code).body
    except SyntaxError as error:
        raise ValueError(f"{where}: the parameters cell is no Python: {error}.") from error
    comments = _comments(code)
    declared = {}
    for statement in body:
        if not _is_declaration(statement):
            raise ValueError(
                f"{where}: found {ast.unparse(statement)!r} in the parameters cell; expected only "
                "lines like `seed: int = 0`, with a type and a plain value."
            )
        parameter = _parameter(statement, comments.get(statement.end_lineno or 0, ""))
        try:
            default = _checked(parameter, parameter.default, from_text=False)
        except ValueError as error:
            raise ValueError(f"{where}: bad default in the parameters cell: {error}") from error
        declared[parameter.name] = parameter._replace(default=default)
    return declared


def _checked(parameter: Parameter, value: object, *, from_text: bool) -> object:
    try:
        found = read_value(parameter.annotation, value, from_text=from_text)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"Parameter {parameter.name!r} is {value!r} ({type(value).__name__}), "
            f"declared as {parameter}: {error}."
        ) from error
    items = found if isinstance(found, list) else [found]
    if not all(_allowed(parameter, item) for item in items if item is not None):
        raise UsageError(
            f"Parameter {parameter.name!r} is {value!r}, which is not allowed: {parameter}."
        )
    return found


def _allowed(parameter: Parameter, item: Any) -> bool:
    numeric = isinstance(item, int | float)
    if parameter.bounds and numeric and not parameter.bounds[0] <= item <= parameter.bounds[1]:
        return False
    return not parameter.choices or str(item) in parameter.choices


def _refuse_unknown(given: Mapping[str, object], declared: Mapping[str, Parameter]) -> None:
    unknown = [name for name in given if name not in declared]
    if not unknown:
        return
    near = difflib.get_close_matches(unknown[0], declared, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    allowed = "; ".join(map(str, declared.values())) or "no parameters"
    raise UsageError(
        f"Unknown parameter {', '.join(map(repr, unknown))}.{hint} The notebook takes {allowed}."
    )


def _history(
    namespace: Mapping[str, Any],
) -> tuple[dict[str, Parameter], dict[str, object]]:
    """Return what the notebook declares, and the names that papermill then assigned."""
    if "__file__" in namespace:
        return read_parameters(Path(str(namespace["__file__"]))), {}
    cells = list(namespace.get("In", []))
    places = [place for place, code in enumerate(cells) if _declares(code)]
    if not places:
        raise ValueError(
            "No parameters cell has run in this notebook; expected one with lines like "
            "`seed: int = 0` before this cell. Run the notebook from its top."
        )
    injected = [code for code in cells[places[-1] + 1 :] if code.startswith(INJECTED)]
    lines = ast.parse(injected[-1]).body if injected else []
    names = [ast.unparse(target) for line in lines for target in line.targets]
    return _declared(cells[places[-1]], "This notebook"), dict.fromkeys(names)


def _declares(code: str) -> bool:
    try:
        body = ast.parse(code).body
    except SyntaxError:
        return False
    return bool(body) and all(map(_is_declaration, body))


def _is_declaration(statement: ast.stmt) -> TypeGuard[ast.AnnAssign]:
    if not (isinstance(statement, ast.AnnAssign) and statement.value):
        return False
    try:
        ast.literal_eval(statement.value)
    except ValueError:
        return False
    return isinstance(statement.target, ast.Name)


def _parameter(statement: ast.AnnAssign, comment: str) -> Parameter:
    choices = _CHOICES.search(comment)
    bounds = _BOUNDS.search(comment)
    return Parameter(
        name=ast.unparse(statement.target),
        annotation=ast.unparse(statement.annotation),
        default=ast.literal_eval(statement.value or ast.Constant(None)),
        choices=tuple(choices[1].split(", ")) if choices else (),
        bounds=(float(bounds[1]), float(bounds[2])) if bounds else None,
    )


def _comments(code: str) -> dict[int, str]:
    """Return the comment that ends each line, by line number from 1."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
