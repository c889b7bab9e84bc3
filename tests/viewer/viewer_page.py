"""A book of one page, the slice viewer, and that page opened in a real browser from file://."""

import base64
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait
from test_browser import FLAGS

from paperlib.evaluation import evidence, examples
from paperlib.evaluation.slices import slice_facts
from paperlib.pipeline.pages import slice_view, viewer

ROOT = Path(__file__).resolve().parents[2]
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


def build_page(run, folder) -> Shown:
    """Build a book of one page; of each patient the last slice is as if nobody had examined it."""
    _write_sources(folder)
    found = evidence.load_evidence(run.stage("evidence"), command="")
    load = slice_view.load_volume

    def load_volume(*choice):
        volume = load(*choice)
        for array in (volume.examined, volume.segmentation, *volume.residuals.values()):
            array[-1] = 0
        return volume

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slice_view, "load_volume", load_volume)
        viewer.write_viewer(run, found, folder)
    cases = list(examples.choose_viewed(slice_facts.slice_counts(found, METHOD)))
    volumes = {case: load_volume(run, PAIR, case) for case in cases}
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", folder, folder / "out"]
    subprocess.run(command, check=True)
    return Shown(folder / "out" / "book" / "viewer.html", volumes, found, *cases[:2])


def _write_sources(folder):
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


def start(**preferences):
    """Return a browser with these preferences, for the caller to quit."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument("--window-size=1400,1500")
    options.add_experimental_option("prefs", preferences)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


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
