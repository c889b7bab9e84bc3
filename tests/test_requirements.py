"""pyproject.toml, requirements.lock and environment.yml agree with each other and with the code."""

import ast
import functools
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = {name: list(map(Requirement, found))
          for name, found in PROJECT["optional-dependencies"].items()}  # fmt: skip
DECLARED = [*map(Requirement, PROJECT["dependencies"]), *EXTRAS["book"], *EXTRAS["dev"]]
LOCK = [Requirement(line) for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()
        if line.strip() and not line.startswith("#")]  # fmt: skip
LOCKED = {canonicalize_name(one.name): one for one in LOCK}
BUILDING = {"pip", "setuptools", "wheel"}
FOLDERS = {"paperlib": None, "notebooks": "book", "workflow": "book", "benchmarks": "dev",
           "tests": "dev"}  # fmt: skip
OWN = {"paperlib", "benchmarks", *(file.stem for file in (ROOT / "tests").rglob("*.py"))}
# Declared and never imported: the file that uses it, and how.
STARTED = {
    "beartype": ("pyproject.toml", "beartype.beartype"),
    "django-static-mathjax": ("paperlib/publish/book/sphinxext.py", "django-static-mathjax"),
    "import-linter": ("Makefile", "importlinter.cli"),
    "jupyter-book": ("paperlib/publish/commands.py", "jupyter_book.cli"),
    "jupyterlab": ("Makefile", "notebooks to play with"),
    "mypy": ("Makefile", "$(RUN) mypy"),
    "papermill": ("paperlib/publish/execute.py", '"-m", "papermill"'),
    "pytest-xdist": ("Makefile", "pytest -n"),
    "ruff": ("Makefile", "$(RUN) ruff"),
    "snakemake-executor-plugin-slurm": ("workflow/profiles/slurm/config.yaml", "executor: slurm"),
    "sphinx-book-theme": ("_config.yml", "sphinx_book_theme"),
    "sphinx-design": ("_config.yml", "sphinx_design"),
    "sphinx-exercise": ("_config.yml", "sphinx_exercise"),
}


def _imported(file):
    """Return the first words of what a file imports; a Snakefile is read line by line."""
    text = file.read_text("utf-8")
    if file.suffix != ".py":
        found = re.findall(r"^(?:from|import) ([\w.]+)", text, re.MULTILINE)
    else:
        nodes = list(ast.walk(ast.parse(text)))
        found = [alias.name for node in nodes if isinstance(node, ast.Import)
                 for alias in node.names]  # fmt: skip
        found += [node.module for node in nodes
                  if isinstance(node, ast.ImportFrom) and not node.level]  # fmt: skip
    return {name.partition(".")[0] for name in found}


def _foreign(folder):
    """Return the distributions that a folder imports."""
    files = [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).glob("Snakefile")]
    words = set().union(*map(_imported, files)) - set(sys.stdlib_module_names) - OWN
    known = _distributions()
    return {canonicalize_name(known[word][0]) if word in known else word for word in words}


_distributions = functools.cache(metadata.packages_distributions)  # reads every package


def _names(requirements):
    return {canonicalize_name(one.name) for one in requirements}


@pytest.mark.parametrize("one", DECLARED, ids=str)
def test_the_lock_has_each_dependency_in_the_range_that_is_declared(one):
    locked = LOCKED[canonicalize_name(one.name)]
    (pin,) = locked.specifier
    assert pin.operator == "=="
    assert one.specifier.contains(pin.version)


def test_every_line_of_the_lock_is_one_exact_version_and_no_package_stands_twice():
    assert [line for line in LOCK if [pin.operator for pin in line.specifier] != ["=="]] == []
    assert len(LOCKED) == len(LOCK)
    assert [line for line in LOCK if line.url] == []


def test_the_lock_holds_what_the_dependencies_need_in_their_turn_and_nothing_else():
    """Follows the metadata of the installed packages from those declared."""
    waiting, found = [(one, "") for one in DECLARED], set()
    while waiting:
        one, extra = waiting.pop()
        name = canonicalize_name(one.name)
        if one.marker and not one.marker.evaluate({"extra": extra}):
            continue
        assert name in LOCKED, f"{one} is needed and not in the lock"
        (pin,) = LOCKED[name].specifier
        assert one.specifier.contains(pin.version, prereleases=True), f"{one}, locked {pin}"
        needs = list(map(Requirement, metadata.requires(name) or []))
        for wanted in ("", *one.extras):
            if (name, wanted) not in found:
                found.add((name, wanted))
                waiting += [(need, wanted) for need in needs]
    assert set(LOCKED) - {name for name, _ in found} - BUILDING == set()


def test_conda_users_get_the_same_lock_and_a_python_that_is_allowed():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    *plain, by_pip = environment["dependencies"]
    assert by_pip == {"pip": ["-r requirements.lock", "-e ."]}
    asked = {one.name: one.specifier for one in map(Requirement, plain)}
    assert set(asked) == {"python", "pip"}
    (oldest,) = [one.version for one in asked["python"] if one.operator == ">="]
    assert SpecifierSet(PROJECT["requires-python"]).contains(oldest)
    too_new = [name for name in LOCKED if not SpecifierSet(_python_of(name)).contains(oldest)]
    assert too_new == []


def _python_of(distribution):
    return metadata.metadata(distribution).get("Requires-Python", "")


@pytest.mark.parametrize(("folder", "extra"), FOLDERS.items())
def test_everything_imported_is_declared_where_it_is_used(folder, extra):
    """The package has its plain dependencies and, for pages, the extra `book`."""
    allowed = _names(map(Requirement, PROJECT["dependencies"])) | _names(EXTRAS["book"])
    if extra == "dev":
        allowed |= _names(EXTRAS["dev"])
    assert _foreign(folder) - allowed == set()


def test_nothing_is_declared_that_nothing_uses():
    imported = set().union(*map(_foreign, FOLDERS))
    assert _names(DECLARED) - imported == set(STARTED)
    for name, (file, use) in STARTED.items():
        assert use in (ROOT / file).read_text("utf-8"), name


def test_make_installs_the_lock_and_the_package_without_asking_for_more():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "pip install --quiet --no-compile -r requirements.lock\n" in makefile
    assert "pip install --quiet --no-deps --no-build-isolation -e .\n" in makefile
    tools = set(re.findall(r"\$\(RUN\) (\w+)", makefile)) - OWN - {"pip"}
    assert tools <= _names(DECLARED)
