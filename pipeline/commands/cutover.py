"""`cutover A B`: what QuickBooks holds of some days, and what is about to be sent beside it."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click

from pipeline import terminal
from pipeline.delivery import confirmation, cutover, loading
from pipeline.delivery.desk import Desk
from pipeline.reports.sheets import Sheet, write_csv
from pipeline.stops import Stop
from pipeline.storage import Row

COLUMNS = ("person", "date", "minutes", "customer", "description")
SHEET = [
    *("entry_id", "decision", "group", "quickbooks_ids"),
    *(f"{side}_{name}" for side in ("entry", "activity") for name in COLUMNS),
]


@click.command()
@click.argument("first", type=terminal.DAY, metavar="FIRST")
@click.argument("last", type=terminal.DAY, metavar="LAST")
@click.option("--csv", "csv_file", type=terminal.file, help="Write a file of what to decide.")
@click.option("--confirm", is_flag=True, help="Let loads send what is not there; asked once.")
@terminal.as_json
def command(
    first: datetime, last: datetime, csv_file: Path | None, *, confirm: bool, as_json: bool
) -> None:
    """Show what QuickBooks holds for the days FIRST to LAST.

    Entries are certain (the next load adopts their activity), likely or ambiguous (a person
    decides), or none (to be sent); then comes what only QuickBooks has. Nothing is changed there.
    Uses the entries as last read. Days that were never read cannot be confirmed; there is nothing
    to confirm where nothing is to be sent, or nothing beside somebody else's activities. The exit
    code is 3 if something is left to decide.
    """
    days = terminal.window(first, last)
    with terminal.desk("cutover", *days, only_reads=not confirm) as desk:
        terminal.refuse_own(desk.company.settings, csv_file)
        with desk.company.warehouse.connect() as connection:
            unread = terminal.unread(connection, desk.company.settings, *days)
        found = _found(desk, *days)
        if confirm and unread:
            raise Stop(
                "Nothing was confirmed: some of what would be sent is not known yet",
                *terminal.told_unread(unread),
            )
        if confirm and found["beside"]:
            confirmation.confirm(desk, *days, terminal.who())
        is_confirmed = desk.ledger.is_confirmed(desk.company.settings.quickbooks_realm_id)
    if csv_file:
        write_csv(csv_file, _sheet(found))
    if as_json:
        known = {"unread_days": unread, "is_confirmed": is_confirmed}
        terminal.print_json({"first": days[0], "last": days[1], **known, **found})
    else:
        _show(found, unread, is_confirmed=is_confirmed)
    if found["undecided"]:
        click.get_current_context().exit(terminal.UNDECIDED)


def _found(desk: Desk, first: date, last: date) -> Row:
    return cutover.cutover(
        loading.plans(desk, first, last, is_complete=True),
        desk.ledger.between(first, last),
        desk.lists.names,
        desk.rounding_minutes,
        (first, last),
    )


def _show(found: Row, unread: Sequence[date], *, is_confirmed: bool) -> None:
    terminal.print_table(
        "Entries (certain: adopted; likely, ambiguous: a person decides; none: to be sent)",
        terminal.with_amounts(found["groups"]),
        ("group", "week", "customer", "entries", "hours", "amount"),
    )
    pairs = [
        pair
        for row in found["undecided"]
        for pair in (
            {"group": row["group"], "id": row["entry_id"], **row["entry"]},
            *({"group": "", "id": each["quickbooks_id"], **each} for each in row["activities"]),
        )
    ]
    terminal.print_table(
        "To decide: an entry, then the activities like it", pairs, ("group", "id", *COLUMNS)
    )
    only = [{"id": row["quickbooks_id"], **row} for row in found["only_in_quickbooks"]]
    terminal.print_table("Only in QuickBooks", only, ("id", *COLUMNS))
    terminal.print_text(*_closing(found, unread, is_confirmed=is_confirmed))


def _closing(found: Row, unread: Sequence[date], *, is_confirmed: bool) -> list[str]:
    to_send = sum(row["entries"] for row in found["groups"] if row["group"] == "none")
    lines = [
        f"{to_send} entries are not in QuickBooks and will be sent."
        if to_send
        else "Nothing is to be sent, so there is nothing to confirm."
    ]
    if found["undecided"]:
        lines.append(
            f"{len(found['undecided'])} are left to decide: run `decide ENTRY send|adopt ID|skip`, "
            "or `cutover … --csv FILE`, fill in its column `decision`, and run `decide --csv FILE`."
        )
    if to_send and not found["beside"]:
        lines.append("QuickBooks holds nobody else's activities there: nothing to confirm.")
    elif not is_confirmed and to_send:
        lines.append("Not confirmed yet: if all this is right, run it again with `--confirm`.")
    return lines + terminal.told_unread(unread)


def _sheet(found: Row) -> Sheet:
    """One row an undecided entry, with the activity that is most like it beside it."""
    rows = []
    for row in found["undecided"]:
        best = row["activities"][0] if row["activities"] else {}
        sides = {
            f"{side}_{name}": held.get(name)
            for side, held in (("entry", row["entry"]), ("activity", best))
            for name in COLUMNS
        }
        ids = " ".join(each["quickbooks_id"] for each in row["activities"])
        named = {"entry_id": row["entry_id"], "decision": "", "group": row["group"]}
        rows.append(named | {"quickbooks_ids": ids} | sides)
    return Sheet("undecided", {name: name for name in SHEET}, rows)
