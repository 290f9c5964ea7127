"""The invented company, put together: the same seed and the same day give the same world.

Holds the frame of the two systems and what the predecessor left in the books. People, jobs, months
and odd cases stand beside this module.
"""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from pipeline.sandbox.seed.cases import add_cases
from pipeline.sandbox.seed.jobs import add_customers, add_items, invent_projects
from pipeline.sandbox.seed.months import add_months, is_working_day
from pipeline.sandbox.seed.old_button import press_old_button
from pipeline.sandbox.seed.people import NEW_YORK, OWNER, add_staff, invent_users
from pipeline.sandbox.seed.records import intuit_time
from pipeline.sandbox.world import Company, Tokens, Workspace, World

MONTHS_BACK = 4
UNBILLED_MONTHS_BACK = 2
DAYS_SENT_BY_BUTTON = 3
EDITED = 4


def today_there() -> date:
    """The date now where the company is; at its evening UTC is a day ahead."""
    return datetime.now(ZoneInfo(NEW_YORK)).date()


def invent(seed: int, today: date) -> World:
    """Return a studio with about four months of time, up to and including a day.

    Args:
        seed: What the dice start from.
        today: The last day with entries, in the company's zone.
    """
    rng = Random(seed)
    world = World(
        seed=seed,
        today=today,
        time_zone=NEW_YORK,
        start_date=_first_of_month(today, MONTHS_BACK),
        send_from=_first_of_month(today, UNBILLED_MONTHS_BACK),
        workspace=_workspace(rng),
        company=_company(rng),
        tokens=_tokens(rng, today),
    )
    add_months(world, rng)
    add_cases(world)
    _leave_to_the_button(world)
    return world


def _first_of_month(day: date, months_back: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months_back, 12)
    return date(year, month + 1, 1)


def _workspace(rng: Random) -> Workspace:
    users = invent_users(rng)
    owner = next(user for user in users.values() if user.email.startswith(f"{OWNER}@"))
    return Workspace(
        id=f"5e4f1c2a{rng.getrandbits(64):016x}",
        name="Fernhill Landscape & Engineering",
        plan="STANDARD_2021",
        api_key=f"sandbox-{rng.getrandbits(128):032x}",
        owner_id=owner.id,
        is_rounding_on=False,
        round_mode="Round to nearest",
        round_minutes="15",
        users=users,
        projects=invent_projects(rng),
    )


def _company(rng: Random) -> Company:
    company = Company(
        realm_id=f"93414{rng.randrange(10**11):011d}",
        name="Fernhill Landscape & Engineering, LLC",
        plan="QuickBooks Online Plus",
        is_payroll_on=False,
        is_time_tracking_on=True,
        home_currency="USD",
    )
    add_items(company)
    add_staff(company)
    add_customers(company)
    return company


def _tokens(rng: Random, today: date) -> Tokens:
    return Tokens(
        client_id=f"sandbox-client-{rng.getrandbits(64):016x}",
        client_secret=f"sandbox-secret-{rng.getrandbits(128):032x}",
        refresh_token=f"sandbox-refresh-{rng.getrandbits(128):032x}",
        refresh_issued_at=datetime.combine(today, time(6), UTC),
    )


def _leave_to_the_button(world: World) -> None:
    """Have the predecessor send the first days that nobody has invoiced yet, and edit a few.

    Three days stand in the books exactly as they were sent. Of a fourth, a bookkeeper has reworded
    the first activities, so that they only resemble their entries.
    """
    days = _working_days(world.send_from, DAYS_SENT_BY_BUTTON + 1)
    pressed_at = datetime.combine(days[-1] + timedelta(days=1), time(14, 20), UTC)
    press_old_button(world, world.send_from, days[-2], pressed_at)
    before = set(world.company.activities)
    press_old_button(world, days[-1], days[-1], pressed_at + timedelta(minutes=3))
    fresh = [
        activity for number, activity in world.company.activities.items() if number not in before
    ]
    for activity in [found for found in fresh if "Description" in found][:EDITED]:
        activity["Description"] += " (as agreed)"
        activity["SyncToken"] = "1"
        edited_at = intuit_time(pressed_at + timedelta(days=2))
        activity["MetaData"] = activity["MetaData"] | {"LastUpdatedTime": edited_at}


def _working_days(first: date, count: int) -> list[date]:
    days = (first + timedelta(days=number) for number in range(31))
    return [day for day in days if is_working_day(day)][:count]
