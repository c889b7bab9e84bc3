"""A manifest means complete; a key means that nothing which decides the result has changed."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from paperlib import artifacts

SOURCE = '''\
"""What it is for."""


def double(value):
    """Return twice the value."""
    return 2 * value  # a comment
'''


@pytest.fixture
def code_hash(tmp_path, monkeypatch):
    """Return the hash of a text as a module."""
    monkeypatch.syspath_prepend(tmp_path)

    def hashed(text):
        (tmp_path / "measured_module.py").write_text(text)
        return artifacts.code_hash("measured_module")

    return hashed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # a comment", ""),
        ("  # a comment", "  # quite another one"),
        ("What it is for.", "Something else."),
        ("Return twice the value.", 'Return 2 x.\n\n    Raises:\n        Nothing: "Never".\n    '),
        ("2 * value", "(2 *\n        value)"),
        ("\n\n\ndef", "\n\n\n\n\ndef"),
    ],
)
def test_comments_docstrings_and_layout_do_not_change_the_hash_of_code(code_hash, old, new):
    assert old in SOURCE
    assert code_hash(SOURCE.replace(old, new)) == code_hash(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2 * value", "3 * value"),
        ("2 * value", "value * 2"),
        ("2 * value", "2.0 * value"),
        ("(value):", "(value=1):"),
        ("return", "yield"),
        ("\n\n\ndef", "\n\nLIMIT = 3\n\n\ndef"),
    ],
)
def test_code_changes_the_hash_of_code(code_hash, old, new):
    assert old in SOURCE
    assert code_hash(SOURCE.replace(old, new)) != code_hash(SOURCE)


def test_a_text_that_is_no_docstring_is_code(code_hash):
    assert code_hash("x = 'a'\n") != code_hash("x = 'b'\n")


def test_the_code_of_a_module_that_is_not_there_is_refused():
    with pytest.raises(ModuleNotFoundError, match=r"paperlib\.nowhere"):
        artifacts.code_hash("paperlib.nowhere")


def test_a_key_depends_on_settings_upstream_and_code_and_not_on_their_order():
    def key(settings=None, upstream=None, code="c1"):
        settings, upstream = settings or {"a": 1, "b": (2, 3)}, upstream or {"x": "1"}
        return artifacts.stage_key(settings, upstream, {"paperlib.labels": code})

    assert key() == key(settings={"b": (2, 3), "a": 1})
    changed = [
        key(settings={"a": 1, "b": (2, 4)}),
        key(settings={"a": 1}),
        key(upstream={"x": "2"}),
        key(upstream={"y": "1"}),
        key(code="c2"),
    ]
    assert len({key(), *changed}) == 6


def _write(folder, key="k", *, content=2.0, keep=(), note="n"):
    with artifacts.writing(folder, key=key, record={"note": note}, keep=keep):
        array = np.full((2, 3), content, np.float32)
        artifacts.save_array(folder, "values", array, axes="slice latent")
    return artifacts.read_manifest(folder)


def test_an_array_comes_back_read_only_with_its_axes_in_the_manifest(tmp_path):
    manifest = _write(tmp_path / "stage")
    found = artifacts.load_array(tmp_path / "stage", "values")
    np.testing.assert_array_equal(found, np.full((2, 3), 2, np.float32))
    assert isinstance(found, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1
    described = {"axes": ["slice", "latent"], "shape": [2, 3], "dtype": "float32"}
    assert manifest["arrays"] == {"values": described}
    assert (manifest["key"], manifest["note"]) == ("k", "n")


def test_an_array_takes_its_place_on_the_disk_before_it_is_written(tmp_path):
    artifacts.create_array(tmp_path, "values", (512, 512), "float32", axes="height width")
    taken = (tmp_path / "values.npy").stat()
    assert taken.st_blocks * 512 >= taken.st_size >= 512 * 512 * 4


def test_axes_must_name_every_dimension(tmp_path):
    with pytest.raises(ValueError, match=r"Array brain of shape \(2, 3\) needs 2 axis names"):
        artifacts.create_array(tmp_path, "brain", (2, 3), "bool", axes="slice height width")
    assert not list(tmp_path.iterdir())


def test_the_content_hash_depends_on_bytes_and_names_alone(tmp_path):
    first = _write(tmp_path / "a", key="k1", note="n1")
    assert first["content"] == _write(tmp_path / "b", key="k2", note="n2")["content"]
    assert first["content"] != _write(tmp_path / "a", content=3.0)["content"]
    with artifacts.writing(tmp_path / "c", key="k", record={}):
        array = np.full((2, 3), 2.0, np.float32)
        artifacts.save_array(tmp_path / "c", "other", array, axes="slice latent")
    assert artifacts.read_manifest(tmp_path / "c")["content"] != first["content"]


def test_how_long_a_training_took_is_no_content(tmp_path):
    contents = []
    for seconds, steps in ((1.5, 8), (2.5, 8), (2.5, 16)):
        networks = [{"slice_steps": steps, "seconds": seconds}]
        with artifacts.writing(tmp_path, key="k", record={}) as folder:
            artifacts.write_json(folder / artifacts.PROVENANCE, {"networks": networks})
        contents.append(artifacts.read_manifest(tmp_path)["content"])
    assert contents[0] == contents[1] != contents[2]


def test_a_file_that_may_stay_stays_and_does_not_count_as_content(tmp_path):
    plain = _write(tmp_path / "a")
    (tmp_path / "a" / "checkpoint.pt").write_text("half way")
    (tmp_path / "a" / "older.pt").write_text("of other settings")
    (tmp_path / "a" / "folder").mkdir()
    again = _write(tmp_path / "a", keep=("checkpoint.pt",))
    assert (tmp_path / "a" / "checkpoint.pt").read_text() == "half way"
    assert not (tmp_path / "a" / "older.pt").exists()
    assert not (tmp_path / "a" / "folder").exists()
    assert again["content"] == plain["content"]


def test_an_interrupted_stage_has_no_manifest_and_none_of_the_old_content(tmp_path):
    folder = tmp_path / "stage"
    _write(folder)
    artifacts.save_table(folder, "old", pd.DataFrame({"a": [1]}))

    def interrupted():
        with artifacts.writing(folder, key="k2", record={}):
            assert not (folder / artifacts.MANIFEST).exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(folder.iterdir()) == []
    assert artifacts.read_manifest(folder) is None


def test_a_missing_stage_is_named_below_the_root_with_the_command_that_makes_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"^runs/x/prepare is missing .*run `make book`"):
        artifacts.require(tmp_path / "runs" / "x" / "prepare", command="make book")
    _write(tmp_path / "stage")
    assert artifacts.require(tmp_path / "stage", command="make book")["key"] == "k"


def test_json_is_replaced_as_a_whole(tmp_path, monkeypatch):
    file = tmp_path / "a.json"
    artifacts.write_json(file, {"a": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        artifacts.write_json(file, {"a": {1, 2}})
    assert artifacts.read_json(file) == {"a": 1}
    seen = []

    def replace(source, target):
        seen.append((json.loads(file.read_text()), json.loads(source.read_text())))
        os.rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    artifacts.write_json(file, {"a": 2})
    assert seen == [({"a": 1}, {"a": 2})]
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_table_keeps_seven_digits(tmp_path):
    table = pd.DataFrame({"case": [1, 2], "value": [1 / 3, np.nan], "name": ["x", "ü"]})
    artifacts.save_table(tmp_path, "t", table)
    found = artifacts.load_table(tmp_path, "t")
    pd.testing.assert_frame_equal(found, table, rtol=1e-7)
