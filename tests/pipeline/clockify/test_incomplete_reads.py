"""A read that lacks an entry which still exists loses nothing: it is followed, or the run stops."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.clockify.client import Clockify
from pipeline.extract.extraction import Extracted, extract
from pipeline.extract.reading import Reading
from pipeline.extract.stored import days_to_come
from pipeline.extract.suspicions import SAMPLE
from pipeline.sandbox.seed.oddities import add_entry
from pipeline.sandbox.world import Entry
from pipeline.schemas import ClockifyTimeEntries, ClockifyUsers, Days
from pipeline.stops import Stop
from pipeline.warehouse import Warehouse
from tests.conftest import Sandbox, Server
from tests.pipeline.conftest import SettingsFor

pytestmark = pytest.mark.usefixtures("no_rates")
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 21)
DAY = date(2026, 11, 17)
A_DAY = timedelta(days=1)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
REPORT, BY_ID = "reports/detailed", "time-entries"
REPORTS = "POST /report/v1/workspaces/{id}/reports/detailed"


@dataclass
class House:
    """A warehouse that reads a sandbox, in which things may happen while it does."""

    sandbox: Sandbox
    clockify: Clockify
    warehouse: Warehouse
    app: ASGIApp
    reading: Reading
    deeds: list[tuple[str, Callable[[], object]]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, after what is to happen before it."""
        if self.deeds and f"/{self.deeds[0][0]}" in scope["path"]:
            self.deeds.pop(0)[1]()
        await self.app(scope, receive, send)

    def before(self, path: str, deed: Callable[[], object] = lambda: None) -> None:
        """Let something happen before the next request to a path, after those named before."""
        self.deeds.append((path, deed))

    def extract(self, first: date = DAY, last: date | None = None, **changes: Any) -> Extracted:  # noqa: ANN401 - of the reading
        """Read some days, with the people as they are."""
        self.warehouse.replace(ClockifyUsers, pd.DataFrame(self.clockify.users()))
        reading = replace(self.reading, **changes)
        ahead = days_to_come(self.warehouse, NOW.date())
        return extract(self.warehouse, reading, first, last or first, ahead)

    def stored(self) -> dict[str, date]:
        """Each stored entry's day."""
        rows = self.warehouse.read(ClockifyTimeEntries)
        return dict(zip(rows["entry_id"], rows["work_date"].dt.date, strict=True))

    def row(self, entry: Entry) -> dict[str, Any]:
        """What is stored of an entry."""
        rows = self.warehouse.read(ClockifyTimeEntries)
        [row] = rows[rows["entry_id"] == entry.id].to_dict("records")
        return row

    def entry(self, day: date = DAY, **changes: Any) -> Entry:  # noqa: ANN401 - of the entry
        """A new entry."""
        return add_entry(self.sandbox.world, day, **changes)


@pytest.fixture
def house(
    sandbox_server: Server,
    sandbox: Sandbox,
    clockify: Clockify,
    settings_for: SettingsFor,
    tmp_path: Path,
) -> Iterator[House]:
    """A sandbox with a company that nobody has left, and of which nothing was read."""
    for user in sandbox.world.workspace.users.values():
        user.status = "ACTIVE"
    reading = Reading(clockify, settings_for(), rounding="off", log=lambda _: None, now=lambda: NOW)
    warehouse = Warehouse(tmp_path / "w.duckdb")
    made = House(sandbox, clockify, warehouse, sandbox_server.app, reading)
    sandbox_server.app = made
    with warehouse.connect():  # held, as a run does
        yield made


def move(entry: Entry, days: int) -> None:
    """Start an entry so many days later."""
    entry.start += timedelta(days=days)
    assert entry.end
    entry.end += timedelta(days=days)


@pytest.mark.parametrize("is_in_report", [True, False], ids=["in the report", "asked for by id"])
@pytest.mark.parametrize("is_known", [True, False], ids=["read before", "never read"])
def test_a_former_members_time_is_read(house: House, *, is_in_report: bool, is_known: bool) -> None:
    """Whether a report of everybody has it is not confirmed; it was real work either way."""
    former = house.entry(mailbox="marcus", is_approved=True)
    others = house.entry(mailbox="priya")
    if is_known:
        house.extract()
    house.sandbox.world.workspace.users[former.user_id].status = "INACTIVE"
    house.sandbox.switch(inactive_users_in_report=is_in_report)
    approving = house.reading.settings.model_copy(update={"require_approval": True})
    house.extract(rounding="up 15", settings=approving)
    assert house.stored().keys() >= {former.id, others.id}
    assert house.row(former)["is_approved"]
    assert house.row(former)["raw_seconds"] == 5400


def test_no_entry_of_a_company_is_lost_with_the_people_who_left(house: House) -> None:
    """Of three weeks all stay."""
    house.extract(FIRST, LAST)
    before = house.stored()
    assert len(before) > 100
    house.sandbox.switch(inactive_users_in_report=False)
    for user in list(house.sandbox.world.workspace.users.values())[:4]:
        user.status = "INACTIVE"
    assert house.extract(FIRST, LAST) == Extracted()
    assert house.stored() == before


@pytest.mark.parametrize(
    "meant", [{}, {"select_by_overlap": True}, {"window_end_exclusive": True}], ids=str
)
def test_a_day_is_read_whole_however_a_report_means_its_window(
    house: House, meant: dict[str, bool]
) -> None:
    """By start or by overlap, its end included or not: none of it is confirmed.

    Each day is read alone, so that no neighbour's read has what its own lacks.
    """
    house.sandbox.switch(**meant)
    after = DAY + A_DAY
    last, first = house.entry(DAY, at="23:59:59"), house.entry(after, at="00:00:00")
    for day in (after, DAY, after):
        house.extract(day)
        assert house.stored().get(first.id) == after
    assert house.stored()[last.id] == DAY


@pytest.mark.parametrize("told", ["shown", "unknown", "forbidden"])
@pytest.mark.parametrize(
    ("stored", "first", "last"), [(DAY, DAY, DAY), (FIRST, FIRST, LAST), (FIRST, DAY, DAY)]
)
def test_a_key_that_no_longer_sees_everybody_stops_the_run_and_changes_nothing(
    house: House, stored: date, first: date, last: date, told: str
) -> None:
    """Its owner lost the admin role: a complete report of the owner's own time is no evidence.

    Whatever such a key is told of another's entry by its id.
    """
    house.extract(stored, last)
    before = house.warehouse.read(ClockifyTimeEntries)
    house.sandbox.switch(own_entries_only=True, others_by_id=told)
    with pytest.raises(Stop, match=r"Incomplete read: .* one person's entries at most") as said:
        house.extract(first, last, now=lambda: NOW + A_DAY)
    assert "use the key of an admin" in said.value.fix
    pd.testing.assert_frame_equal(house.warehouse.read(ClockifyTimeEntries), before)
    house.sandbox.switch(own_entries_only=False)
    house.extract(first, last)
    assert house.stored().keys() == set(before["entry_id"])


def test_what_others_really_deleted_is_gone_where_the_key_sees_them_elsewhere(
    house: House,
) -> None:
    """A day on which one person is left is no sign of a key that sees only one."""
    house.extract(FIRST, LAST)
    entries = house.sandbox.world.workspace.entries
    owner, days = house.sandbox.world.workspace.owner_id, house.stored()
    for entry_id in [id_ for id_, day in days.items() if day == DAY]:
        if entries[entry_id].user_id != owner:
            del entries[entry_id]
    found = house.extract(DAY, DAY, now=lambda: NOW + A_DAY)
    assert len(found.left) >= SAMPLE
    assert {what for _, what in found.left.values()} == {"deleted in Clockify"}
    assert not found.left.keys() & house.stored().keys()


@pytest.mark.parametrize("days", [-400, 1])
def test_an_entry_that_moved_is_read_where_it_is_now(house: House, days: int) -> None:
    """Before the first work date or in the future too; since when it is known is remembered."""
    entry = house.entry()
    house.extract()
    move(entry, days)
    found = house.extract(now=lambda: NOW + A_DAY)
    assert house.stored()[entry.id] == DAY + timedelta(days=days)
    assert house.row(entry)["first_seen_at"] == pd.Timestamp(NOW)
    assert found == Extracted(left={entry.id: (DAY, "moved to another day")})


def test_an_entry_that_waits_in_another_year_is_read_again_whatever_the_range(
    house: House,
) -> None:
    """Until that year no range would have it: deleted, it would stay for ever."""
    entry = house.entry()
    house.extract()
    move(entry, 365)
    house.extract()
    del house.sandbox.world.workspace.entries[entry.id]
    found = house.extract()
    assert found.left == {entry.id: (DAY + timedelta(days=365), "deleted in Clockify")}
    assert entry.id not in house.stored()


def test_an_entry_that_moved_ahead_in_the_range_is_read_with_its_piece(house: House) -> None:
    """Not once more by itself: two pieces, of which the first is two requests."""
    entry = house.entry(FIRST)
    house.extract(FIRST)
    move(entry, 32)
    before = house.sandbox.calls(REPORTS)
    house.extract(FIRST, FIRST + timedelta(days=40))
    assert house.sandbox.calls(REPORTS) == before + 3
    assert house.stored()[entry.id] == FIRST + timedelta(days=32)


def test_nothing_is_lost_if_the_day_to_which_an_entry_moved_cannot_be_read(house: House) -> None:
    """It stays where it was until it is read where it is, however often the run is stopped."""
    entry = house.entry()
    house.extract()
    move(entry, -9)
    for _ in range(2):
        house.sandbox.fail(REPORT, "status", skip=1, status=403, body="{}")
        with pytest.raises(Stop):
            house.extract()
        assert house.stored()[entry.id] == DAY
    house.extract()
    assert house.stored()[entry.id] == DAY - timedelta(days=9)


def test_entries_that_cross_each_other_are_each_followed(house: House) -> None:
    """One leads back into the days just read, one out of them; a third one out of both."""
    back, out, away = house.entry(), house.entry(), house.entry(DAY - A_DAY)
    house.extract(DAY - A_DAY, DAY)
    others = {key: day for key, day in house.stored().items() if key not in (back.id, out.id)}
    workspace = house.sandbox.world.workspace
    move(out, 1)
    move(away, 9)
    del workspace.entries[back.id]
    house.before(REPORT)
    house.before(BY_ID, lambda: workspace.entries.update({back.id: back}))
    house.extract(DAY - A_DAY, DAY)
    there = {back.id: DAY, out.id: DAY + A_DAY, away.id: DAY + timedelta(days=8)}
    assert house.stored().items() >= (others | there).items()


def test_an_entry_that_is_back_after_a_read_is_read_once_more(house: House) -> None:
    """Deleted and restored just then, say: it has not left its day."""
    entry = house.entry()
    house.extract()
    entries = house.sandbox.world.workspace.entries
    house.before(REPORT, lambda: entries.pop(entry.id))
    house.before(BY_ID, lambda: entries.update({entry.id: entry}))
    assert house.extract().left == {}
    assert house.stored()[entry.id] == DAY


def test_an_entry_that_moves_on_while_it_is_followed_stops_the_run_once(house: House) -> None:
    """The next run finds it."""
    entry = house.entry()
    house.extract()
    move(entry, 1)
    house.before(REPORT)
    house.before(REPORT, lambda: move(entry, 1))
    with pytest.raises(Stop, match="starts on 2026-11-18, but") as said:
        house.extract()
    assert said.value.is_transient
    assert house.stored()[entry.id] == DAY
    house.extract()
    assert house.stored()[entry.id] == DAY + 2 * A_DAY


@pytest.mark.parametrize(
    ("is_deleted", "what"), [(True, "deleted in Clockify"), (False, "running")]
)
def test_an_entry_that_is_gone_or_runs_again_leaves_its_day(
    house: House, *, is_deleted: bool, what: str
) -> None:
    """What has no end is read when it has one."""
    entry = house.entry()
    house.sandbox.switch(running_in_report="left_out")
    house.extract()
    entry.end = None
    if is_deleted:
        del house.sandbox.world.workspace.entries[entry.id]
    [(key, (day, said))] = house.extract().left.items()
    assert (key, day) == (entry.id, DAY)
    assert said.startswith(what)
    assert entry.id not in house.stored()


def test_what_is_known_to_be_deleted_is_not_asked_for_again(house: House) -> None:
    """Of thirty requests an hour, thirty deletions would leave every run none to go on with."""
    gone = [house.entry() for _ in range(3)]
    house.extract()
    for entry in gone:
        del house.sandbox.world.workspace.entries[entry.id]
    last = max(entry.id for entry in gone)
    house.sandbox.fail(BY_ID, "status", skip=2, status=403, body="{}")
    with pytest.raises(Stop):
        house.extract()
    assert [entry.id for entry in gone if entry.id in house.stored()] == [last]
    assert list(house.extract().left) == [last]


def test_somebody_who_is_in_no_list_is_asked_for_by_what_is_stored(house: House) -> None:
    """The list leaves out some who were removed, and the report their time."""
    entry, workspace = house.entry(mailbox="marcus"), house.sandbox.world.workspace
    house.extract()
    workspace.users[entry.user_id].status = "INACTIVE"
    house.sandbox.switch(inactive_users_in_report=False)
    listed = pd.DataFrame(house.clockify.users())
    house.warehouse.replace(ClockifyUsers, listed[listed["user_id"] != entry.user_id])
    assert extract(house.warehouse, house.reading, DAY, DAY) == Extracted()
    assert house.stored()[entry.id] == DAY


def test_time_of_somebody_removed_that_no_report_shows_stops_the_run_with_the_way_on(
    house: House,
) -> None:
    """Whether reports still have it is not confirmed; by its id it is there, until it is not."""
    entry, workspace = house.entry(mailbox="marcus"), house.sandbox.world.workspace
    house.extract()
    del workspace.users[entry.user_id]
    house.sandbox.switch(removed_users_in_report=False)
    with pytest.raises(Stop, match=f"the entry {entry.id} starts on {DAY}, but") as said:
        house.extract()
    assert "if its owner was removed from Clockify, name another WAREHOUSE" in said.value.fix
    assert house.stored()[entry.id] == DAY
    del workspace.entries[entry.id]
    assert house.extract().left == {entry.id: (DAY, "deleted in Clockify")}


def test_an_entry_that_moved_out_of_all_time_is_named(house: House) -> None:
    """A mistyped year that no table holds: it stays where it was until it is corrected."""
    entry = house.entry()
    house.extract()
    move(entry, 900 * 365)
    with pytest.raises(
        Stop, match=f"The entry {entry.id}, stored on {DAY}, now starts on 29"
    ) as said:
        house.extract()
    assert said.value.fix == "correct its date there"
    assert house.stored()[entry.id] == DAY


def test_a_day_is_as_old_as_the_beginning_of_its_read(house: House) -> None:
    """What was tracked while it was read, just before midnight, may not be in it."""
    ticks = (NOW + timedelta(minutes=number) for number in range(99))
    house.extract(now=lambda: next(ticks))
    [day] = house.warehouse.read(Days)["extracted_at"]
    assert day == NOW


def changed(entry: Entry) -> None:
    """Give an entry another project and five hours more."""
    entry.project_id = None
    assert entry.end
    entry.end += timedelta(hours=5)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_with_rounding_on_an_entry_that_changes_between_the_reads_is_read_again(
    house: House, number: int
) -> None:
    """Never the time of one moment on the project of another."""
    entry = house.entry(seconds=3600)
    for _ in range(number):
        house.before(REPORT)
    house.before(REPORT, lambda: changed(entry))
    house.extract(rounding="up 15")
    house.deeds.clear()
    is_late = number == 2
    row = house.row(entry)
    assert row["duration_seconds"] == row["raw_seconds"] == (3600 if is_late else 6 * 3600)
    assert pd.isna(row["project_id"]) is not is_late
    assert row["end_at"] - row["start_at"] == timedelta(seconds=row["raw_seconds"])


@pytest.mark.parametrize("is_there", [True, False])
def test_with_rounding_on_an_entry_of_which_only_one_read_knows_is_read_again(
    house: House, *, is_there: bool
) -> None:
    """Away, or there, just while the rounded one is made: as it is in the end, it is stored."""
    entry, entries = house.entry(), house.sandbox.world.workspace.entries

    def flip() -> None:
        if entry.id in entries:
            del entries[entry.id]
        else:
            entries[entry.id] = entry

    if not is_there:
        flip()
    house.before(REPORT)
    house.before(REPORT, flip)
    house.before(REPORT, flip)
    house.extract(rounding="up 15")
    assert not house.deeds
    assert (entry.id in house.stored()) is is_there


def test_an_entry_corrected_and_approved_between_the_reads_is_approved_by_the_next(
    house: House,
) -> None:
    """Else its hours from before the correction would be sent as approved."""
    entry = house.entry(seconds=3600)
    approving = house.reading.settings.model_copy(update={"require_approval": True})

    def corrected() -> None:
        changed(entry)
        entry.is_approved = True

    house.before(REPORT)
    house.before(REPORT, corrected)
    house.extract(settings=approving)
    assert not house.row(entry)["is_approved"]
    house.extract(settings=approving)
    assert house.row(entry)["is_approved"]
    assert house.row(entry)["raw_seconds"] == 6 * 3600


def test_with_rounding_on_an_entry_that_changes_with_every_read_stops_the_run(
    house: House,
) -> None:
    """For now; nothing is written."""
    entry = house.entry()
    for _ in range(9):
        house.before(REPORT, lambda: changed(entry))
    with pytest.raises(
        Stop, match=f"entries change while they are read, such as {entry.id}"
    ) as said:
        house.extract(rounding="up 15")
    assert said.value.is_transient
    assert house.stored() == {}


def test_an_end_that_rounding_moves_is_no_change(house: House) -> None:
    """Whether it does is not confirmed; the tracked end is kept."""
    house.sandbox.switch(rounding_moves_times=True)
    workspace = house.sandbox.world.workspace
    workspace.round_mode, workspace.round_minutes = "Round up to", "10"
    entry = house.entry(seconds=98 * 60)
    house.extract(rounding="up 15")
    row = house.row(entry)
    assert (row["duration_seconds"], row["raw_seconds"]) == (6000, 98 * 60)
    assert row["end_at"] == pd.Timestamp(entry.end)
    assert house.sandbox.calls(REPORTS) == 3
