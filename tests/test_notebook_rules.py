"""What every notebook source has to satisfy, so that a reader finds the same five parts on each."""

import ast
import importlib.util
import re
from pathlib import Path

import jupytext
import pytest

from paperlib.publish import parameters

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks").glob("*.py"))
CODE_LINES, FUNCTION_LINES = 10, 5
RUN_PARAMETERS = {"profile": "smoke", "data": "", "folds": 1}
CHECK = "parameters.validate(globals(), runs.check_choices)"
FILES_AND_PATHS = {"os", "pathlib", "shutil", "glob", "sys"}
TRAINING = re.compile(r"\.backward\(|zero_grad|optimi[sz]er|\.step\(|training\.fit")
INCLUDE = re.compile(r"\{literalinclude\} (\S+)\n:(pyobject|start-at): \"?([^\"\n]+)")
PROSE_NUMBER = re.compile(r"(?<![\w.])\d*\.\d+")
NO_PROSE = (
    re.compile(r"```.*?```", re.S),
    re.compile(r"\$\$.*?\$\$|\$[^$]*\$", re.S),
    re.compile(r"\{\w+\}`[^`]*`|`[^`]*`"),
    re.compile(r"\]\([^)]*\)"),
    re.compile(r"[Ss]ections? [\d.]+( and [\d.]+)?"),
)

pytestmark = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)


def cells(source, kind):
    return [
        cell for cell in jupytext.read(source, fmt="py:percent").cells if cell.cell_type == kind
    ]


def text_of(cell):
    return cell.source.strip()


def syntax(source):
    return [ast.parse(cell.source) for cell in cells(source, "code")]


def nodes(source, kind):
    return [node for tree in syntax(source) for node in ast.walk(tree) if isinstance(node, kind)]


def test_a_code_cell_has_at_most_ten_lines(source):
    long = [text_of(cell) for cell in cells(source, "code")]
    assert [text for text in long if len(text.splitlines()) > CODE_LINES] == []


def test_there_is_no_class_and_no_long_function(source):
    functions = nodes(source, ast.FunctionDef)
    long = [f.name for f in functions if f.end_lineno - f.lineno + 1 > FUNCTION_LINES]
    assert nodes(source, ast.ClassDef) == []
    assert long == []


def test_the_first_code_cell_declares_the_parameters_of_every_run(source):
    first = cells(source, "code")[0]
    assert "parameters" in first.metadata.get("tags", [])
    declared = parameters.read_parameters(source)
    assert {name: declared[name].default for name in RUN_PARAMETERS} == RUN_PARAMETERS
    assert list(declared)[:3] == list(RUN_PARAMETERS)


def test_parameters_are_checked_before_they_are_used(source):
    code = [text_of(cell) for cell in cells(source, "code")[1:]]
    checked = next(n for n, text in enumerate(code) if CHECK in text)
    before = "\n".join(code[: checked + 1]).split(CHECK, maxsplit=1)[0]
    assert all(isinstance(line, ast.Import | ast.ImportFrom) for line in ast.parse(before).body)


def test_files_and_paths_are_left_to_the_package(source):
    imports = nodes(source, ast.Import)
    roots = {name.name.split(".", maxsplit=1)[0] for line in imports for name in line.names}
    roots |= {line.module.split(".", maxsplit=1)[0] for line in nodes(source, ast.ImportFrom)}
    joined = [
        ast.unparse(node)
        for node in nodes(source, ast.BinOp)
        if isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant | ast.JoinedStr)
        and not isinstance(getattr(node.right, "value", ""), int | float)
    ]  # fmt: skip
    assert roots & FILES_AND_PATHS == set()
    assert joined == []
    assert "open" not in {ast.unparse(call.func) for call in nodes(source, ast.Call)}


def test_nothing_is_trained(source):
    assert TRAINING.findall("\n".join(text_of(cell) for cell in cells(source, "code"))) == []


def test_calls_keep_the_name_of_their_module(source):
    single = [
        f"{line.module}.{name.name}"
        for line in nodes(source, ast.ImportFrom)
        if line.module.startswith("paperlib")
        for name in line.names
        if importlib.util.find_spec(f"{line.module}.{name.name}") is None
    ]
    assert single == []


def test_source_shown_on_the_page_is_in_the_named_file(source):
    markdown = "\n".join(text_of(cell) for cell in cells(source, "markdown"))
    included = INCLUDE.findall(markdown)
    assert len(included) == markdown.count("{literalinclude}") > 0
    for place, how, name in included:
        assert place.startswith("../../paperlib/")
        code = (ROOT / place.removeprefix("../../")).read_text("utf-8")
        names = {getattr(node, "name", "") for node in ast.walk(ast.parse(code))}
        assert name in (names if how == "pyobject" else code)


def test_a_figure_has_caption_name_and_alternative_text(source):
    for cell in cells(source, "code"):
        shown = cell.metadata.get("mystnb", {})
        if "figure" in shown:
            assert shown["figure"]["caption"].endswith(".")
            assert shown["figure"]["name"].startswith("fig-")
            assert len(shown["image"]["alt"]) > 20


def test_names_of_figures_and_exercises_occur_once_in_the_book(source):
    def names(one):
        text = one.read_text("utf-8")
        return re.findall(r'"name": "(fig-[^"]+)"|:label: (\S+)', text)

    others = [name for one in SOURCES if one != source for name in names(one)]
    own = names(source)
    assert len(own) == len(set(own))
    assert set(own) & set(others) == set()


def test_the_page_ends_with_an_exercise_and_a_folded_solution(source):
    markdown = "\n".join(text_of(cell) for cell in cells(source, "markdown"))
    labels = re.findall(r"\{exercise-start\}[^\n]*\n:label: (\S+)", markdown)
    solutions = re.findall(r"\{solution-start\} (\S+)\n:class: dropdown", markdown)
    assert labels
    assert solutions == labels
    assert markdown.count("{exercise-end}") == markdown.count("{solution-end}") == len(labels)


def test_prose_types_no_measured_number(source):
    for cell in cells(source, "markdown"):
        text = cell.source
        for pattern in NO_PROSE:
            text = pattern.sub(" ", text)
        typed = [number for number in PROSE_NUMBER.findall(text) if number not in {"0.5"}]
        assert typed == [], text


def test_the_source_is_what_jupytext_would_write(source):
    text = source.read_text("utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert set(notebook.metadata) <= {"kernelspec", "jupytext"}
    assert all(set(cell.metadata) <= {"tags", "mystnb"} for cell in notebook.cells)


def test_no_page_names_a_place_on_somebodys_machine(source):
    text = source.read_text("utf-8")
    assert re.findall(r"(?<![\w.])/(?:work|home|tmp|Users)/", text) == []
