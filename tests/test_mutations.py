"""The suite notices when the method is broken on purpose: each mistake here fails a named test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PROJECT = Path(__file__).parents[1]


class Mutation(NamedTuple):
    """A mistake that somebody could make, and the tests that must notice it."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTATIONS = {
    "the sign of the residual in a score": Mutation(
        "paperlib/scores.py",
        "return -_brain_mean(residual, brain)",
        "return _brain_mean(residual, brain)",
        ("tests/test_scores.py",),
    ),
    "the sign of the residual in the pixel ranking": Mutation(
        "paperlib/evaluation/measures/convergence.py",
        "darkness = -residual[brain]",
        "darkness = residual[brain]",
        ("tests/evaluation/measures/test_convergence.py",),
    ),
    "what an empty slice is worth": Mutation(
        "paperlib/evaluation/measures/metrics.py",
        "np.maximum(sizes, 1), float(empty))",
        "np.maximum(sizes, 1), 1.0)",
        ("tests/evaluation/measures/test_metrics.py",),
    ),
    "what an empty slice is worth in Table 2": Mutation(
        "paperlib/evaluation/tables.py",
        "aggregation=aggregation, empty=0.0)",
        "aggregation=aggregation, empty=1.0)",
        ("tests/evaluation/test_table2.py",),
    ),
    "the code of the enhancing tumour": Mutation(
        "paperlib/labels.py",
        "ENHANCING = 4",
        "ENHANCING = 3",
        ("tests/postprocessing/test_regions.py",),
    ),
    "edema and core exchanged": Mutation(
        "paperlib/postprocessing/regions.py",
        "np.where(whole_tumour, EDEMA, 0)",
        "np.where(whole_tumour, CORE, 0)",
        ("tests/postprocessing/test_regions.py",),
    ),
    "sequences swapped in the segmentation": Mutation(
        "paperlib/pipeline/method/segments.py",
        "            clustered[FLAIR].mask,\n            clustered[T1CE].mask,\n",
        "            clustered[T1CE].mask,\n            clustered[FLAIR].mask,\n",
        (
            "tests/pipeline/method/test_evidence_rows.py"
            "::test_the_outline_is_taken_from_flair_and_the_enhancing_tumour_from_t1ce",
        ),
    ),
    "thresholds from test patients": Mutation(
        "paperlib/pipeline/comparisons/baselines.py",
        "[*chosen.training, *chosen.validation]",
        "[*chosen.training, *chosen.test]",
        (
            "tests/pipeline/method/test_folds.py"
            "::test_labels_of_test_patients_move_no_threshold_and_those_of_others_do",
        ),
    ),
    "a gate from test slices": Mutation(
        "paperlib/evaluation/tables.py",
        'free = healthy.loc[healthy["fold"] == fold, score].to_numpy(float)',
        'free = part.loc[part["WT_truth"] == 0, score].to_numpy(float)',
        ("tests/evaluation/test_table3.py",),
    ),
    "the standard deviation taken for its logarithm in training": Mutation(
        "paperlib/models/training.py",
        "encoding.log_sd.exp() * noise",
        "encoding.log_sd.exp().exp() * noise",
        ("tests/models/test_training_step.py",),
    ),
    "the standard deviation taken for its logarithm in the divergence": Mutation(
        "paperlib/models/losses.py",
        "(2 * log_sd).exp() - 2 * log_sd - 1",
        "(2 * log_sd.exp()).exp() - 2 * log_sd.exp() - 1",
        ("tests/models/test_losses.py",),
    ),
    "training on patients of the test set": Mutation(
        "paperlib/data/split.py",
        "able = [case for case in candidates if",
        "able = [case for case in range(len(healthy_slices)) if",
        ("tests/pipeline/method/test_folds.py::test_each_patient_is_tested_once_and_has_one_part_in_each_fold",),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a copy of the package and its tests."""
    folder = tmp_path_factory.mktemp("mutated") / "tree"
    folder.mkdir()
    for name in ("paperlib", "tests"):
        shutil.copytree(PROJECT / name, folder / name)
    shutil.copy(PROJECT / "pyproject.toml", folder)
    return folder


def _call(tree, *arguments):
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=environment | {"PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )


def _run(tree, tests):
    places = [f"--basetemp={tree.parent / 'temporary'}", "-p", "no:cacheprovider"]
    return _call(tree, "-m", "pytest", "-x", "-q", *places, *tests)


def test_the_copy_is_what_the_tests_below_import(tree):
    done = _call(tree, "-c", "import paperlib; print(paperlib.__file__)")
    assert Path(done.stdout.strip()) == tree / "paperlib" / "__init__.py"


def test_every_mistake_can_still_be_made():
    for name, mutation in MUTATIONS.items():
        source = (PROJECT / mutation.file).read_text(encoding="utf-8")
        assert source.count(mutation.old) == 1, f"{name}: {mutation.old!r} in {mutation.file}"


@pytest.mark.long
@pytest.mark.parametrize("tests", sorted({mutation.tests for mutation in MUTATIONS.values()}))
def test_the_named_tests_pass_on_the_unbroken_copy(tree, tests):
    done = _run(tree, tests)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("name", list(MUTATIONS))
def test_a_mistake_fails_the_tests_named_beside_it(tree, name):
    mutation = MUTATIONS[name]
    file = tree / mutation.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        done = _run(tree, mutation.tests)
    finally:
        file.write_text(whole, encoding="utf-8")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED" in done.stdout, done.stdout
    assert "ERROR" not in done.stdout, done.stdout
