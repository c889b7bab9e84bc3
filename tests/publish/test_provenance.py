import json
import subprocess

import numpy
import pytest

from paperlib.publish.provenance import collect, commit, one_line, versions


@pytest.fixture
def checkout(tmp_path):
    """Return a folder with one committed file, and its seven-digit commit."""

    def git(*arguments):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("x = 1\n")
    git("add", "code")
    git("commit", "--quiet", "--message", "one")
    return tmp_path, git("rev-parse", "HEAD")[:7]


def test_the_caption_names_cohort_profile_seed_and_commit():
    found = {"cohort": "phantom", "profile": "smoke", "seeds": [0], "commit": "abc1234"}
    assert one_line(found) == "phantom, profile smoke, seed 0, commit abc1234"
    assert one_line(found | {"seeds": [0, 1]}) == (
        "phantom, profile smoke, seeds 0 1, commit abc1234"
    )


def test_the_caption_falls_back_on_the_version_without_a_commit():
    found = {"cohort": "phantom", "profile": "smoke", "seeds": [], "commit": None}
    found["versions"] = {"paperlib": "0.1.0"}
    assert one_line(found) == "phantom, profile smoke, version 0.1.0"


def test_the_provenance_survives_json_and_names_no_place():
    found = collect("phantom", "smoke", [0])
    assert json.loads(json.dumps(found)) == found
    assert "/" not in json.dumps(found)


def test_the_versions_are_those_of_the_imported_packages():
    assert versions()["numpy"] == numpy.__version__


def test_the_commit_is_short_and_says_whether_files_were_changed(checkout):
    folder, digits = checkout
    assert commit(folder / "code") == digits
    (folder / "code" / "a.py").write_text("x = 2\n")
    assert commit(folder / "code") == f"{digits}-dirty"


def test_a_folder_that_git_does_not_track_has_no_commit(checkout, tmp_path_factory):
    folder, _ = checkout
    (folder / "site-packages").mkdir()
    (folder / "site-packages" / "b.py").write_text("")
    assert commit(folder / "site-packages") is None
    assert commit(tmp_path_factory.mktemp("elsewhere")) is None


def test_without_git_there_is_no_commit(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commit(checkout[0]) is None
