"""Every page of the built book in a real browser, from file://, without a network.

Each page is opened once, at desktop and phone width, light, dark and as it is printed; the tests
ask what was seen there. So a page that somebody adds is tested without a word here.
"""

import shutil
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from axe_core_python.base import AXE_SCRIPT
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE_S = 300  # axe-core takes a minute for a long page on a busy machine
DESKTOP, PHONE, PAPER = (1400, 1000), (390, 844), (717, 1046)  # pixels; A4 within its margins
GENERATED = {"search.html", "genindex.html"}  # by Sphinx, without text of ours
# What is not ours, and the sources of two hundred modules: one of them stands for all.
ALIKE, ONE_SOURCE = {"_static", "_modules"}, "_modules/paperlib/scores.html"
# autodoc writes the reference of our code: axe-core looks at one of its long pages.
REFERENCE, ONE_REFERENCE = "book/code/", "book/code/scores.html"
# axe-core's rules without those that tools of the book break: the theme's logo stands in no
# landmark, sphinx-exercise gives all exercises one id, autodoc's lists hold more than terms,
# docutils gives a bibliography roles of its own, and what scrolls is focused by browsers.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "rules": {
        rule: {"enabled": False}
        for rule in (
            "region",
            "duplicate-id",
            "definition-list",
            "aria-allowed-role",
            "aria-roles",
            "aria-required-children",
            "scrollable-region-focusable",
        )
    },
    "iframes": False,
}
CONTRAST = {"runOnly": ["color-contrast"], "iframes": False}
DARK = """
document.head.append(Object.assign(
  document.createElement('style'), {textContent: '* { transition: none !important; }'}));
document.documentElement.dataset.theme = 'dark';
"""  # at once: colours half way would be looked at otherwise
READY = """
const done = arguments[arguments.length - 1];
(window.MathJax && MathJax.startup ? MathJax.startup.promise : Promise.resolve()).then(done);
"""
LOOK = """
const shown = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
  .filter(one => one.closest('article') && one.offsetParent);
return {
  requests: performance.getEntriesByType('resource').map(one => one.name)
    .filter(name => !/^(file|data|blob):/.test(name)),
  headings: shown.map(one => Number(one.tagName[1])),
  pictures: [...document.images]
    .filter(one => !one.naturalWidth || !one.alt.trim() || /^[0-9a-f]{32}/.test(one.alt))
    .map(one => one.outerHTML.slice(0, 200)),
  formulas: [...document.querySelectorAll('.math')]
    .filter(one => !one.querySelector('mjx-container svg') || one.querySelector('mjx-merror'))
    .map(one => one.textContent.slice(0, 80)),
  jumps: [...document.querySelectorAll('[tabindex]')].filter(one => one.tabIndex > 0).length,
};
"""
TOO_WIDE = """
const width = document.documentElement.clientWidth;
return [...document.querySelectorAll('article :is(table, pre, img, svg)')]
  .filter(one => one.checkVisibility())
  .filter(one => one.getBoundingClientRect().right > width + 1)
  .map(one => one.outerHTML.slice(0, 120));
"""
NAVIGATION = """
const aside = 'nav, .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, button';
return [...document.querySelectorAll(aside)].filter(one => one.offsetParent)
  .map(one => one.outerHTML.slice(0, 120));
"""
AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, arguments[0]).then(found => done(found.violations.flatMap(
  rule => rule.nodes.slice(0, 3).map(node => rule.id + ': ' + node.html.slice(0, 160)))));
"""
RECORD = """
window.met = [];
document.addEventListener('focusin', event => window.met.push(event.target));
"""
UNMET = """
const kinds = 'a[href], button, input, summary, select, textarea';
return [...document.querySelectorAll('article ' + kinds.replaceAll(', ', ', article '))]
  .filter(one => one.tabIndex >= 0 && !one.disabled)
  .filter(one => one.checkVisibility({visibilityProperty: true}))
  .filter(one => !window.met.includes(one)).map(one => one.outerHTML.slice(0, 120));
"""
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="no chromium and chromedriver: the pages are not opened in a browser",
    ),
]


class Visit(NamedTuple):
    """What was seen of one page; lists are of what should not be."""

    errors: list[str]
    seen: dict[str, Any]
    barriers: list[str]  # by axe-core, light
    faint: list[str]  # contrast, dark
    phone_width: int
    cut: list[str]  # in print
    navigation: list[str]  # in print
    pdf: str  # base64


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--window-size={DESKTOP[0]},{DESKTOP[1]}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(PATIENCE_S)
    driver.command_executor.client_config.timeout = PATIENCE_S + 10
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def visits(browser, built_book) -> dict[str, Visit]:
    pages = [path.relative_to(built_book) for path in built_book.rglob("*.html")]
    ours = sorted(path.as_posix() for path in pages if not ALIKE & set(path.parts))
    ours.append(ONE_SOURCE)
    return {
        page: visit(
            browser,
            (built_book / page).as_uri(),
            judged=page == ONE_REFERENCE or not page.startswith(REFERENCE),
        )
        for page in ours
    }


def visit(browser, url: str, *, judged: bool) -> Visit:
    browser.get_log("browser")
    browser.get(url)
    browser.execute_async_script(READY)
    errors = [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    seen = browser.execute_script(LOOK)
    barriers, faint = [], []
    if judged:
        browser.execute_script(AXE_SCRIPT)
        barriers = browser.execute_async_script(AXE, RULES)
        browser.execute_script(DARK)
        faint = browser.execute_async_script(AXE, CONTRAST)
        browser.execute_script("document.documentElement.dataset.theme = 'light'")
    resize(browser, PHONE)
    phone_width = browser.execute_script("return document.documentElement.scrollWidth")
    resize(browser, PAPER)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    cut, navigation = browser.execute_script(TOO_WIDE), browser.execute_script(NAVIGATION)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    a4 = {"paperWidth": 8.27, "paperHeight": 11.69}
    pdf = browser.execute_cdp_cmd("Page.printToPDF", a4)["data"]
    return Visit(errors, seen, barriers, faint, phone_width, cut, navigation, pdf)


def resize(browser, size: tuple[int, int]) -> None:
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def where(visits: dict[str, Visit], of) -> dict[str, object]:
    """Return what `of` finds on each page, without the pages where it finds nothing."""
    found = {page: of(one) for page, one in visits.items()}
    return {page: one for page, one in found.items() if one}


def test_there_is_a_page_for_each_step_of_the_paper(visits):
    assert {"book/index.html", ONE_REFERENCE} <= set(visits)
    assert len([page for page in visits if page.startswith("book/executed/")]) > 10


def test_no_page_has_an_error(visits):
    assert where(visits, lambda one: one.errors) == {}


def test_no_request_leaves_a_page(visits):
    assert where(visits, lambda one: one.seen["requests"]) == {}


def test_each_formula_is_drawn(visits):
    assert where(visits, lambda one: one.seen["formulas"]) == {}


def test_each_picture_is_shown_and_described(visits):
    assert where(visits, lambda one: one.seen["pictures"]) == {}


def test_headings_start_with_one_title_and_skip_no_level(visits):
    ours = {page: one for page, one in visits.items() if page.startswith("book/")}
    titles = where(ours, lambda one: one.seen["headings"].count(1) != 1)
    jumps = where(visits, lambda one: [
        step for step in zip(one.seen["headings"], one.seen["headings"][1:], strict=False)
        if step[1] > step[0] + 1
    ])  # fmt: skip
    assert (titles, jumps) == ({}, {})


def test_nothing_bars_a_reader_by_the_rules_for_accessible_pages(visits):
    assert where(visits, lambda one: one.barriers) == {}


def test_contrast_holds_in_the_dark(visits):
    assert where(visits, lambda one: one.faint) == {}


def test_no_page_scrolls_sideways_on_a_phone(visits):
    assert where(visits, lambda one: max(0, one.phone_width - PHONE[0])) == {}


def test_in_print_nothing_is_cut_and_navigation_stays_away(visits):
    assert where(visits, lambda one: one.cut) == {}
    assert where(visits, lambda one: one.navigation) == {}
    assert all(one.pdf.startswith("JVBERi") for one in visits.values())  # %PDF in base64


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(browser, visits, built_book):
    assert where(visits, lambda one: one.seen["jumps"]) == {}
    for page in sorted(set(visits) - GENERATED)[:3]:
        browser.get((built_book / page).as_uri())
        browser.execute_script(RECORD)
        ActionChains(browser).send_keys(Keys.TAB).perform()
        first = browser.switch_to.active_element  # it slides in
        WebDriverWait(browser, 60).until(lambda _, first=first: first.text)
        assert first.text == "Skip to main content"
        for _ in range(20):  # at most 1000 stops
            ActionChains(browser).send_keys(Keys.TAB * 50).perform()
            if not browser.execute_script(UNMET):
                break
        assert browser.execute_script(UNMET) == []


def test_a_word_is_found_without_a_network_and_the_hit_opens(browser, built_book):
    browser.get((built_book / "search.html").as_uri())
    browser.get_log("browser")
    field = browser.find_element("css selector", "main input[type=search], #search-input")
    field.send_keys("tumour\n")
    wait = WebDriverWait(browser, 60)
    wait.until(lambda one: len(one.find_elements("css selector", "#search-results li a")) > 5)
    hits = browser.find_elements("css selector", "#search-results li a")
    assert [one for one in browser.get_log("browser") if one["level"] == "SEVERE"] == []
    target = Path(unquote(urlsplit(hits[0].get_attribute("href")).path))
    assert target.is_file()
    browser.get(hits[0].get_attribute("href"))
    assert "tumour" in browser.find_element("tag name", "article").text.lower()


def test_the_notebook_of_a_page_is_saved_as_a_file(browser, built_book, tmp_path):
    saving = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", saving)
    browser.get((built_book / "book" / "executed" / "01_data.html").as_uri())
    (menu,) = browser.find_elements(
        "css selector", ".dropdown-download-buttons button.btn.dropdown-toggle"
    )
    menu.click()
    browser.find_element("css selector", ".btn-download-notebook-button").click()
    saved = tmp_path / "01_data.ipynb"
    WebDriverWait(browser, 60).until(lambda _: saved.exists())
    notebook = nbformat.read(saved, as_version=4)
    assert notebook.cells[0].source.startswith("From the book")
    assert any("# Data" in cell.source for cell in notebook.cells)
    assert not any(cell.get("outputs") for cell in notebook.cells)
