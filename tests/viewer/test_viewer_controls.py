"""What the slice viewer says beside its picture, and that everybody can use it."""

import json
import shutil

import numpy as np
import pytest
import test_browser
from selenium.webdriver import Keys
from viewer_page import METHOD, ROOT, Page, start

from paperlib.evaluation.slices import slice_facts, slice_scores

pytestmark = test_browser.pytestmark  # long, and only with a browser


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
