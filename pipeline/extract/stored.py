"""What the warehouse holds of Clockify: whole days, and each entry on one work date.

Holds how a piece replaces what was stored, and what is asked of it before anything is judged or
sent. Keeps out where a piece comes from (`reading`, `extraction`).
"""

from collections.abc import Collection
from datetime import date, datetime

import pandas as pd

from pipeline.extract.entries import REMOVED
from pipeline.extract.pieces import Piece, days_of
from pipeline.schemas import ClockifyTimeEntries, ClockifyUsers, ClockifyWorkspace, Days
from pipeline.stops import Stop
from pipeline.storage import Connection, doors, transaction
from pipeline.warehouse import Warehouse


def store(
    connection: Connection,
    frame: pd.DataFrame,
    window: Piece,
    read_at: datetime,
    rounding: str,
    followed: Collection[str] = (),
) -> None:
    """Put a piece in the place of what was stored: its days, and its entries wherever they were.

    An entry that is followed to another day stays until the read that has it is stored: if that
    read never comes, the next run finds it missing again. Who was removed from Clockify keeps the
    name that was read before.

    Args:
        connection: an open warehouse.
        frame: the entries.
        window: the days.
        read_at: when the read was begun.
        rounding: as `clockify_workspace` has it.
        followed: ids of entries that are yet to be read on another day.
    """
    first, last = window
    doors.stage(connection, ClockifyTimeEntries, frame, "piece")
    days = pd.DataFrame({"work_date": days_of(first, last), "extracted_at": read_at})
    days["rounding"] = rounding
    unjudged = days.assign(reviewed_at=None, judged_by=None)
    doors.stage(connection, Days, unjudged, "piece_days")
    with transaction(connection):
        connection.execute(
            "UPDATE piece SET first_seen_at = stored.first_seen_at "
            "FROM clockify_time_entries AS stored WHERE stored.entry_id = piece.entry_id"
        )
        connection.execute(
            "UPDATE piece SET user_name = known.user_name FROM (SELECT user_id, "
            "arg_max(user_name, read_at) AS user_name FROM clockify_time_entries "
            "WHERE user_name <> $1 GROUP BY user_id) AS known "
            "WHERE known.user_id = piece.user_id AND piece.user_name = $1",
            [REMOVED],
        )
        connection.execute("DELETE FROM days WHERE work_date BETWEEN $1 AND $2", [first, last])
        connection.execute(
            "DELETE FROM clockify_time_entries WHERE work_date BETWEEN $1 AND $2 "
            "AND NOT list_contains(CAST($3 AS VARCHAR[]), entry_id)",
            [first, last, list(followed)],
        )
        connection.execute(
            "UPDATE days SET reviewed_at = NULL WHERE work_date IN (SELECT work_date "
            "FROM clockify_time_entries WHERE entry_id IN (SELECT entry_id FROM piece))"
        )
        connection.execute(
            "DELETE FROM clockify_time_entries WHERE entry_id IN (SELECT entry_id FROM piece)"
        )
        connection.execute("INSERT INTO clockify_time_entries BY NAME SELECT * FROM piece")
        connection.execute("INSERT INTO days BY NAME SELECT * FROM piece_days")


def gone_from(
    connection: Connection, known: Collection[str], first: date, last: date
) -> dict[str, date]:
    """Entries stored on these days that no read has or is to have, with their stored day."""
    rows = connection.execute(
        "SELECT entry_id, work_date FROM clockify_time_entries "
        "WHERE work_date BETWEEN $1 AND $2 ORDER BY entry_id",
        [first, last],
    ).fetchall()
    return {entry_id: day for entry_id, day in rows if entry_id not in known}


def drop(connection: Connection, entry_id: str, day: date) -> None:
    """Forget an entry, without which its day is to be judged again."""
    with transaction(connection):
        connection.execute("UPDATE days SET reviewed_at = NULL WHERE work_date = $1", [day])
        connection.execute("DELETE FROM clockify_time_entries WHERE entry_id = $1", [entry_id])


def people(warehouse: Warehouse) -> pd.DataFrame:
    """The rows of `clockify_users`, and as such who is in none and has stored entries.

    Clockify's list leaves some out who were removed, and its reports may leave out their time.
    """
    users = warehouse.read(ClockifyUsers)
    query = "SELECT DISTINCT user_id FROM clockify_time_entries ORDER BY ALL"
    with warehouse.connect() as connection:
        stored = pd.Series(
            [user_id for (user_id,) in connection.execute(query).fetchall()], dtype=object
        )
    gone = pd.DataFrame({"user_id": stored[~stored.isin(users["user_id"])], "is_active": False})
    gone = gone.reindex(columns=users.columns).astype(users.dtypes)
    return pd.concat([users, gone], ignore_index=True)


def days_to_come(warehouse: Warehouse, today: date) -> list[date]:
    """Those that hold an entry, such as one of a wrong year: no range has them until then."""
    query = "SELECT DISTINCT work_date FROM clockify_time_entries WHERE work_date > $1 ORDER BY ALL"
    with warehouse.connect() as connection:
        return [day for (day,) in connection.execute(query, [today]).fetchall()]


def refuse_other_workspace(warehouse: Warehouse, wanted: str) -> None:
    """Stop before a workspace's entries are read among another's, or sent for them.

    Raises:
        Stop: what is stored was read from another workspace than `wanted`.
    """
    known = list(warehouse.read(ClockifyWorkspace)["workspace_id"])
    if known and known != [wanted]:
        raise Stop(
            f"The warehouse {warehouse.path} holds the entries of the Clockify workspace "
            f"{known[0]}, but CLOCKIFY_WORKSPACE_ID is {wanted}",
            "set it back; or, if the change is meant, name another WAREHOUSE, which the next run "
            "fills from that workspace",
        )


def refuse_unread(connection: Connection, first: date, last: date) -> None:
    """Stop before days are judged, or sent, of which nothing was ever read.

    That nothing is found there would look like the end of a good run.

    Raises:
        Stop: there are such days; names one of them.
    """
    read = connection.execute("SELECT work_date FROM days").fetchall()
    if unread := sorted({*days_of(first, last)} - {day for (day,) in read}):
        raise Stop(
            f"{len(unread)} of the days from {first} to {last} were never read from Clockify, "
            f"such as {unread[0]}",
            f"launch them together with the extract: `.venv/bin/dg launch --assets '*' "
            f"--partition-range {unread[0]}...{unread[-1]}`",
        )
