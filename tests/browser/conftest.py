"""A real browser for the tests that need one: Debian's chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/browser --screenshots docs` keeps the README's pictures."""
    parser.addoption("--screenshots", type=Path, help="the folder for screenshots")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a screen; the test is skipped where none is installed.

    Not for longer than a module: while Playwright runs, nothing else in this thread may await.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser is installed, neither of {', '.join(NAMES)}")
    with sync_playwright() as playwright:
        # Chromium's own sandbox refuses to work for root, who runs the tests in containers.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window without a person in front of it."""
    page = browser.new_page()
    yield page
    page.close()
