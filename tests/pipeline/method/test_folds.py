"""Who is tested is tested once, is never trained on and sets no threshold."""

import dataclasses
import shutil

import numpy as np
import pandas as pd
import pytest

from paperlib import artifacts
from paperlib.config import MixtureSettings, SplitSettings
from paperlib.labels import FLAIR
from paperlib.pipeline.comparisons import baselines
from paperlib.pipeline.method import network_stages, networks, patients
from paperlib.pipeline.run import open_run

HEALTHY = [30, 18, 25, 10, 0, 0, 14, 22, 16, 3, 12, 19, 40, 11, 8, 20]
QUICK = MixtureSettings(readings=("weights",), reading="weights", max_iterations=1)


@pytest.fixture
def split_of(tmp_path, monkeypatch):
    """Split 16 patients of which only the case table exists; returns the folds."""
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)

    def make(folds, grades=("HGG", "HGG", "LGG", "HGG") * 4, data="", **settings):
        run = open_run("laptop", data, folds)
        profile = dataclasses.replace(run.profile, split=SplitSettings(**settings))
        run = dataclasses.replace(run, profile=profile)
        with artifacts.writing(run.stage("prepare"), key="k", record={}):
            cases = pd.DataFrame({"grade": grades, "healthy_slices": HEALTHY})
            artifacts.save_table(run.stage("prepare"), "cases", cases)
        patients.split_patients(run)
        return [patients.load_fold(run, fold) for fold in range(folds)]

    return make


@pytest.mark.parametrize("folds", [2, 3, 4])
def test_each_patient_is_tested_once_and_has_one_part_in_each_fold(split_of, folds):
    found = split_of(folds)
    assert sorted(case for fold in found for case in fold.test) == list(range(16))
    for fold in found:
        assert sorted([*fold.training, *fold.validation, *fold.test]) == list(range(16))
        assert sum(HEALTHY[case] for case in fold.validation) >= 30
        assert all(HEALTHY[case] >= 10 for case in fold.validation)
        assert sum(HEALTHY[case] for case in fold.test) > 0


def test_one_test_set_takes_the_counts_of_the_profile(split_of):
    (fold,) = split_of(1, test_hgg=3, test_lgg=2)
    grades = [("HGG", "HGG", "LGG", "HGG")[case % 4] for case in fold.test]
    assert (grades.count("HGG"), grades.count("LGG")) == (3, 2)
    assert sorted([*fold.training, *fold.validation, *fold.test]) == list(range(16))


def test_one_test_set_without_counts_takes_a_quarter_of_each_grade(split_of):
    (fold,) = split_of(1)
    grades = [("HGG", "HGG", "LGG", "HGG")[case % 4] for case in fold.test]
    assert (grades.count("HGG"), grades.count("LGG")) == (3, 1)


def test_real_patients_too_few_for_the_counts_fall_back_to_the_share(split_of, tmp_path):
    (tmp_path / "brats").mkdir()
    (fold,) = split_of(1, data=str(tmp_path / "brats"), test_hgg=3, test_lgg=2)
    assert len(fold.test) == 4  # 16 are under four times 5
    (fold,) = split_of(1, grades=("unknown",) * 16, data=str(tmp_path / "brats"))
    assert len(fold.test) == 4


def test_the_seed_of_the_split_decides_the_test_patients(split_of):
    tests = [split_of(2, seed=seed)[0].test for seed in (0, 0, 1)]
    assert tests[0] == tests[1] != tests[2]


def _corrupt_labels(run, cases, share):
    """Draw labels anew in a share of each slice of some cases, in stack and table alike."""
    folder = run.stage("prepare")
    labels = np.array(artifacts.load_array(folder, "labels"))
    table = artifacts.load_table(folder, "slices")
    brain = np.asarray(artifacts.load_array(folder, "brain"))
    chosen = table["case"].isin(cases).to_numpy()
    rng = np.random.default_rng(1)
    drawn = np.where(rng.random(labels.shape) < share, rng.choice([1, 2, 4], labels.shape), 0)
    labels[chosen] = (drawn * brain)[chosen].astype(np.uint8)
    for code in (1, 2, 4):
        table[f"label{code}_px"] = (labels == code).sum(axis=(1, 2))
    table["tumour_px"] = (labels > 0).sum(axis=(1, 2))
    table["healthy"] = table["tumour_px"] == 0
    for name in ("labels.npy", "slices.csv"):
        (folder / name).unlink()  # a linked file: never write in place
    artifacts.save_array(folder, "labels", labels, axes="slice height width")
    artifacts.save_table(folder, "slices", table)


def _quick(run):
    return dataclasses.replace(run, profile=dataclasses.replace(run.profile, mixture=QUICK))


def _thresholds(run):
    shutil.rmtree(run.folder / "baselines", ignore_errors=True)
    assert baselines.segment_baselines(run, 0)
    return artifacts.read_manifest(run.folder / "baselines" / "f0")["thresholds"]


def test_labels_of_test_patients_move_no_threshold_and_those_of_others_do(own_run):
    before = artifacts.read_manifest(own_run.folder / "baselines" / "f0")["thresholds"]
    run = _quick(own_run)
    fold = patients.load_fold(run, 0)
    assert set(before) == {
        f"{kind}_{sequence}" for kind in ("z", "rank", "smooth") for sequence in ("flair", "t1ce")
    }
    _corrupt_labels(run, fold.test, 0.3)
    assert _thresholds(run) == before
    _corrupt_labels(run, fold.validation[:1], 0.3)  # no healthy slice is left of this one
    after = _thresholds(run)
    assert all(after[name] != before[name] for name in before)


def test_a_threshold_is_the_healthy_quantile_of_the_patients_that_are_not_tested(mini_run):
    found = artifacts.read_manifest(mini_run.folder / "baselines" / "f0")["thresholds"]
    slices = patients.load_slices(mini_run)
    fold = patients.load_fold(mini_run, 0)
    folder = mini_run.stage("prepare")
    kept = (slices["healthy"] & slices["usable"] & ~slices["case"].isin(fold.test)).to_numpy()
    brain = artifacts.load_array(folder, "brain")[kept]
    for sequence in ("flair", "t1ce"):
        values = artifacts.load_array(folder, sequence)[kept][brain]
        expected = np.quantile(values.astype(float), 0.95)
        assert found[f"z_{sequence}"] == pytest.approx(expected, abs=1e-5)


def test_scores_that_set_a_gate_come_from_healthy_slices_of_validation_patients(mini_run):
    fold = patients.load_fold(mini_run, 0)
    slices = patients.load_slices(mini_run)
    usable = slices[slices["usable"]]
    rows = pd.read_csv(mini_run.stage("evidence") / "scores-VAE-MSE-s0.csv")
    expected = {
        "validation": usable[usable["healthy"] & usable["case"].isin(fold.validation)],
        "test": usable[usable["case"].isin(fold.test)],
    }
    assert set(rows["role"]) == set(expected)
    for role, wanted in expected.items():
        found = rows[rows["role"] == role]
        assert sorted(zip(found["case"], found["z"], strict=True)) == sorted(
            zip(wanted["case"], wanted["z"], strict=True)
        )


def test_a_network_is_shown_healthy_slices_of_its_training_patients_only(own_run, monkeypatch):
    """Trains on slices whose number is their content, and looks at what arrives."""
    fold = patients.load_fold(own_run, 0)
    slices = patients.load_slices(own_run)
    seen = {}

    def fit(data, settings, **_named):
        seen["training"], seen["validation"] = data.training, data.validation
        seen["images"], seen["patients"] = data.images, data.training_patients
        raise _SeenError

    monkeypatch.setattr(networks.training, "fit", fit)
    network = dataclasses.replace(own_run.networks()[0], learning_rate=1e-4)
    with pytest.raises(_SeenError):
        network_stages.train_network(own_run, network)
    for part, cases in (("training", fold.training), ("validation", fold.validation)):
        rows = slices.iloc[seen[part]]
        assert set(rows["case"]) <= set(cases)
        assert rows["healthy"].all()
        assert rows["usable"].all()
        expected = slices["case"].isin(cases) & slices["healthy"] & slices["usable"]
        assert len(rows) == expected.sum()
    assert seen["patients"] == len(fold.training)
    flair = artifacts.load_array(own_run.stage("prepare"), FLAIR)
    np.testing.assert_array_equal(seen["images"][::50], flair[::50])


class _SeenError(Exception):
    pass
