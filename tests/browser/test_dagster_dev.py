"""The README's `dagster dev` with the committed `dagster.yaml`: its UI, queue, daemon, backfills.

An analyst's morning in a real browser: no SQL, no code, no terminal. Then a power cut: the queue
goes on. A backfill with the reference tables selected too: Dagster makes several runs of it, so
that the lists that entries are judged by are read in a run of their own. What is sent must depend
on neither. In one file, since all of it takes `dagster dev`, whose start takes half a minute.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.definitions import JOB
from pipeline.orchestration.windows import RANGE_END, RANGE_START
from pipeline.sandbox.seed.oddities import add_entry, user_of
from tests.end_to_end.books import due, held
from tests.end_to_end.processes import (
    Site,
    Ui,
    is_anything_left_of,
    kill_all_of,
    printed,
    site,
    ui,
    wait_for,
)
from tests.end_to_end.stages import DAILY, REFERENCES

SEEN_SECONDS = 30
"""For how long the UI may load what is looked for, on a busy machine."""
BLANK = "`Model Home Gardens `"
"""Yesterday's project whose name no customer has, for a blank at its end."""
HOSTILE = "<img src=x onerror=alert(1)> | **Tom** `[x](javascript:alert(2))` =1+1"
DARK = 64
"""Of 255, in each of red, green and blue, a ground of the dark theme."""
Keep = Callable[[str], object]
LAUNCH = """mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
STATUS = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
TRIED_AGAIN = """query Again($filter: RunsFilter!) {
  runsOrError(filter: $filter) { ... on Runs { results { status } } } }"""
BACKFILL = """mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
PROGRESS = """query Backfill($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status runs { status } } } }"""
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
REPORT = "reports/detailed"
SHOWN = 14
"""Days up to yesterday that the morning looks at."""
FILLED = 4
"""Days before them that are filled after the morning."""

expect.set_options(timeout=SEEN_SECONDS * 1000)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A pipeline after one run over the 14 days up to yesterday, by the README's command."""
    with site(tmp_path_factory.mktemp("company")) as made:
        world = made.sandbox.world
        user_of(world, "tom").name = HOSTILE
        add_entry(world, made.today - timedelta(days=3), mailbox="tom")
        last = made.today - timedelta(days=1)
        span = f"{last - timedelta(days=SHOWN - 1)}...{last}"
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
def page(dagster: Ui, browser: Browser) -> Iterator[Page]:
    """One window for the whole morning; a script that opens a dialog fails it."""
    said: list[str] = []
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(SEEN_SECONDS * 1000)
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.goto(dagster.url)
    yield page
    page.close()
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


def launch(dagster: Ui, day: date) -> str:
    """Put a run of the job over one day into the queue; its id."""
    location = dagster.location()
    [repository] = location["repositories"]
    selector = {
        "repositoryLocationName": location["name"],
        "repositoryName": repository["name"],
        "jobName": JOB,
    }
    tags = [{"key": name, "value": str(day)} for name in (RANGE_START, RANGE_END)]
    asked = {"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}}
    run_id: str = dagster.ask(LAUNCH, params=asked)["launchRun"]["run"]["runId"]
    return run_id


def status(dagster: Ui, run_id: str) -> str:
    """What Dagster says of a run."""
    said: str = dagster.ask(STATUS, id=run_id)["runOrError"]["status"]
    return said


def backfill(dagster: Ui, first: date, days: int) -> str:
    """Ask for everything over some days, as the UI does; the backfill's id."""
    asked = {
        "assetSelection": [{"path": [name]} for name in (*REFERENCES, *DAILY)],
        "partitionNames": [str(first + timedelta(days=number)) for number in range(days)],
    }
    launched: str = dagster.ask(BACKFILL, params=asked)["launchPartitionBackfill"]["backfillId"]
    return launched


def tried_again(dagster: Ui, run_id: str) -> list[str]:
    """What became of the runs that Dagster made in the place of one."""
    tags = [{"key": "dagster/parent_run_id", "value": run_id}]
    found = dagster.ask(TRIED_AGAIN, filter={"tags": tags})
    return [run["status"] for run in found.get("runsOrError", {}).get("results", [])]


def progress(dagster: Ui, backfill_id: str) -> tuple[str, Counter[str]]:
    """What Dagster says of a backfill, and of how many of its runs."""
    found = dagster.ask(PROGRESS, id=backfill_id).get("partitionBackfillOrError", {})
    runs = Counter(run["status"] for run in found.get("runs", []))
    return found.get("status", "REQUESTED"), runs


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
    expect(page.get_by_role("cell", name=re.compile("correct the end of")).first).to_be_visible()
    page.get_by_text("fix list", exact=True).evaluate("each => each.scrollIntoView()")
    keep("fix-list")
    open_asset(page, "statement", "Overview")
    expect(page.get_by_text("customers ready to invoice").first).to_be_visible()
    blocked = page.get_by_role("cell", name=re.compile("rejected: unknown_customer")).first
    blocked.scroll_into_view_if_needed()
    keep("statement")


def test_a_hostile_name_is_shown_and_never_run(page: Page, company: Site) -> None:
    """As text, letter by letter: no image, no link, no column of its own."""
    open_asset(page, "rejected_time_entries", "Partitions")
    open_day(page, str(company.today - timedelta(days=3)))
    expect(page.get_by_text(HOSTILE, exact=True).first).to_be_visible()
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0


def test_after_a_power_cut_the_queue_goes_on_and_each_entry_is_sent_once(
    company: Site, dagster: Ui
) -> None:
    """The killed run is failed at once, not after hours, and tried again; what waits is done.

    Without `run_launcher` in `dagster.yaml` the queue waits for `max_runtime_seconds`. The backfill
    makes two runs: the reference tables, then every day with its load.
    """
    world = company.sandbox.world
    last = company.today - timedelta(days=SHOWN + 1)
    first = last - timedelta(days=FILLED - 1)
    day = next(
        each for each in (last - timedelta(days=n) for n in range(FILLED)) if due(world, each, each)
    )
    assert held(world, first, last) == Counter()
    company.sandbox.fail(REPORT, "delay", delay_seconds=100, times=10)

    company.sandbox.admin("DELETE", "calls")
    killed = launch(dagster, day)
    wait_for(lambda: any(REPORT in name for name in company.sandbox.holder.calls), 60)
    asked = backfill(dagster, first, FILLED)
    wait_for(lambda: progress(dagster, asked) == ("REQUESTED", Counter(QUEUED=1)), 90)
    assert status(dagster, killed) == "STARTED"
    kill_all_of(dagster.process)
    company.sandbox.admin("DELETE", "faults")

    [command] = printed("dagster dev")
    with ui(company, *command) as after:
        [repository] = after.location()["repositories"]
        assert [each["name"] for each in repository["schedules"]] == ["every_morning"]
        assert len(repository["assetNodes"]) == 12
        wait_for(lambda: progress(after, asked)[0] != "REQUESTED", 240)
        assert progress(after, asked) == ("COMPLETED_SUCCESS", Counter(SUCCESS=2))
        assert status(after, killed) == "FAILURE"
        wait_for(lambda: ENDED.intersection(tried_again(after, killed)), 240)
        assert tried_again(after, killed) == ["SUCCESS"]
        assert held(world, first, last) == due(world, first, last)
    wait_for(lambda: not is_anything_left_of(after.process), 20)
