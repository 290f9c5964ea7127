"""`retry`: let the next load try again what QuickBooks refused."""

from collections.abc import Sequence

import click

from pipeline import terminal
from pipeline.delivery.desk import Desk
from pipeline.ledger import ASKED_TO_RETRY, CLOSED_PERIOD, DECIDED_TO_SEND, NOT_STORED, Delivery
from pipeline.stops import Stop

TRIED_ANYWAY = (*CLOSED_PERIOD, NOT_STORED, DECIDED_TO_SEND)
"""Codes that loads try again by themselves: one entry while books are closed; alone what nobody
could tell; what a person has decided to send, beside what is like it."""


@click.command()
@click.argument("entries", nargs=-1, metavar="[ENTRY]...")
@click.option("--reason", help="All that QuickBooks refused with this code, such as 2500.")
@terminal.as_json
def command(entries: tuple[str, ...], reason: str | None, *, as_json: bool) -> None:
    """Have refused deliveries tried again by the next load of their days.

    Name their entries by id, or take all with one reason. They are judged again, and QuickBooks
    is read before anything is sent.
    """
    if bool(entries) == bool(reason):
        raise click.UsageError("name entries, or a reason with `--reason`")
    with terminal.desk("retry", only_reads=False) as desk:
        chosen = _chosen(desk, [each.strip().lower() for each in entries], reason)
        desk.ledger.record([_asked(desk, row) for row in chosen])
    rows = [
        {"entry_id": row.entry_id, "work_date": row.work_date, "reason": row.error_code}
        for row in chosen
    ]
    terminal.print_rows("Tried again by the next load", rows, as_json=as_json)


def _chosen(desk: Desk, entries: Sequence[str], reason: str | None) -> list[Delivery]:
    refused = desk.ledger.refused()
    asked = [row for row in refused if row.entry_id in entries or row.error_code == reason]
    chosen = [row for row in asked if row.error_code not in TRIED_ANYWAY]
    if anyway := {row.entry_id for row in asked} - {row.entry_id for row in chosen}:
        is_closed = any(row.error_code in CLOSED_PERIOD for row in asked)
        probe = ", while books are closed one entry a run" if is_closed else ""
        raise Stop(
            f"Each load tries {', '.join(sorted(anyway))} again by itself{probe}",
            "nothing was changed; `plan` shows what the next load sends",
        )
    if unknown := set(entries) - {row.entry_id for row in chosen}:
        raise Stop(
            f"QuickBooks has not refused {', '.join(sorted(unknown))}",
            "nothing was changed; `plan` shows what the next load sends",
        )
    if not chosen:
        codes = sorted({row.error_code or "none" for row in refused} - {*TRIED_ANYWAY})
        raise Stop(
            f"QuickBooks has refused nothing for the reason `{reason}`",
            f"the reasons that stand are: {', '.join(codes)}"
            if codes
            else "no refusal waits for this command, so there is nothing to try again",
        )
    return chosen


def _asked(desk: Desk, row: Delivery) -> Delivery:
    return desk.noted(
        row,
        error_code=ASKED_TO_RETRY,
        error_message=f"{terminal.who()} asked to try again what was refused with "
        f"{row.error_code}: {row.error_message}",
    )
