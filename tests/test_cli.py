"""The command as a person calls it: what it prints, and how it ends."""

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from paperlib import artifacts, cli
from paperlib.pipeline import run
from paperlib.pipeline.method import patients
from paperlib.pipeline.stages import STAGES

SOURCES = Path(__file__).resolve().parents[1] / "notebooks"
PATIENTS = ("Phantom_0001", "Phantom_0003")


@pytest.fixture(autouse=True)
def quiet_logging(monkeypatch):
    """Put the logging back as it was: the command sets it up for itself."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    for variable in cli.THREAD_VARIABLES:
        monkeypatch.setenv(variable, "1")
    yield
    root.handlers, root.level = before, level


@pytest.fixture(scope="module")
def checked_once(mini_root, tmp_path_factory):
    """Return a folder of two sound patients, one HGG and one LGG."""
    folder = tmp_path_factory.mktemp("patients")
    (source,) = (mini_root / "data").iterdir()
    for found in (path for name in PATIENTS for path in source.glob(f"*/{name}")):
        home = folder / found.parent.name / found.name
        home.mkdir(parents=True)
        for word in ("flair", "t1ce", "seg"):
            os.link(found / f"{found.name}_{word}.nii.gz", home / f"{found.name}_{word}.nii.gz")
    return folder


@pytest.fixture
def brats(checked_once, tmp_path):
    """Return such a folder, free to be broken by removing or replacing files."""
    return shutil.copytree(checked_once, tmp_path / "brats", copy_function=os.link)


def _flair(folder):
    (file,) = folder.glob(f"*/*/{PATIENTS[0]}_flair.nii.gz")
    return file


def _break(file):
    """Replace a file by one that is cut off; the linked original stays whole."""
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[: len(content) // 2])


def test_a_sound_folder_ends_with_0_and_a_line_for_each_patient(brats, capsys):
    assert cli.main(["check", str(brats)]) == 0
    captured = capsys.readouterr()
    for name in PATIENTS:
        assert f"\n{name}" in f"\n{captured.out}"
    assert captured.out.splitlines()[-1] == "2 patients: 2 usable, 0 refused."
    assert captured.err == ""


@pytest.mark.parametrize("spelling", ["spaces", "accents", "relative", "slash", "dot", "link", "~"])
def test_a_folder_may_be_spelt_in_any_way(brats, tmp_path, monkeypatch, capsys, spelling):
    odd = {"spaces": "a b  c", "accents": "Hirntumor ä 脑"}.get(spelling, "brats")
    brats = brats.rename(tmp_path / odd)
    monkeypatch.chdir(brats if spelling == "dot" else tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "link").symlink_to(brats)
    typed = {"relative": "brats", "slash": f"{brats}/", "dot": ".", "link": "link", "~": "~/brats"}
    assert cli.main(["check", typed.get(spelling, str(brats))]) == 0
    assert "2 usable" in capsys.readouterr().out


def test_one_bad_file_ends_with_1_and_names_patient_and_file(brats, capsys):
    file = _flair(brats)
    _break(file)
    assert cli.main(["check", str(brats)]) == 1
    out = capsys.readouterr().out
    assert "2 patients: 1 usable, 1 refused." in out
    refusals = [line for line in out.splitlines() if line.startswith("refused")]
    assert len(refusals) == 1
    assert PATIENTS[0] in refusals[0]
    assert file.name in refusals[0]


@pytest.mark.parametrize("place", ["nowhere", "a file", "empty", "no patients"])
def test_no_folder_of_patients_ends_with_1_and_says_what_is_there(tmp_path, capsys, place):
    target = tmp_path / place
    if place == "a file":
        target.write_text("x")
    elif place != "nowhere":
        target.mkdir()
    if place == "no patients":
        (target / "notes.txt").write_text("x")
    assert cli.main(["check", str(target)]) == 1
    captured = capsys.readouterr()
    said = {"nowhere": "No folder at", "a file": "is a file"}.get(place, "No patient found in")
    assert said in captured.out + captured.err
    assert str(target) in captured.out + captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check"],
        ["check", "a", "b"],
        ["check", "a", "--jobs", "many"],
        ["stage"],
        ["stage", "cohort"],
        ["stage", "cohort", "--profile", "smoke", "--folds", "two"],
        ["train"],
        ["--version-please"],
    ],
)
def test_wrong_usage_ends_with_2_and_shows_how(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: paperlib" in capsys.readouterr().err


def test_json_of_a_folder_is_all_that_is_printed_and_has_a_fixed_shape(brats, capsys):
    file = _flair(brats)
    _break(file)
    assert cli.main(["check", str(brats), "--json"]) == 1
    captured = capsys.readouterr()
    report = json.loads(captured.out, parse_constant=pytest.fail)
    assert set(report) == {"patients", "usable", "refused"}
    assert (report["usable"], report["refused"]) == (1, 1)
    assert [patient["id"] for patient in report["patients"]] == list(PATIENTS)
    broken, sound = report["patients"]
    assert set(sound) == {
        "id",
        "layout",
        "grade",
        "shape",
        "ranges",
        "labels",
        "tumour_free_slices",
        "notes",
        "problems",
    }
    assert (sound["layout"], sound["grade"], sound["shape"]) == (
        "brats2018",
        "LGG",
        [240, 240, 155],
    )
    assert sound["problems"] == []
    assert sound["labels"] == [1, 2]
    assert 0 < sound["tumour_free_slices"] < 70
    assert set(sound["ranges"]) == {"flair", "t1ce"}
    (problem,) = broken["problems"]
    assert file.name in problem["file"]
    assert not problem["file"].startswith("/")
    assert all(isinstance(text, str) and text for text in problem.values())


def test_json_of_a_sound_folder_ends_with_0(brats, capsys):
    assert cli.main(["check", str(brats), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["usable"] == 2


def test_json_of_no_folder_is_json_too(tmp_path, capsys):
    assert cli.main(["check", str(tmp_path / "nowhere"), "--json"]) == 1
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert (report["patients"], report["usable"], report["refused"]) == ([], 0, 0)
    assert "No folder at" in report["error"]
    assert cli.main(["check", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"patients": [], "usable": 0, "refused": 0}


def _call(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "paperlib", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
        env=os.environ | environment,
    )


def test_an_unknown_stage_is_refused_with_those_there_are_and_no_traceback(tmp_path):
    done = _call("stage", "tarin", "--profile", "smoke", PAPERLIB_ROOT=str(tmp_path))
    assert done.returncode in (1, 2)
    assert "tarin" in done.stderr
    assert all(name in done.stderr for name in STAGES)
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prepare", "--profile", "tiny"], "Unknown profile 'tiny'"),
        (["prepare", "--profile", "smoke", "--folds", "0"], "FOLDS=0"),
        (["prepare", "--profile", "phantom", "--data", "."], "PROFILE=phantom"),
        (["prepare", "--profile", "smoke", "--data", "nowhere"], "DATA=nowhere: no such folder"),
        (["network", "x", "--profile", "smoke"], "no network 'x'"),
        (["segment", "--profile", "smoke"], "no pair ''"),
        (["baselines", "7", "--profile", "smoke"], "no fold '7'"),
        (["gather", "--profile", "smoke"], "run `make book PROFILE=smoke`"),
        (["segment", "VAE-MSE-f0-s0", "--profile", "smoke"], "run `make book PROFILE=smoke`"),
        (
            ["network", "VAE-MSE-f1-s0/t1ce", "--profile", "smoke", "--folds", "3"],
            "phantom-smoke-3folds/prepare is missing or incomplete; "
            "run `make book PROFILE=smoke FOLDS=3`",
        ),
        (["cohort", "--profile", "laptop", "--data", "."], "none is simulated"),
        (["notebook", "99_nothing", "--profile", "smoke"], "99_nothing"),
    ],
)
def test_a_stage_that_can_not_run_ends_with_1_and_one_line(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path / "root")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["stage", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not list(tmp_path.rglob("*.npy"))


def test_a_stage_done_by_name_says_start_and_end(mini_run, monkeypatch, capsys):
    monkeypatch.setattr(cli.workflow, "_run", lambda _options: mini_run)
    assert cli.main(["stage", "gather", "--profile", "smoke"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "start  gather"
    assert lines[1] == "evidence: nothing changed"
    assert lines[2].startswith("done   gather in 0 s")


def test_a_reference_is_exported_by_name(mini_run, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(cli.workflow, "_run", lambda _options: mini_run)
    assert cli.main(["reference", str(tmp_path / "r"), "--profile", "smoke"]) == 0
    assert f"{len(list((tmp_path / 'r').iterdir()))} files in" in capsys.readouterr().out


def test_refused_patients_stop_a_run_unless_they_may_be_left_out(
    brats, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path / "root")
    _break(_flair(brats))
    call = ["stage", "check", "--profile", "laptop", "--data", str(brats)]
    assert cli.main(call) == 1
    captured = capsys.readouterr()
    assert "1 of the patients in DATA are refused" in captured.err
    assert "ALLOW_SKIPPED=1" in captured.err
    assert f"refused  {PATIENTS[0]}" in captured.out
    assert cli.main([*call, "--allow-skipped"]) == 0
    assert "check: nothing changed" in capsys.readouterr().out
    real = run.open_run("laptop", str(brats))
    assert [case.id for case in patients.usable_cases(real)] == [PATIENTS[1]]


def test_a_replaced_file_is_checked_again(brats, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path / "root")
    call = ["stage", "check", "--profile", "laptop", "--data", str(brats)]
    assert cli.main(call) == 0
    _break(_flair(brats))
    capsys.readouterr()
    assert cli.main(call) == 1
    place = _flair(brats).relative_to(brats)
    assert f"check: runs because settings changed: files.{place}\n" in capsys.readouterr().out


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path):
    """The decathlon gives an image and its labels the same name."""
    for folder, size in (("imagesTr", 3), ("labelsTr", 5)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "BRATS_001.nii.gz").write_bytes(bytes(size))
    case = patients.layouts.find_cases(tmp_path)
    found = patients._fingerprints(tmp_path, case)
    sizes = {name: size for name, (size, _) in found.items()}
    assert sizes == {"imagesTr/BRATS_001.nii.gz": 3, "labelsTr/BRATS_001.nii.gz": 5}


def test_check_does_not_wait_for_torch(brats):
    code = (
        "import sys; from paperlib import cli; code = cli.main(sys.argv[1:]); "
        "sys.exit(100 if 'torch' in sys.modules else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check", str(brats)], capture_output=True, check=False
    )
    assert done.returncode == 0


def test_prepared_slices_of_real_patients_have_no_counterfactual(brats, tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path / "root")
    real = run.open_run("laptop", str(brats))
    patients.check_patients(real)
    patients.prepare_slices(real)
    names = {file.stem for file in real.stage("prepare").glob("*.npy")}
    assert names == {"flair", "t1ce", "labels", "brain"}
    flair = artifacts.load_array(real.stage("prepare"), "flair")
    assert flair.shape == (2 * 70, 128, 128)
    assert np.abs(flair).max() > 1


@pytest.mark.parametrize("notebook", sorted(path.stem for path in SOURCES.glob("*.py")))
def test_a_notebook_without_its_run_starts_no_kernel(notebook, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    assert cli.main(["execute", str(SOURCES / f"{notebook}.py"), "-p", "folds", "2"]) == 2
    message = capsys.readouterr().err
    assert "evidence is missing or incomplete; run `make book PROFILE=smoke FOLDS=2`." in message
    assert list(tmp_path.iterdir()) == []
