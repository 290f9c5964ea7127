"""Settings that a company changes while it works, and what its entries become by them.

Plain rules over those of `seed_rules`, which know no settings; written apart from the product.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from pipeline.sandbox.world import Entry
from tests.end_to_end.books import Activity, of_entry
from tests.properties.people import FIRST, PROJECTS
from tests.sandbox.seed_rules import Rules, seconds, work_date

Chosen = Mapping[str, str]
"""Settings by name."""
ITEM = "Site Visit"
BY_DEFAULT = {
    "AFTER_SEND": "flag",
    "CUSTOMER_MATCHING": "auto",
    "MAX_RATE": "10000",
    "ONLY_PROJECTS": "",
    "RATE_SOURCE": "clockify",
    "REQUIRE_APPROVAL": "false",
    "SEND_FROM": str(FIRST),
    "SEND_NON_BILLABLE": "false",
    "SERVICE_ITEM": "",
    "TAXABLE": "false",
    "ZERO_RATES": "reject",
}
CHOICES: tuple[Chosen, ...] = (
    {"AFTER_SEND": "flag"},
    {"AFTER_SEND": "update"},
    {"CUSTOMER_MATCHING": "auto"},
    {"CUSTOMER_MATCHING": "client_project"},
    {"CUSTOMER_MATCHING": "project"},
    {"MAX_RATE": "130"},
    {"MAX_RATE": "10000"},
    {"ONLY_PROJECTS": PROJECTS[1]},
    {"ONLY_PROJECTS": ""},
    {"REQUIRE_APPROVAL": "true"},
    {"REQUIRE_APPROVAL": "false"},
    {"SEND_FROM": str(FIRST + timedelta(days=1))},
    {"SEND_FROM": str(FIRST)},
    {"SEND_NON_BILLABLE": "true"},
    {"SEND_NON_BILLABLE": "false"},
    {"SERVICE_ITEM": ITEM, "RATE_SOURCE": "clockify"},
    {"SERVICE_ITEM": ITEM, "RATE_SOURCE": "service_item"},
    {"SERVICE_ITEM": "", "RATE_SOURCE": "clockify"},
    {"TAXABLE": "true"},
    {"TAXABLE": "false"},
    {"ZERO_RATES": "send"},
    {"ZERO_RATES": "reject"},
)
"""What somebody may set."""
OF_RATES = {"no_rate", "zero_rate", "bad_rate"}
"""Reasons about the rate that Clockify has; what is not billed by it may have any."""


def reasons(rules: Rules, entry: Entry, chosen: Chosen) -> set[str]:
    """Every reason that holds where a company has chosen so."""
    project = rules.world.workspace.projects[entry.project_id] if entry.project_id else None
    # Of these projects one has no client and is a top-level customer; the others are below theirs.
    other_mode = "client_project" if project and project.client_name is None else "project"
    also = {
        "before_cutover": str(work_date(rules.world, entry)) < chosen["SEND_FROM"],
        "not_approved": chosen["REQUIRE_APPROVAL"] == "true" and not entry.is_approved,
        "filtered_out": chosen["ONLY_PROJECTS"] not in ("", project and project.name),
        "unknown_customer": project is not None and chosen["CUSTOMER_MATCHING"] == other_mode,
        "rounds_to_zero": seconds(entry) > 0 and minutes(rules, entry) == 0,
        "bad_rate": (entry.rate_minor or 0) > 100 * int(chosen["MAX_RATE"]),
    }
    found = rules.reasons(entry) - {"before_cutover"}
    found |= {name for name, holds in also.items() if holds}
    if chosen["SEND_NON_BILLABLE"] == "true":
        found.discard("not_billable")
    if chosen["ZERO_RATES"] == "send":
        found.discard("zero_rate")
    is_by_clockifys_rate = entry.is_billable and chosen["RATE_SOURCE"] == "clockify"
    return found if is_by_clockifys_rate else found - OF_RATES


def activity(rules: Rules, entry: Entry, chosen: Chosen) -> Activity | None:
    """What an entry must become; none if it is not to be sent."""
    if reasons(rules, entry, chosen):
        return None
    made = of_entry(rules, entry)._replace(minutes=minutes(rules, entry))
    if not entry.is_billable:
        return made._replace(status="NotBillable", rate=Decimal(0))
    return made._replace(rate=price(rules)) if chosen["RATE_SOURCE"] == "service_item" else made


def minutes(rules: Rules, entry: Entry) -> int:
    """What is sent of its time: to the nearest quarter of an hour where the workspace rounds."""
    step = 15 if rules.world.workspace.is_rounding_on else 1
    return (seconds(entry) + 30 * step) // (60 * step) * step


def price(rules: Rules) -> Decimal:
    """The item's price an hour."""
    items = rules.world.company.items.values()
    [found] = (item["UnitPrice"] for item in items if item["Name"] == ITEM)
    return Decimal(str(found))
