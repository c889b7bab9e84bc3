"""The folder of a model beyond the paper: what a stranger's copy is asked for."""

import pytest

from paperlib import artifacts
from paperlib.pipeline.new_patients import beyond_model_folder, model_folder


def test_a_copy_of_the_folder_is_enough(make_beyond_model, tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path / "nowhere")
    model = beyond_model_folder.read_model(make_beyond_model("elsewhere"))
    assert model.name == "beyond-f0"
    assert model.simulated
    assert (model.prepare.z_low, model.prepare.z_high) == (84, 96)
    assert model.settings.averaged == (0, 1)
    assert model.limits == {"clean-up": 1.0, "synthetic": 0.8, "t1ce": 1.5}
    assert [file.name for file in model.weights] == [
        "weights-s0.safetensors",
        "weights-s1.safetensors",
    ]
    assert all(file.parent.name == "elsewhere" for file in model.weights)


def test_no_column_of_the_statistics_is_a_patient(beyond_model):
    training = artifacts.read_json(beyond_model / "model.json")["training_patients"]
    assert {len(values) for values in training.values()} == {6}
    assert all(values == sorted(values) for values in training.values())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": 2}, "has format 2, this version of paperlib reads 1; make .* beyond FOLD"),
        ({"beyond": {"sigma": 3}}, "does not know: sigma; use the version that wrote it"),
        ({"prepare": {"z_lowest": 3}}, "does not know: z_lowest; use the version that wrote it"),
    ],
)
def test_a_model_of_another_version_is_refused(make_beyond_model, changed, message):
    with pytest.raises(ValueError, match=message):
        beyond_model_folder.read_model(make_beyond_model(**changed))


def test_weights_of_another_training_are_refused(make_beyond_model):
    model = make_beyond_model()
    (model / "weights-s0.safetensors").write_bytes((model / "weights-s1.safetensors").read_bytes())
    with pytest.raises(ValueError, match=r"weights-s0.safetensors is not the file that .*model.js"):
        beyond_model_folder.read_model(model)


def test_weights_that_were_not_copied_are_missed(make_beyond_model):
    model = make_beyond_model()
    (model / "weights-s1.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no weights-s1.safetensors; copy it too, or"):
        beyond_model_folder.read_model(model)


def test_each_kind_of_folder_names_the_other(make_model, make_beyond_model, tmp_path):
    pair, model = make_model("VAE-MSE-f0-s0"), make_beyond_model("beyond-f0")
    with pytest.raises(FileNotFoundError, match="which only --method paper reads"):
        beyond_model_folder.read_model(pair)
    with pytest.raises(FileNotFoundError, match="a model of the methods clean-up and synthetic"):
        model_folder.read_pair(model)
    with pytest.raises(FileNotFoundError, match=r"no model.json; name one .* in it: beyond-f0"):
        beyond_model_folder.read_model(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"No folder at .*; expected the folder of a model"):
        beyond_model_folder.read_model(tmp_path / "none")


def test_a_folder_of_something_else_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no model.json; make .*paperlib stage beyond"):
        beyond_model_folder.read_model(tmp_path)
