"""The slice viewer in a real browser, from file://, against the arrays of the run that it shows."""

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import test_browser
from PIL import Image
from selenium import webdriver
from selenium.webdriver import Keys
from selenium.webdriver.support.ui import WebDriverWait

from paperlib.evaluation import evidence, examples
from paperlib.evaluation.figures import sheets, slices, style
from paperlib.evaluation.slices import slice_facts, slice_scores
from paperlib.pipeline.pages import slice_view, viewer

pytestmark = test_browser.pytestmark  # long, and only with a browser
ROOT = Path(__file__).resolve().parents[1]
PAIR, METHOD = "VAE-MSE-f0-s0", "VAE-MSE-s0"
CONFIGURATION = """\
extensions = ["myst_parser", "paperlib.publish.book.sphinxext"]
myst_enable_extensions = ["colon_fence"]
html_theme = "sphinx_book_theme"
html_static_path = ["book/static"]
html_context = {"default_mode": "auto"}
exclude_patterns = ["_build"]
"""


class Shown(NamedTuple):
    """The built page and what it must show."""

    page: Path
    volumes: dict[int, slice_view.VolumeView]
    found: evidence.Evidence
    first: int
    second: int


@pytest.fixture(scope="module")
def shown(module_run, tmp_path_factory):
    """Return a book of one page; of each patient the last slice is as if nobody had examined it."""
    folder = tmp_path_factory.mktemp("viewer") / "a book"
    shutil.copytree(
        ROOT / "book" / "static", folder / "book" / "static",
        ignore=shutil.ignore_patterns("viewer"),
    )  # fmt: skip
    (folder / "book" / "executed").mkdir()
    text = (ROOT / "book" / "viewer.md").read_text()
    (folder / "book" / "viewer.md").write_text(text)
    for name in re.findall(r"\]\((executed/\w+)\)", text):
        (folder / "book" / f"{name}.md").write_text("---\norphan: true\n---\n# Elsewhere\n")
    (folder / "conf.py").write_text(CONFIGURATION)
    (folder / "index.md").write_text("# A book\n\n```{toctree}\nbook/viewer\n```\n")
    load = slice_view.load_volume

    def load_volume(*choice):
        volume = load(*choice)
        for array in (volume.examined, volume.segmentation, *volume.residuals.values()):
            array[-1] = 0
        return volume

    found = evidence.load_evidence(module_run.stage("evidence"), command="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slice_view, "load_volume", load_volume)
        viewer.write_viewer(module_run, found, folder)
    cases = list(examples.choose_viewed(slice_facts.slice_counts(found, METHOD)))
    volumes = {case: load_volume(module_run, PAIR, case) for case in cases}
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", folder, folder / "out"]
    subprocess.run(command, check=True)
    return Shown(folder / "out" / "book" / "viewer.html", volumes, found, *cases[:2])


def start(**preferences):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in test_browser.FLAGS:
        options.add_argument(flag)
    options.add_argument("--window-size=1400,1500")
    options.add_experimental_option("prefs", preferences)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


@pytest.fixture(scope="module")
def driver():
    browser = start()
    yield browser
    browser.quit()


class Page:
    """The open viewer."""

    def __init__(self, driver, page):
        self.driver = driver
        driver.get_log("browser")
        driver.get(page.as_uri())
        self.wait()

    def wait(self):
        ready = "return !document.querySelector('.slice-viewer').hasAttribute('aria-busy')"
        WebDriverWait(self.driver, 20).until(lambda driver: driver.execute_script(ready))

    def find(self, selector):
        return self.driver.find_element("css selector", f".slice-viewer {selector}")

    def choose(self, selector, value):
        self.find(f"{selector} option[value='{value}']").click()
        self.wait()

    def slide(self, selector, value):
        """Move a slider as the hand does: set it, and tell."""
        script = """
            arguments[0].value = arguments[1];
            arguments[0].dispatchEvent(new Event('input', {bubbles: true}));
        """
        self.driver.execute_script(script, self.find(selector), value)

    def only(self, *layers):
        """Switch these layers on and all others off, by clicks."""
        for box in self.driver.find_elements("css selector", ".viewer-layer input[type=checkbox]"):
            if box.is_selected() != (box.get_attribute("name") in layers):
                box.click()

    def canvas(self):
        """Return what is drawn as red, green and blue."""
        script = "return document.querySelector('.viewer-canvas').toDataURL('image/png')"
        data = self.driver.execute_script(script).partition(",")[2]
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            return np.asarray(picture.convert("RGB"))

    def pixels(self):
        """Return the middle of each pixel of the slice."""
        return self.canvas()[1::4, 1::4].astype(int)

    @property
    def z(self):
        return int(self.find("#viewer-z").get_attribute("value"))

    @property
    def said(self):
        return self.find(".viewer-said").text

    def row(self, region):
        cells = self.driver.find_elements("css selector", f"[data-region={region}] td")
        return [cell.text for cell in cells]


@pytest.fixture
def page(driver, shown):
    return Page(driver, shown.page)


def colours(layer, place):
    return layer.palette[layer.numbers[place]][..., :3].astype(int)


def grey(volume, sequence, place):
    window = {"flair": slices.FLAIR_WINDOW, "t1ce": slices.T1CE_WINDOW}[sequence]
    return colours(sheets.image_layer(volume.images[sequence], volume.brain, window), place)


def residual(volume, sequence, place):
    brain = volume.brain & volume.examined[:, None, None]
    return colours(sheets.residual_layer(volume.residuals[sequence], brain), place)


def test_it_opens_from_disk_without_an_error_or_a_request(page, driver):
    assert [line for line in driver.get_log("browser") if line["level"] == "SEVERE"] == []
    messages = [json.loads(line["message"])["message"] for line in driver.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if "/_static/viewer/case-" in url]
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert not driver.find_element("css selector", ".viewer-still").is_displayed()


def test_it_opens_where_the_tumour_is_largest_and_the_arrow_keys_move_on(page, shown):
    volume = shown.volumes[shown.first]
    largest = ((volume.labels > 0) & volume.brain).sum(axis=(1, 2))[:-1].argmax()
    assert page.z == volume.z[largest]
    page.only("flair")
    np.testing.assert_array_equal(page.pixels(), grey(volume, "flair", largest))
    slider = page.find("#viewer-z")
    slider.send_keys(Keys.ARROW_RIGHT)
    slider.send_keys(Keys.ARROW_RIGHT)
    assert page.z == volume.z[largest] + 2
    np.testing.assert_array_equal(page.pixels(), grey(volume, "flair", largest + 2))
    page.find("[data-step='-1']").click()
    assert page.z == volume.z[largest] + 1
    np.testing.assert_array_equal(page.pixels(), grey(volume, "flair", largest + 1))
    assert page.find(".viewer-where").text == f"{volume.z[largest] + 1}, examined"


def test_every_layer_shows_its_array(page, shown):
    volume = shown.volumes[shown.first]
    for place in (0, 11, 20):  # in all three rows of the sheet
        page.slide("#viewer-z", int(volume.z[place]))
        for sequence in ("flair", "t1ce"):
            page.only(sequence)
            np.testing.assert_array_equal(page.pixels(), grey(volume, sequence, place))
            page.only(f"residual_{sequence}")
            np.testing.assert_array_equal(page.pixels(), residual(volume, sequence, place))
        page.only("prediction")
        page.slide("[data-opacity=prediction]", 100)
        expected = colours(sheets.label_layer(volume.segmentation), place)
        np.testing.assert_array_equal(page.pixels(), expected)


def test_the_truth_is_an_outline_in_the_colours_of_the_tissues(page, shown):
    volume = shown.volumes[shown.first]
    place = page.z - int(volume.z[0])
    page.only("truth")
    codes = volume.labels[place]
    expected = colours(sheets.label_layer(volume.labels), place)
    drawn = page.canvas().astype(int)
    left = (codes > 0) & (codes != np.pad(codes, ((0, 0), (1, 0)))[:, :-1])
    upper = (codes > 0) & (codes != np.pad(codes, ((1, 0), (0, 0)))[:-1])
    np.testing.assert_array_equal(drawn[2::4, ::4][left], expected[left])
    np.testing.assert_array_equal(drawn[::4, 2::4][upper], expected[upper])
    inner = np.ones_like(codes, bool)
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        inner &= codes == np.roll(codes, step, axis)
    inner[[0, -1]] = inner[:, [0, -1]] = False
    assert inner[codes > 0].any()
    assert not drawn[2::4, 2::4][inner].any()
    assert not drawn[1::4, 1::4][codes == 0].any()
    names = {
        f"#{bytes(rgb.tolist()).hex()}".upper() for rgb in np.unique(drawn[2::4, ::4][left], axis=0)
    }
    assert names <= set(style.TISSUE_COLOURS.values())


def test_opacity_mixes_a_layer_with_those_below(page, shown):
    volume = shown.volumes[shown.first]
    place = page.z - int(volume.z[0])
    page.only("flair", "residual_flair")
    inside = volume.brain[place]
    below, above = grey(volume, "flair", place), residual(volume, "flair", place)
    for percent in (0, 25, 80, 100):
        page.slide("[data-opacity=residual_flair]", percent)
        mixed = below + (above - below) * percent / 100
        np.testing.assert_allclose(page.pixels()[inside], mixed[inside], atol=2)


def test_another_patient_is_shown_at_the_same_height(page, shown):
    from_, to = shown.volumes[shown.first], shown.volumes[shown.second]
    page.only("flair")
    page.slide("#viewer-z", 95)
    page.choose("#viewer-case", f"case-{shown.second}.js")
    assert page.z == 95
    place = 95 - int(to.z[0])
    np.testing.assert_array_equal(page.pixels(), grey(to, "flair", place))
    page.choose("#viewer-case", f"case-{shown.first}.js")
    np.testing.assert_array_equal(page.pixels(), grey(from_, "flair", place))


def test_score_gate_and_dice_are_those_of_the_evidence(page, shown):
    test = slice_scores.load_test_slices(shown.found, METHOD)
    counts = slice_facts.slice_counts(shown.found, METHOD).set_index(["case", "z"])
    answers = set()
    for score, rule in (
        ("mean_residual", "max_healthy"),
        ("latent_distance", "2sd_literal"),
        ("t1ce_mean_residual", "height"),
    ):
        flags = slice_scores.flag_slices(shown.found, METHOD, score=score, rule=rule)
        page.choose("#viewer-score", score)
        page.choose("#viewer-rule", rule)
        for z in (90, 100, 110):
            page.slide("#viewer-z", z)
            (row,) = np.flatnonzero((test["case"] == shown.first) & (test["z"] == z))
            words = "lets the slice through" if flags[row] else "calls the slice healthy"
            value = f"{slice_scores.GATED_SCORES[score]} {test[score][row]:.3f}, threshold "
            assert page.said.lower().startswith(value.lower())
            assert words in page.said
            part = counts.loc[(shown.first, z)]
            truth, predicted = int(part["WT_truth"]), int(part["WT_predicted"])
            cells = page.row("WT")
            assert cells[:2] == [str(truth), str(predicted)]
            if truth + predicted:
                assert cells[2] == f"{part['dice']:.2f}"
            after = cells[2] if flags[row] else "0.00" if truth else "–"
            assert cells[3] == after
            answers.add(bool(flags[row]))
    assert answers == {True, False}


def test_a_slice_that_nobody_examined_says_so_and_has_no_prediction(page, shown):
    volume = shown.volumes[shown.first]
    page.slide("#viewer-z", int(volume.z[-1]))
    pixels = int(volume.brain[-1].sum())
    assert f"was not examined: only {pixels} pixels of brain" in page.said
    assert "not mean that there is no tumour" in page.said
    assert page.row("WT") == ["", "", "", ""]
    page.only("prediction", "residual_flair", "residual_t1ce")
    assert not page.pixels().any()
    page.only("flair")
    np.testing.assert_array_equal(page.pixels(), grey(volume, "flair", -1))


def test_the_strip_marks_tumour_the_gate_and_what_was_not_examined(page, shown):
    script = """
        const strip = document.querySelector('.viewer-strip');
        const bytes = strip.getContext('2d').getImageData(0, 0, strip.width, 2).data;
        return [strip.width, ...bytes];
    """
    width, *values = page.driver.execute_script(script)
    strip = np.array(values).reshape(2, width, 4)
    volume = shown.volumes[shown.first]
    assert width == len(volume.z)
    own = slice_facts.slice_counts(shown.found, METHOD)
    own = own[own["case"] == shown.first]
    assert ((strip[0, :-1, 3] > 0) == (own["WT_truth"] > 0).to_numpy()[: width - 1]).all()
    flags = slice_scores.flag_slices(shown.found, METHOD, score="mean_residual", rule="max_healthy")
    test = slice_scores.load_test_slices(shown.found, METHOD)
    passed = flags[test["case"] == shown.first][: width - 1]
    assert ((strip[1, :-1, 3] > 0) == passed).all()
    assert strip[0, -1].tolist() == strip[1, -1].tolist() == [128, 128, 128, 255]


def test_the_letters_stand_where_the_patient_lies_and_pixels_are_square(page):
    places = {
        span.text: span.rect
        for span in page.driver.find_elements("css selector", ".viewer-frame span")
    }
    assert set(places) == set("APRL")
    assert places["R"]["x"] < places["A"]["x"] < places["L"]["x"]
    assert places["A"]["y"] < places["R"]["y"] < places["P"]["y"]
    frame = page.find(".viewer-canvas").rect
    assert frame["width"] == pytest.approx(frame["height"], abs=1)


def test_every_control_has_a_name_and_the_keyboard_reaches_it(page):
    controls = page.driver.find_elements("css selector", ".slice-viewer :is(select, input, button)")
    assert len(controls) == 3 + 1 + 2 + 12
    assert all(control.accessible_name for control in controls)
    page.driver.execute_script("arguments[0].focus()", controls[0])
    for control in controls[1:]:
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        assert page.driver.switch_to.active_element == control
    assert page.driver.execute_script(
        "return getComputedStyle(document.activeElement).outlineStyle"
    ) in {"solid", "auto"}


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_wider_than_the_screen(page, width):
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        script = "return document.documentElement.scrollWidth"
        assert page.driver.execute_script(script) <= width
        assert page.find(".viewer-canvas").rect["width"] >= 250
        right = page.find("[data-opacity=truth]").rect
        assert right["x"] + right["width"] <= width
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_missing_patient_is_named_and_the_others_stay(driver, shown, tmp_path):
    copy = shutil.copytree(shown.page.parents[1], tmp_path / "copy")
    (copy / "_static" / "viewer" / f"case-{shown.second}.js").unlink()
    page = Page(driver, copy / "book" / "viewer.html")
    page.choose("#viewer-case", f"case-{shown.second}.js")
    assert page.said.startswith(f"case-{shown.second}.js is missing: copy the whole folder")
    page.choose("#viewer-case", f"case-{shown.first}.js")
    assert "threshold" in page.said


def test_without_javascript_there_is_a_sentence_and_a_picture(shown):
    driver = start(**{"profile.managed_default_content_settings.javascript": 2})
    try:
        driver.get(shown.page.as_uri())
        assert not driver.find_element("css selector", ".slice-viewer").is_displayed()
        picture = driver.find_element("css selector", ".viewer-still img")
        assert picture.is_displayed()
        assert "FLAIR, T1CE, their residuals" in picture.get_attribute("alt")
        text = driver.find_element("css selector", "article").text
        assert "The viewer needs JavaScript, which is switched off" in text
    finally:
        driver.quit()


def test_the_script_is_short_and_asks_for_nothing(shown):
    script = (ROOT / "book" / "static" / "viewer.js").read_text()
    assert len(script.splitlines()) <= 200
    assert "fetch(" not in script
    assert "XMLHttpRequest" not in script
    texts = [path.read_text() for path in (shown.page.parents[1] / "_static" / "viewer").iterdir()]
    assert all(json.loads(text[text.index("{") : text.rindex("}") + 1]) for text in texts)
