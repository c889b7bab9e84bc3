"""The scripts of the slice viewer, read back as a browser would read them."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from paperlib.evaluation.figures import sheets
from paperlib.publish.book import slice_viewer, viewer_page

CODES = np.array([0, 1, 2, 4], np.uint8)


def make_case(depth=12, size=128, number=3):
    rng = np.random.default_rng(0)
    labels = rng.choice(CODES, (depth, size, size))
    brain = rng.random((depth, size, size)) < 0.5
    residual = rng.normal(0, 1, (depth, size, size)).astype(np.float32)
    layers = {"truth": sheets.label_layer(labels)}
    layers["residual_flair"] = sheets.residual_layer(residual, brain)
    z = np.arange(60, 60 + depth)
    facts = {int(at): {"scores": {"mean_residual": 0.5}} for at in z[:-1]}
    seen = z < z[-1]
    return slice_viewer.Case(number, "why", z, seen, brain.sum(axis=(1, 2)), layers, facts, 61)


def read_script(path):
    """Return file name and content that a script hands to the page."""
    text = path.read_text("ascii")
    start = 'window.sliceViewer.add("'
    assert text.startswith(start)
    assert text.endswith(");\n")
    name, _, content = text.removeprefix(start).removesuffix(");\n").partition('",')
    return name, json.loads(content)


def read_picture(url):
    kind, _, data = url.partition(",")
    assert kind == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_slice_k_of_a_sheet_is_slice_k_of_the_array(tmp_path):
    case = make_case()
    name, content = read_script(slice_viewer.write_case(tmp_path, case))
    assert name == "case-3.js"
    assert (content["size"], content["columns"], content["first"]) == (128, 10, 61)
    for layer, expected in case.layers.items():
        picture = read_picture(content["layers"][layer])
        rgba = np.asarray(picture.convert("RGBA"))
        for k, numbers in enumerate(expected.numbers):
            top, left = 128 * (k // 10), 128 * (k % 10)
            tile = np.s_[top : top + 128, left : left + 128]
            np.testing.assert_array_equal(np.asarray(picture)[tile], numbers)
            shown, wanted = rgba[tile], expected.palette[numbers]
            np.testing.assert_array_equal(shown[..., 3], wanted[..., 3])
            np.testing.assert_array_equal(shown[numbers > 0], wanted[numbers > 0])


def test_facts_stand_beside_their_slice_and_an_unexamined_one_has_none(tmp_path):
    case = make_case()
    _, content = read_script(slice_viewer.write_case(tmp_path, case))
    assert [line["z"] for line in content["slices"]] == list(range(60, 72))
    assert content["slices"][0]["scores"] == {"mean_residual": 0.5}
    last = {"z": 71, "examined": False, "brain": int(case.brain_px[-1])}
    assert content["slices"][-1] == last


def test_the_same_patient_gives_the_same_bytes(tmp_path):
    first = slice_viewer.write_case(tmp_path / "a", make_case()).read_bytes()
    assert slice_viewer.write_case(tmp_path / "b", make_case()).read_bytes() == first


def test_a_patient_that_is_too_large_is_refused_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(slice_viewer, "MAX_BYTES", 10_000)
    with pytest.raises(ValueError, match=r"case-3.js .* would take \d+,\d+ bytes, at most 10,000"):
        slice_viewer.write_case(tmp_path, make_case())
    assert not (tmp_path / slice_viewer.CASES).exists()


def test_the_page_offers_every_patient_layer_and_gate_and_escapes_what_it_says(tmp_path):
    (tmp_path / "book" / "executed").mkdir(parents=True)
    case = make_case()._replace(title="a < b")
    slice_viewer.write_index(tmp_path, [case], note="a network", depth=155)
    index = json.loads((tmp_path / slice_viewer.INDEX).read_text())
    html = viewer_page.render_controls(index, "../_static/")
    assert '<option value="case-3.js">patient 3: a &lt; b</option>' in html
    for layer in viewer_page.LAYERS:
        assert f'name="{layer}"' in html
        assert f'data-opacity="{layer}"' in html
    assert "those below 60 and above\n71 were not prepared" in html
    assert '<script src="../_static/viewer.js">' in html
    assert "http" not in html


def test_clearing_leaves_nothing_of_an_earlier_book(tmp_path):
    (tmp_path / "book" / "executed").mkdir(parents=True)
    slice_viewer.write_case(tmp_path, make_case())
    slice_viewer.write_index(tmp_path, [make_case()], note="", depth=155)
    slice_viewer.clear(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    slice_viewer.clear(tmp_path)
