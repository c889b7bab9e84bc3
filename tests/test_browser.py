"""The built book in a real browser, from file://, without a network."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
PAGES = (
    "book/index.html",
    "book/executed/01_data.html",
    "book/executed/02_architectures.html",
    "book/executed/03_training.html",
    "book/executed/04_anomaly_scores.html",
    "book/executed/05_postprocessing.html",
    "book/executed/06_results.html",
    "book/viewer.html",
    "book/executed/11_claims.html",
    "book/executed/12_deviations.html",
    "book/references.html",
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="no chromium and chromedriver: the pages are not opened in a browser",
    ),
]


@pytest.fixture(scope="module")
def browser():
    from selenium import webdriver  # noqa: PLC0415 - only where there is a browser

    if not HTML.exists():
        make = ["make", "book", "PROFILE=smoke", f"PYTHON={sys.executable}"]
        subprocess.run(make, cwd=ROOT, check=True)
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_without_errors_or_requests_and_describes_its_pictures(browser, page):
    browser.get((HTML / page).as_uri())
    severe = [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    assert severe == []
    loaded = browser.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert [url for url in loaded if not url.startswith(("file:", "data:", "blob:"))] == []
    assert len(browser.find_elements("css selector", "article h1")) == 1
    pictures = browser.find_elements("css selector", "article img")
    assert all((picture.get_attribute("alt") or "").strip() for picture in pictures)
    assert all(picture.get_property("naturalWidth") > 0 for picture in pictures)


def test_formulas_are_drawn_and_pictures_shown(browser):
    browser.get((HTML / "book/executed/05_postprocessing.html").as_uri())
    assert browser.find_elements("css selector", "mjx-container svg")
    assert len(browser.find_elements("css selector", "article img")) >= 2
