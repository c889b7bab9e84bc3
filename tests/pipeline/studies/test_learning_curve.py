"""Fewer patients and fewer steps on the small run: who is learnt from, who is tested."""

import dataclasses

import pytest

from paperlib import artifacts
from paperlib.config import BeyondSettings
from paperlib.pipeline.comparisons import beyond, beyond_export
from paperlib.pipeline.method import patients
from paperlib.pipeline.run import Run
from paperlib.pipeline.stages import STAGES, Request
from paperlib.pipeline.studies import learning_curve
from paperlib.pipeline.studies.learning_curve import Point

STEPS = 32


@pytest.fixture
def run(own_run, monkeypatch) -> Run:
    monkeypatch.setattr(learning_curve, "PATIENTS", (9,))
    monkeypatch.setattr(learning_curve, "PARTS", (2,))
    settings = BeyondSettings(seeds=(0,), averaged=(0,), slice_steps=STEPS)
    profile = dataclasses.replace(own_run.profile, beyond=settings)
    return dataclasses.replace(own_run, profile=profile)


def test_each_point_learns_from_fewer_and_is_tested_on_the_same_patients(run):
    whole, slices = patients.load_fold(run, 0), patients.load_slices(run)
    able = {case for case in whole.training if len(patients.healthy_of(slices, [case]))}
    wanted = [Point(len(able), STEPS // 2), Point(len(able), STEPS)]
    assert 0 < len(able) < 9
    assert learning_curve.points(run, 0) == wanted
    STAGES["curve"](run, Request("0"))
    rows = artifacts.load_table(run.folder / "curve" / "f0", "volumes")
    assert {tuple(row) for row in rows[["patients", "slice_steps"]].to_numpy()} == set(wanted)
    groups = rows.groupby(["patients", "slice_steps", "method"])["case"].agg(sorted)
    assert len(groups) == 2 * len(wanted)
    assert all(cases == sorted(whole.test) for cases in groups)
    folder = run.folder / "curve" / f"f0-{len(able)}-{STEPS // 2}"
    shorter = artifacts.read_manifest(folder / "beyond-networks" / "f0-s0")
    assert shorter["training_slices"] == len(patients.healthy_of(slices, whole.training))
    assert shorter["settings"]["slice_steps"] == STEPS // 2
    # The whole point is that of the run itself.
    assert artifacts.read_manifest(beyond.network_folder(run, 0, 0))
    before = {file: file.stat().st_mtime_ns for file in run.folder.rglob(artifacts.MANIFEST)}
    assert not learning_curve.measure_fold(run, 0)  # nothing changed
    assert before == {f: f.stat().st_mtime_ns for f in run.folder.rglob(artifacts.MANIFEST)}
    target = beyond_export.destination(run) / "curve"
    assert len(artifacts.load_table(target, "volumes")) == len(rows)
    origin = artifacts.read_json(target / artifacts.PROVENANCE)
    assert (origin["finished_folds"], origin["commit"]) == ([0], "abc1234")


def test_fewer_patients_are_among_more_and_the_test_patients_stay(run, monkeypatch):
    whole = patients.load_fold(run, 0)
    monkeypatch.setattr(learning_curve, "_able", lambda *_: whole.training)
    known, splits = len(whole.training), []
    for number in range(1, known + 1):
        own = learning_curve._study(run, 0, Point(number, STEPS))
        splits.append(patients.load_fold(own, 0))
        assert own.stage("prepare") == run.stage("prepare")
    assert [len(one.training) for one in splits] == [1, 2, known]
    assert set(splits[0].training) < set(splits[1].training) < set(splits[2].training)
    assert splits[-1] == whole
    assert {(*one.test, *one.validation) for one in splits} == {(*whole.test, *whole.validation)}


def test_an_unknown_fold_is_refused(mini_run):
    with pytest.raises(ValueError, match="This run has no fold '7'; it has 0"):
        STAGES["curve"](mini_run, Request("7"))
