import pytest
from viewer_page import Page, Shown, build_page, start


@pytest.fixture(scope="module")
def shown(module_run, tmp_path_factory) -> Shown:
    return build_page(module_run, tmp_path_factory.mktemp("viewer") / "a book")


@pytest.fixture(scope="module")
def driver():
    browser = start()
    yield browser
    browser.quit()


@pytest.fixture
def page(driver, shown) -> Page:
    return Page(driver, shown.page)
