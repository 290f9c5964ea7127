"""An analyst's morning in the Dagster UI, in a real browser: no SQL, no code, no terminal."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from pipeline.sandbox.seed.oddities import add_entry, user_of
from tests.end_to_end.processes import Site, Ui, printed, site, ui

SEEN_SECONDS = 30
"""For how long the UI may load what is looked for, on a busy machine."""
BLANK = "`Model Home Gardens `"
"""Yesterday's project whose name no customer has, for a blank at its end."""
HOSTILE = "<img src=x onerror=alert(1)> | **Tom** `[x](javascript:alert(2))` =1+1"
DARK = 64
"""Of 255, in each of red, green and blue, a ground of the dark theme."""
Keep = Callable[[str], object]

expect.set_options(timeout=SEEN_SECONDS * 1000)


@pytest.fixture(scope="module")
def company(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A pipeline after one run over the 14 days up to yesterday, by the README's command."""
    assert chromium
    with site(tmp_path_factory.mktemp("company")) as made:
        world = made.sandbox.world
        user_of(world, "tom").name = HOSTILE
        add_entry(world, made.today - timedelta(days=3), mailbox="tom")
        last = made.today - timedelta(days=1)
        span = f"{last - timedelta(days=13)}...{last}"
        done = made.run("dg", "launch", "--assets", "*", "--partition-range", span)
        assert done.returncode == 0, done.stderr[-3000:]
        yield made


@pytest.fixture(scope="module")
def dagster(company: Site) -> Iterator[Ui]:
    """The UI, started as the README says."""
    [command] = printed("dagster dev")
    with ui(company, *command) as running:
        yield running


@pytest.fixture(scope="module")
def page(dagster: Ui, chromium: str) -> Iterator[Page]:
    """One window for the whole morning; a script that opens a dialog fails it."""
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(SEEN_SECONDS * 1000)
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.goto(dagster.url)
        yield page
        browser.close()
    assert said == []


@pytest.fixture
def keep(page: Page, pytestconfig: pytest.Config) -> Keep:
    """Keeps a picture of the page under a name, if the command asked for pictures."""
    folder: Path | None = pytestconfig.getoption("--screenshots", default=None)

    def kept(name: str) -> None:
        if folder:
            folder.mkdir(exist_ok=True)
            page.screenshot(path=folder / f"{name}.png", animations="disabled")

    return kept


def open_asset(page: Page, name: str, tab: str) -> None:
    """Find an asset in the catalog and open one of its tabs."""
    page.get_by_role("link", name="Catalog").first.click()
    page.locator(f"a[href='/assets/{name}']").first.click()
    page.get_by_role("tab", name=tab).click()


def open_day(page: Page, day: str) -> None:
    """Open a day of an asset under Partitions; its metadata is there when this returns."""
    page.get_by_text(day, exact=True).first.click()
    expect(page.get_by_text("fix list", exact=True)).to_be_visible()


def test_what_was_rejected_yesterday_is_found_with_its_cause_and_its_fix(
    page: Page, company: Site, keep: Keep
) -> None:
    """From the first page: the asset, the day, what to change, and how the fortnight looks."""
    open_asset(page, "rejected_time_entries", "Partitions")
    open_day(page, str(company.today - timedelta(days=1)))
    fix = page.get_by_role("cell", name=re.compile(f"Rename the Clockify project {BLANK}")).first
    expect(fix).to_contain_text("a trailing blank in Clockify")
    expect(page.get_by_role("cell", name="unknown_customer").first).to_be_visible()
    keep("rejected")
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.get_by_alt_text("Hours by day and verdict")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    keep("hours-by-day")
    page.emulate_media(color_scheme="dark")
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ground)[:3])) < DARK, ground
    keep("hours-by-day-dark")
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Close").click()


def test_the_check_says_how_much_waits_and_why(page: Page, keep: Keep) -> None:
    """Its message is the answer, its table the reasons, the most hours first."""
    open_asset(page, "rejected_time_entries", "Checks")
    page.get_by_text("no_entry_waits_for_a_person").first.click()
    expect(page.get_by_text(re.compile(r"Rejected entries: \d+ \([\d.]+ hours\)"))).to_be_visible()
    expect(page.get_by_role("cell", name="too_long", exact=True)).to_be_visible()
    keep("check")


def test_the_numbers_are_plotted_over_the_days(page: Page, keep: Keep) -> None:
    """By Dagster itself, for each verdict and reason."""
    open_asset(page, "rejected_time_entries", "Overview")
    page.get_by_text("Plots", exact=True).click()
    heading = page.get_by_text("hours: rejected", exact=True)
    heading.scroll_into_view_if_needed()
    expect(page.locator("canvas").last).to_be_visible()
    keep("plots")


def test_the_whole_list_and_the_month_are_one_page_each(page: Page, keep: Keep) -> None:
    """What is open over all days, and whether the month may be invoiced."""
    open_asset(page, "fix_list", "Overview")
    expect(page.get_by_role("cell", name=re.compile("split the entry of")).first).to_be_visible()
    page.get_by_text("fix list", exact=True).evaluate("each => each.scrollIntoView()")
    keep("fix-list")
    open_asset(page, "statement", "Overview")
    expect(page.get_by_text("customers ready to invoice").first).to_be_visible()
    blocked = page.get_by_role("cell", name=re.compile("rejected: unknown_customer")).first
    blocked.scroll_into_view_if_needed()
    keep("statement")


def test_a_hostile_name_is_shown_and_never_run(page: Page, dagster: Ui, company: Site) -> None:
    """As text, letter by letter: no image, no link, no column of its own."""
    day = str(company.today - timedelta(days=3))
    page.goto(f"{dagster.url}/assets/rejected_time_entries?view=partitions&partition={day}")
    expect(page.get_by_text(HOSTILE, exact=True).first).to_be_visible()
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
