"""The slice viewer's files of a finished run, against its arrays and its evidence."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from paperlib import artifacts
from paperlib.config import PrepareSettings
from paperlib.data import layouts, phantom
from paperlib.evaluation import evidence
from paperlib.evaluation.figures import slices
from paperlib.evaluation.slices import slice_scores
from paperlib.pipeline.method import patients
from paperlib.pipeline.pages import slice_view, viewer
from paperlib.publish.book import slice_viewer, viewer_page

PAIR, METHOD = "VAE-MSE-f0-s0", "VAE-MSE-s0"


@pytest.fixture
def book(tmp_path):
    (tmp_path / "book" / "executed").mkdir(parents=True)
    return tmp_path


def load(run):
    return evidence.load_evidence(run.stage("evidence"), command="")


def written(book):
    index = json.loads((book / slice_viewer.INDEX).read_text())
    scripts = sorted(path.name for path in (book / slice_viewer.CASES).iterdir())
    return index, scripts


def test_a_volume_is_what_its_slices_are(mini_run):
    case = patients.load_fold(mini_run, 0).test[0]
    volume = slice_view.load_volume(mini_run, PAIR, case)
    assert volume.z.tolist() == list(range(88, 118))
    assert volume.examined.any()
    for place in np.flatnonzero(volume.examined)[[0, 3, -1]]:
        one = slice_view.load_slice(mini_run, PAIR, case, int(volume.z[place]))
        for name in ("brain", "labels", "segmentation"):
            np.testing.assert_array_equal(getattr(volume, name)[place], getattr(one, name))
        for sequence in ("flair", "t1ce"):
            np.testing.assert_array_equal(volume.images[sequence][place], one.images[sequence])
            np.testing.assert_array_equal(
                volume.residuals[sequence][place], one.residuals[sequence]
            )


def test_a_slice_that_nobody_examined_has_no_residual_and_no_prediction(own_run):
    table = patients.load_slices(own_run)
    case = patients.load_fold(own_run, 0).test[0]
    own = np.flatnonzero(table["case"] == case)
    folder = own_run.stage(f"segments/{PAIR}")
    place, segmentation = (np.load(folder / f"{n}.npy") for n in ("place", "segmentation"))
    kept = place != own[4]  # as if this slice had had too little brain
    table.loc[own[4], "usable"] = False
    table.to_csv(own_run.stage("prepare") / "slices.new", index=False)
    (own_run.stage("prepare") / "slices.new").replace(own_run.stage("prepare") / "slices.csv")
    for name, array in (("place", place[kept]), ("segmentation", segmentation[kept])):
        (folder / f"{name}.npy").unlink()
        np.save(folder / f"{name}.npy", array)

    volume = slice_view.load_volume(own_run, PAIR, case)
    assert not volume.examined[4]
    assert not volume.segmentation[4].any()
    assert not volume.residuals["flair"][4].any()
    assert volume.images["flair"][4].any()
    order = list(place[kept])
    for at in np.flatnonzero(volume.examined):
        expected = segmentation[kept][order.index(own[at])]
        np.testing.assert_array_equal(volume.segmentation[at], expected)


def test_a_training_patient_has_no_volume_to_show(mini_run):
    case = patients.load_fold(mini_run, 0).training[0]
    with pytest.raises(ValueError, match=rf"has not segmented patient {case}; choose a patient"):
        slice_view.load_volume(mini_run, PAIR, case)


def test_the_viewer_shows_the_arrays_of_the_run(mini_run):
    case = patients.load_fold(mini_run, 0).test[0]
    volume = slice_view.load_volume(mini_run, PAIR, case)
    shown = viewer.view_case(volume, case, "why", {})
    assert list(shown.layers) == list(viewer.PANELS)
    assert set(shown.layers) == set(viewer_page.LAYERS)
    np.testing.assert_array_equal(shown.layers["truth"].numbers, volume.labels)
    np.testing.assert_array_equal(shown.layers["prediction"].numbers, volume.segmentation)
    windows = {"flair": slices.FLAIR_WINDOW, "t1ce": slices.T1CE_WINDOW}
    windows |= dict.fromkeys(("residual_flair", "residual_t1ce"), (-3.0, 3.0))
    stacks = {**volume.images}
    stacks |= {f"residual_{name}": stack for name, stack in volume.residuals.items()}
    for name, (low, high) in windows.items():
        numbers = shown.layers[name].numbers
        assert (numbers == 0)[~volume.brain].all()
        inside = numbers > 0
        back = low + (high - low) * (numbers[inside] - 1.0) / 254
        wanted = np.clip(stacks[name][inside], low, high)
        np.testing.assert_allclose(back, wanted, atol=(high - low) / 508 + 1e-6)
    tumour = ((volume.labels > 0) & volume.brain).sum(axis=(1, 2))
    assert tumour[shown.z == shown.first] == tumour.max()


def test_scores_and_gates_on_the_page_are_those_of_the_evidence(mini_run, book):
    found = load(mini_run)
    viewer.write_viewer(mini_run, found, book)
    index, scripts = written(book)
    assert sorted(case["file"] for case in index["cases"]) == scripts
    assert index["note"] == "VAE-MSE-s0, phantom, profile mini, seed 0, commit abc1234"
    assert index["examined"] == [88, 117]
    test = slice_scores.load_test_slices(found, METHOD).set_index(["case", "z"])
    for name in scripts:
        text = (book / slice_viewer.CASES / name).read_text()
        content = json.loads(text[text.index("{") : text.rindex("}") + 1])
        number = int(name.removeprefix("case-").removesuffix(".js"))
        examined = [line for line in content["slices"] if line["examined"]]
        assert [line["z"] for line in examined] == test.loc[number].index.tolist()
        for line in examined:
            row = test.loc[(number, line["z"])]
            assert line["brain"] == row["brain_px"]
            assert line["scores"]["mean_residual"] == row["mean_residual"]
            assert line["regions"]["WT"]["truth"] == row["WT_truth"]
        for score in slice_scores.GATED_SCORES:
            flags = slice_scores.flag_slices(found, METHOD, score=score, rule="height")
            own = flags[test.index.get_level_values("case") == number]
            assert [line["gates"][score]["height"][1] for line in examined] == own.tolist()
    with Image.open(book / slice_viewer.PICTURE) as picture:
        assert picture.width > 1000


def test_written_twice_the_files_are_the_same(mini_run, book):
    found = load(mini_run)

    def everything():
        viewer.write_viewer(mini_run, found, book)
        return {path.name: path.read_bytes() for path in book.rglob("*") if path.is_file()}

    assert everything() == everything()


def test_a_book_about_real_patients_holds_no_patient_not_even_an_earlier_simulated_one(
    mini_run, book, tmp_path_factory
):
    found = load(mini_run)
    viewer.write_viewer(mini_run, found, book)
    assert written(book)[1]
    real = dataclasses.replace(mini_run, data=tmp_path_factory.mktemp("BraTS"))
    viewer.write_viewer(real, found, book)
    assert json.loads((book / slice_viewer.INDEX).read_text())["cases"] == []
    files = [path.relative_to(book).as_posix() for path in book.rglob("*") if path.is_file()]
    assert files == [slice_viewer.INDEX]


@pytest.mark.long
def test_a_patient_of_the_full_phantom_takes_at_most_three_megabytes(tmp_path, book):
    """The phantom's own resolution; a smoothed image stands for what a network would leave."""
    settings, folder = PrepareSettings(), tmp_path / "stacks"
    phantom.write_phantom(tmp_path / "patients", 0, seed=0, step_mm=1, tumour_free_share=0.0)
    folder.mkdir()
    shape = (settings.z_high - settings.z_low, settings.size, settings.size)
    kinds = {"flair": "float32", "t1ce": "float32", "labels": "uint8", "brain": "bool"}
    for name, kind in kinds.items():
        artifacts.create_array(folder, name, shape, kind, axes="slice height width")
    (case,) = layouts.find_cases(tmp_path / "patients")
    _, table = patients.prepare_case(case, 0, folder, settings)
    stacks = {name: np.asarray(artifacts.load_array(folder, name)) for name in kinds}
    images = {name: stacks[name] for name in ("flair", "t1ce")}
    residuals = {
        name: np.where(stacks["brain"], gaussian_filter(image, (0, 2, 2)) - image, 0)
        for name, image in images.items()
    }
    z, seen = table["z"].to_numpy(), table["usable"].to_numpy(bool)
    labels = stacks["labels"]
    volume = slice_view.VolumeView(z, seen, images, residuals, stacks["brain"], labels, labels)
    facts = {int(at): {} for at in z}
    path = slice_viewer.write_case(book, viewer.view_case(volume, 0, "why", facts))
    assert 500_000 < path.stat().st_size <= 3_000_000
