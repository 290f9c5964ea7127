"""The alert sensor over real runs, with a local receiver."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from pipeline.definitions import build_definitions
from pipeline.orchestration.alert_sensor import SENSOR, failed_checks
from pipeline.sandbox.seed.oddities import add_entry
from tests.end_to_end.conftest import DAY, House, check
from tests.end_to_end.stages import ENTRIES, LOAD, REVIEW, UP_TO_REVIEW
from tests.pipeline.orchestration.test_alerts import Receiver, receiving

A_DAY = timedelta(days=1)
NEXT = DAY + A_DAY
LAPSED = {"Error": [{"Message": "Invalid Company Status", "Detail": "", "code": "6190"}]}


@pytest.fixture
def webhook(reviewed: House) -> Iterator[Receiver]:
    """A receiver that the settings name."""
    with receiving() as receiver:
        reviewed.changes["ALERT_WEBHOOK_URL"] = receiver.url
        yield receiver


def tick(house: House, cursor: str | None) -> str | None:
    """Evaluate the sensor as the daemon does; returns its cursor."""
    definitions = build_definitions(house.settings, now=lambda: house.now)
    sensor = definitions.resolve_sensor_def(SENSOR)
    with dg.build_sensor_context(house.instance, cursor=cursor) as context:
        return sensor.evaluate_tick(context).cursor


def broke(receiver: Receiver) -> list[list[str]]:
    """The names of what each message says is broken."""
    return [[each["name"] for each in got["broke"]] for got in receiver.got]


def test_a_failed_run_is_told_once_and_its_recovery_once(
    reviewed: House, webhook: Receiver
) -> None:
    """Whatever happens in between that changes nothing is not told, nor that other assets are well.

    It is mended when what failed has succeeded.
    """
    key = {"CLOCKIFY_API_KEY": "wrong-key-that-nobody-may-see"}
    reviewed.changes |= key
    assert not reviewed.run(DAY, DAY, ENTRIES).success
    cursor = tick(reviewed, None)
    cursor = tick(reviewed, cursor)
    assert not reviewed.run(DAY, DAY, ENTRIES).success
    cursor = tick(reviewed, cursor)
    assert broke(webhook) == [["run by hand"]]

    del reviewed.changes["CLOCKIFY_API_KEY"]
    assert reviewed.run(DAY, DAY, "clockify_users").success
    cursor = tick(reviewed, cursor)
    assert len(webhook.got) == 1
    assert reviewed.run(DAY, DAY, ENTRIES, *REVIEW, LOAD).success
    cursor = tick(reviewed, cursor)
    cursor = tick(reviewed, cursor)
    assert [each["name"] for got in webhook.got for each in got["recovered"]] == ["run by hand"]
    assert len(webhook.got) == 2
    assert webhook.got[-1]["counts"]["sent"] > 0
    assert "wrong-key" not in json.dumps(webhook.got)

    add_entry(reviewed.sandbox.world, NEXT)
    reviewed.sandbox.fail("batch", "status", status=400, body={"Fault": LAPSED})
    assert not reviewed.run(NEXT, NEXT, ENTRIES, *REVIEW, LOAD).success
    cursor = tick(reviewed, cursor)
    told = len(webhook.got)
    assert reviewed.run(DAY, DAY, LOAD).success, "but of another day"
    assert reviewed.run(NEXT, NEXT, LOAD, **{LOAD: {"dry_run": True}}).success, "but nothing sent"
    cursor = tick(reviewed, cursor)
    assert not any(
        each["name"] == "run by hand" for got in webhook.got[told:] for each in got["recovered"]
    )
    assert reviewed.run(NEXT, NEXT, LOAD).success, "what it had not made"
    tick(reviewed, cursor)
    assert [each["name"] for each in webhook.got[-1]["recovered"]].count("run by hand") == 1


def test_a_warning_is_told_by_its_name_and_with_counts_only(
    reviewed: House, webhook: Receiver
) -> None:
    """Nobody's name, no description, no rate."""
    odd = "Nobody Knows This Description"
    add_entry(reviewed.sandbox.world, DAY, project=None, description=odd)
    cursor = tick(reviewed, None)
    assert reviewed.run(DAY, DAY, ENTRIES, *REVIEW).success
    tick(reviewed, cursor)
    assert "check:rejected_time_entries:no_entry_waits_for_a_person" in broke(webhook)[-1]
    assert webhook.got[-1]["counts"]["rejected"] == 1
    told = json.dumps(webhook.got, ensure_ascii=False)
    names = {user.name for user in reviewed.sandbox.world.workspace.users.values() if user.name}
    assert [word for word in {odd, *names} if word in told] == []


def test_checks_of_one_name_are_told_apart_by_their_assets(event_log: dg.DagsterInstance) -> None:
    """Else a second table that breaks would be no news."""
    keys = [dg.AssetCheckKey(dg.AssetKey(name), "fits") for name in ("users", "projects")]
    for asset, name in keys:
        broken = dg.AssetCheckEvaluation(asset_key=asset, check_name=name, passed=False)
        event_log.report_runless_asset_event(broken)
    unknown = dg.AssetCheckKey(dg.AssetKey("users"), "is_new")
    found, unseen = failed_checks(event_log, [*keys, unknown])
    assert list(found) == ["check:users:fits", "check:projects:fits"]
    assert unseen == ["check:users:is_new"]


def test_a_receiver_that_was_away_is_told_at_the_next_tick(
    reviewed: House, webhook: Receiver
) -> None:
    """And the other, which was not, is not told twice."""
    reviewed.changes["CLOCKIFY_API_KEY"] = "wrong"
    assert not reviewed.run(DAY, DAY, ENTRIES).success
    with receiving() as slack:
        reviewed.changes["ALERT_SLACK_URL"] = slack.url
        webhook.status = 503
        cursor = tick(reviewed, None)
        webhook.status = 200
        cursor = tick(reviewed, cursor)
        tick(reviewed, cursor)
    assert len(slack.got) == 1
    assert "failed" in slack.got[0]["text"]
    assert len(webhook.got) == 2
    assert webhook.got[0] == webhook.got[1]


def test_a_check_of_which_dagster_forgot_all_is_not_mended(
    reviewed: House, webhook: Receiver
) -> None:
    """Its logs may be wiped to free the disk: the next run says how each check stands."""
    add_entry(reviewed.sandbox.world, DAY, project=None)
    assert reviewed.run(DAY, DAY, ENTRIES, *REVIEW).success
    cursor = tick(reviewed, None)
    [names] = broke(webhook)
    reviewed.instance.wipe()
    cursor = tick(reviewed, cursor)
    assert reviewed.run(DAY, DAY, ENTRIES, *REVIEW).success
    tick(reviewed, cursor)
    assert "check:rejected_time_entries:no_entry_waits_for_a_person" in names
    assert broke(webhook) == [names]


def test_a_day_far_from_usual_is_told(quiet: House) -> None:
    """In the check's words: five quiet weeks, then days of fifty entries, each once it is over."""
    for week in range(1, 6):
        add_entry(quiet.sandbox.world, DAY - timedelta(weeks=week))
    for number in range(50):
        at = f"{8 + number // 6:02}:{number % 6}0"
        for day in (DAY, NEXT):
            add_entry(quiet.sandbox.world, day, at, seconds=300)
    quiet.changes |= {"START_DATE": "2026-10-01", "SEND_FROM": "2026-10-01"}
    usual = "the_last_day_is_as_usual"
    quiet.now = datetime(DAY.year, DAY.month, DAY.day, 15, tzinfo=UTC)
    with receiving() as receiver:
        quiet.changes["ALERT_WEBHOOK_URL"] = receiver.url
        quiet.prepare(DAY - timedelta(weeks=5), DAY, *UP_TO_REVIEW)
        quiet.now += A_DAY
        assert check(quiet.run(DAY, DAY, *REVIEW), usual).passed, "read in the midst of the day"
        result = quiet.run(DAY, DAY, ENTRIES, *REVIEW)
        known = tick(quiet, None)
        quiet.now += A_DAY
        quiet.run(NEXT, NEXT, ENTRIES, *REVIEW)
        known = tick(quiet, known)
        tick(quiet, known)
    one, other = (
        {each["name"]: each["said"] for each in got["broke"]}[f"check:{REVIEW[1]}:{usual}"]
        for got in receiver.got
    )
    assert f"50 entries on {DAY}, where 1 are usual on that weekday. Look at that day" in one
    assert one.endswith(str(check(result, usual).description))
    assert f"50 entries on {NEXT}, where 0 are usual" in other


def test_without_a_receiver_there_is_no_sensor(reviewed: House) -> None:
    """Nothing ticks for nothing."""
    definitions = build_definitions(reviewed.settings)
    assert not list(definitions.sensors or [])


@pytest.mark.parametrize("is_out_of_reach", [False, True])
def test_a_broken_copy_silences_nothing_else(
    reviewed: House, webhook: Receiver, *, is_out_of_reach: bool
) -> None:
    """It is told beside the run that failed; counts there are none."""
    reviewed.changes["CLOCKIFY_API_KEY"] = "wrong-key-that-nobody-may-see"
    assert not reviewed.run(DAY, DAY, ENTRIES).success
    reviewed.settings.analysis.write_bytes(b"no database" * 1000)
    if is_out_of_reach:
        reviewed.changes["ANALYSIS"] = str(reviewed.folder / ("x" * 300))
    tick(reviewed, None)
    [names] = broke(webhook)
    assert {"run by hand", "copy"} <= set(names)
    assert webhook.got[0]["counts"] == {}
