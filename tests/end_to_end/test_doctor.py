"""Doctor: a company where all is well, and each precondition broken alone, with its fix."""

import pickle
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.types import DaemonHeartbeat

from pipeline.orchestration.windows import SCHEDULE
from pipeline.preconditions import (
    PRECONDITIONS,
    Finding,
    claim,
    clockify,
    examination,
    findings,
    machine,
    quickbooks,
)
from pipeline.quickbooks.token_service import Pair
from pipeline.sandbox.app import build
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.seed.oddities import add_entry, user_of
from pipeline.sandbox.seed.old_button import press_old_button
from pipeline.sandbox.world import World
from tests.conftest import TODAY, Sandbox, Server
from tests.end_to_end.conftest import DAY, House, Kept, problems, restored
from tests.end_to_end.stages import DAILY, LOAD

Break = Callable[[House], object]


def look(house: House) -> list[Finding]:
    """What doctor finds."""
    return list(findings(examination.facts(house.settings, TODAY, lambda _: None)))


def not_right(found: list[Finding]) -> dict[str, str]:
    """The claims that do not hold, with what is wrong and its fix; what was not looked at apart."""
    return {
        each.claim: f"{each.said} | {each.fix}"
        for each in found
        if each.state in ("wrong", "doubtful")
    }


@pytest.fixture(scope="session")
def sound_company(
    judged_company: Kept,
    sandbox_server: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Kept:
    """A world where every name matches and a pipeline that has loaded: world and files."""
    world, files = judged_company
    folder = tmp_path_factory.mktemp("sound")
    shutil.copytree(files, folder, dirs_exist_ok=True)
    holder = Holder(pickle.loads(world))
    sandbox_server.app = build(holder)
    (folder / "home").mkdir()
    (folder / "home/dagster.yaml").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder / "home"))
        with dg.DagsterInstance.get() as instance:
            house = House(Sandbox(sandbox_server.url, holder), folder, instance)
            assert problems(house.run(DAY, DAY, LOAD)) == []
            instance.add_instigator_state(schedule_state(InstigatorStatus.RUNNING))
            # The company outlasts a minute's heartbeat, and each test sees it copied.
            later = (datetime.now(UTC) + timedelta(days=1)).timestamp()
            instance.add_daemon_heartbeat(DaemonHeartbeat(later, "SCHEDULER", "1", []))
    match_names(holder.world)
    return pickle.dumps(holder.world), folder


def schedule_state(status: InstigatorStatus) -> InstigatorState:
    """The schedule as the UI's switch stores it."""
    target = LoadableTargetOrigin(module_name="pipeline.definitions")
    repository = RemoteRepositoryOrigin(InProcessCodeLocationOrigin(target), "__repository__")
    return InstigatorState(
        RemoteInstigatorOrigin(repository, SCHEDULE),
        InstigatorType.SCHEDULE,
        status,
        ScheduleInstigatorData("0 6 * * *", 0.0),
    )


def match_names(world: World) -> None:
    """Let go whoever and whatever matches nothing, as the findings about them ask for."""
    staff = {row["DisplayName"] for row in world.company.employees.values()}
    names = [user.name for user in world.workspace.users.values()]
    for user in world.workspace.users.values():
        if user.name not in staff or names.count(user.name) > 1:
            user.status = "INACTIVE"
    for project in world.workspace.projects.values():
        project.is_archived = project.name not in ("Marsh Boardwalk", "Play Yard")


@pytest.fixture
def sound(house: House, sound_company: Kept, monkeypatch: pytest.MonkeyPatch) -> House:
    """A pipeline about which doctor has nothing to say; its runs leave no trace in its home."""
    monkeypatch.setenv("DAGSTER_HOME", str(house.folder / "home"))
    return restored(house, sound_company)


def test_where_all_is_well_every_precondition_says_how_it_is(sound: House) -> None:
    """Nothing wrong, nothing doubtful, nothing left out, and each says a fact."""
    found = look(sound)
    assert not_right(found) == {}
    assert [each.claim for each in found] == [*map(claim, PRECONDITIONS)]
    assert all(each.said and each.state == "right" for each in found)


def set_(**changes: str) -> Break:
    """A wrong setting."""
    return lambda house: house.changes.update(changes)


def workspace(**changes: object) -> Break:
    """Something else in Clockify's workspace."""
    return lambda house: vars(house.sandbox.world.workspace).update(changes)


def company(**changes: object) -> Break:
    """Something else in QuickBooks' company."""
    return lambda house: vars(house.sandbox.world.company).update(changes)


def switch(**changes: object) -> Break:
    """Another behaviour of the services."""
    return lambda house: house.sandbox.switch(**changes)


def other_workspace(house: House) -> None:
    """Another workspace of the same people."""
    house.sandbox.world.workspace.id = house.changes["CLOCKIFY_WORKSPACE_ID"] = f"{7:024}"


def live_elsewhere(house: House) -> None:
    """Daniel has moved to where the day is another one."""
    user_of(house.sandbox.world, "daniel").time_zone = "Pacific/Auckland"


def mistype_a_year(house: House) -> None:
    """Work of the next year, and a holiday, which is often entered so early."""
    world, day = house.sandbox.world, TODAY + timedelta(days=200)
    add_entry(world, day)
    add_entry(world, day, "08:00", type="HOLIDAY")


def pay_in_crowns(house: House) -> None:
    """Entries with a rate in a currency that nobody has."""
    for entry in house.sandbox.world.workspace.entries.values():
        entry.currency = "SEK"


def lose_tokens(house: House) -> None:
    """A new machine without the token file."""
    house.settings.quickbooks_token_file.unlink()
    house.changes["QUICKBOOKS_REFRESH_TOKEN"] = ""


def other_realm(house: House) -> None:
    """Another company's id, whose tokens are not stored yet."""
    house.settings.quickbooks_token_file.unlink()
    house.changes["QUICKBOOKS_REALM_ID"] = "1"


def rename_employee(house: House) -> None:
    """A trailing blank in QuickBooks."""
    staff = house.sandbox.world.company.employees.values()
    next(row for row in staff if row["DisplayName"] == "Priya Raman")["DisplayName"] += " "


def let_employee_go(house: House) -> None:
    """In QuickBooks, but not in Clockify."""
    staff = house.sandbox.world.company.employees.values()
    next(row for row in staff if row["DisplayName"] == "Priya Raman")["Active"] = False


def double_customer(house: House) -> None:
    """Two of one name and parent."""
    customers = house.sandbox.world.company.customers
    customers["9999"] = next(
        {**row, "Id": "9999"} for row in customers.values() if row["DisplayName"] == "Play Yard"
    )


def rename_project(house: House) -> None:
    """A project nobody knows."""
    projects = house.sandbox.world.workspace.projects.values()
    next(each for each in projects if each.name == "Play Yard").name = "Play  Yard"


def block_a_folder(house: House) -> None:
    """A file where a folder should be."""
    (house.folder / "file").touch()
    house.changes["WAREHOUSE"] = str(house.folder / "file" / "warehouse.duckdb")


def lose_copies(house: House) -> None:
    """Nobody has copied the ledger."""
    shutil.rmtree(house.folder / "backups")


def lose_ledger(house: House) -> None:
    """Its disk is not there."""
    house.settings.ledger.unlink()


def switch_off(_: House) -> None:
    """The schedule, switched off in the UI."""
    with dg.DagsterInstance.get() as instance:
        instance.update_instigator_state(schedule_state(InstigatorStatus.STOPPED))


def stop_daemon(_: House) -> None:
    """The daemon has been silent for an hour."""
    with dg.DagsterInstance.get() as instance:
        instance.wipe_daemon_heartbeats()


def lay_open(house: House) -> None:
    """Whoever has an account may enter every folder above, and read what is not closed itself."""
    temporary = Path(tempfile.gettempdir()).resolve()
    for folder in (house.folder, *house.folder.parents):
        if temporary in folder.parents:
            folder.chmod(0o711)
    house.settings.ledger.chmod(0o644)


def forget_loads(_: House) -> None:
    """As before the first run."""
    with dg.DagsterInstance.get() as instance:
        instance.wipe_assets([dg.AssetKey(LOAD)])


def only_plan(house: House) -> None:
    """A first run that only planned."""
    forget_loads(house)
    with dg.DagsterInstance.get() as instance:
        dry = replace(house, instance=instance, changes={"DRY_RUN": "true"})
        assert problems(dry.run(DAY, DAY, LOAD)) == []


def wait_for_approval(house: House) -> None:
    """On a plan that has none."""
    workspace(plan="FREE")(house)
    set_(REQUIRE_APPROVAL="true")(house)


def approve_nothing(house: House) -> None:
    """On a plan that has approval, in a workspace that does not use it."""
    workspace(is_approval_on=False)(house)
    set_(REQUIRE_APPROVAL="true")(house)


def press_button_again(house: House) -> None:
    """Somebody still sends by the vendor's button, after our first load."""
    later = TODAY + timedelta(days=1)
    add_entry(house.sandbox.world, later)
    press_old_button(house.sandbox.world, later, later, house.now)
    house.now += timedelta(days=3)
    house.prepare(later, later, *DAILY)


BREAKS: list[tuple[Break, str, str]] = [
    (set_(CLOCKIFY_API_KEY="wrong"), "Clockify accepts the key", "Set CLOCKIFY_API_KEY to a key"),
    (
        set_(CLOCKIFY_WORKSPACE_ID="5e0000000000000000000000"),
        "Clockify accepts the key",
        "Check CLOCKIFY_WORKSPACE_ID",
    ),
    (workspace(plan="FREE"), "Clockify's plan allows it", "move to a paid plan"),
    (wait_for_approval, "Approvals are available", "move the workspace to a plan with approval"),
    (approve_nothing, "Approvals are available", "Switch it on in Clockify's workspace settings"),
    (switch(rates_hidden="zero"), "The key sees rates", "an admin who may see billable rates"),
    (switch(rates_hidden="forbidden"), "The key sees rates", "an admin who may see billable rates"),
    (switch(own_entries_only=True), "The key sees everybody's time", "the key of an admin"),
    (workspace(is_rounding_on=True), "Rounding is as it was", "Set it back in Clockify's"),
    (set_(TIME_ZONE="America/Toronto"), "Workspace and zone are as they were", "`rebind: true`"),
    (other_workspace, "Workspace and zone are as they were", "Set CLOCKIFY_WORKSPACE_ID"),
    (live_elsewhere, "Work dates are the same in everybody's zone", "else set TIME_ZONE"),
    (mistype_a_year, "No work is dated far ahead", "1 entries lie in the year after tomorrow"),
    (lose_tokens, "QuickBooks is connected", "`python -m pipeline connect`"),
    (set_(QUICKBOOKS_REALM_ID="1"), "QuickBooks is connected", "QUICKBOOKS_TOKEN_FILE"),
    (other_realm, "The company is the right one", "Check QUICKBOOKS_REALM_ID"),
    (
        company(plan="QuickBooks Online Simple Start"),
        "Its plan takes time activities",
        "Plus or Advanced",
    ),
    (company(plan="QuickBooks Online Ultimate"), "Its plan is known", "tell the data engineer"),
    (company(is_payroll_on=True), "QuickBooks Payroll is off", "ALLOW_PAYROLL=true"),
    (company(is_time_tracking_on=False), "Time tracking is on", "Account and settings > Time"),
    (pay_in_crowns, "Rates are in its currencies", "Correct the workspace's"),
    (set_(SERVICE_ITEM="Site Visits"), "The service item exists", "Set one of: Site Visit"),
    (
        set_(SERVICE_ITEM="Hours", RATE_SOURCE="service_item"),
        "The rate has a source",
        "Set its sales price per hour",
    ),
    (
        set_(SERVICE_ITEM="Site Visit", TAXABLE="true"),
        "Tax agrees with the item's",
        "Set TAXABLE as",
    ),
    (rename_employee, "People match employees", "Make the Clockify user's name"),
    (let_employee_go, "People match employees", "| Make the inactive employee active"),
    (double_customer, "Projects match customers", "| Rename all but one of the customers"),
    (rename_project, "Projects match customers", "Make the names the same"),
    (switch(clock_skew_seconds=600), "Clocks agree", "NTP"),
    (block_a_folder, "Files can be written", "permissions of their folders"),
    (lay_open, "No other account reads the files", "Close them, as with `chmod 600 /"),
    (set_(DRY_RUN="true"), "The cut-over is set", "Remove DRY_RUN"),
    (lose_copies, "The ledger is backed up", "Launch a run, which copies it"),
    (lose_ledger, "The ledger is backed up", "put the newest copy back"),
    (switch_off, "The schedule is on", "Switch it on in the Dagster UI"),
    (stop_daemon, "The schedule is on", "dagster-daemon run"),
    (forget_loads, "The last load is recent", "DRY_RUN=true"),
    (only_plan, "The last load is recent", "look at its plan, then launch one without"),
    (press_button_again, "The vendor's button is disconnected", "Disconnect the vendor's"),
]


def test_each_precondition_is_broken_by_a_test() -> None:
    """A new one comes with its own."""
    assert {broken for _, broken, _ in BREAKS} == set(map(claim, PRECONDITIONS))


@pytest.mark.parametrize(("spoil", "claim", "fix"), BREAKS)
def test_doctor_names_what_is_broken_and_its_fix_and_nothing_else(
    sound: House, spoil: Break, claim: str, fix: str
) -> None:
    """What depends on it was not looked at, and says so."""
    spoil(sound)
    found = not_right(look(sound))
    assert list(found) == [claim]
    assert fix in found[claim]


@pytest.mark.parametrize("mode", ["zero", "forbidden"])
def test_a_key_without_rates_is_right_where_the_service_item_has_the_price(
    sound: House, mode: str
) -> None:
    """Nothing needs Clockify's."""
    sound.sandbox.switch(rates_hidden=mode)
    sound.changes |= {"RATE_SOURCE": "service_item", "SERVICE_ITEM": "Site Visit"}
    assert not not_right(look(sound))


def test_an_unreachable_service_is_said_once(sound: House) -> None:
    """And everything of it is not looked at, while the rest is."""
    sound.changes["CLOCKIFY_API_URL"] = "http://127.0.0.1:9/api/v1"
    found = look(sound)
    assert list(not_right(found)) == ["Clockify accepts the key"]
    unseen = [each.claim for each in found if each.state == "unseen"]
    assert "The key sees rates" in unseen
    assert "Time tracking is on" not in unseen


def test_without_a_home_dagster_is_not_asked(sound: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell in which the settings were not exported."""
    monkeypatch.delenv("DAGSTER_HOME")
    found = not_right(look(sound))
    assert list(found) == ["The schedule is on"]
    assert "export DAGSTER_HOME" in found["The schedule is on"]


def test_the_settings_file_is_looked_at_wherever_it_is(
    sound: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the keys; a shell that names it may have written `~`."""
    file = sound.folder / "keys.env"
    file.touch()
    file.chmod(0o644)
    lay_open(sound)
    monkeypatch.setenv("HOME", str(sound.folder))
    monkeypatch.setenv("ENV_FILE", "~/keys.env")
    assert file.resolve() in examination.readable_by_all(sound.settings)
    file.chmod(0o600)
    assert file.resolve() not in examination.readable_by_all(sound.settings)


def test_a_real_company_needs_a_cut_over(sound: House) -> None:
    """Nothing is sent to real accounts without one."""
    real = {"QUICKBOOKS_API_URL": "https://quickbooks.api.intuit.com", "SETTLE_SECONDS": ""}
    sound.changes = {**real, "SEND_FROM": ""}
    found = machine._cutover(sound.settings)
    assert not isinstance(found, str)
    assert "first day of the oldest month" in found.fix
    sound.changes = {**real, "SEND_FROM": "2026-10-01"}
    assert machine._cutover(sound.settings) == "work dates from 2026-10-01 are sent"


def test_a_connection_near_its_end_is_named_in_time() -> None:
    """Intuit ends one after five years, however often it was renewed."""
    now = datetime.now(UTC)
    pair = Pair("1", "a", "r", str(now), str(now), str(now + timedelta(days=13)))
    found = quickbooks._connected(pair)
    assert not isinstance(found, str)
    assert "python -m pipeline connect" in found.fix


def test_an_old_load_is_named() -> None:
    """Yesterday's and today's schedule did not get through."""
    old = datetime.now(UTC) - timedelta(hours=37)
    known = examination.Automation(is_schedule_on=True, is_daemon_alive=True, loaded_at=old)
    found = machine._loaded(known)
    assert not isinstance(found, str)
    assert "Open the latest run" in found.fix


def test_rounding_says_its_effect(sound: House) -> None:
    """What is sent differs from what was tracked by so many minutes."""
    sound.changes["ROUNDING"] = "on"
    facts = examination.facts(sound.settings, TODAY, lambda _: None)
    [entries, space] = facts["entries"], facts["workspace"]
    said = clockify._rounding(space, sound.settings, entries, examination.Past())
    assert isinstance(said, str)
    assert "it changes the time by +" in said
