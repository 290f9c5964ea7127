"""The ledger: what was meant for QuickBooks, sent, and answered. One row per entry and part.

Holds how rows are written and found, in the SQL that DuckDB and PostgreSQL share. Keeps out what
a row's next state is (`delivery`) and how the file is kept (`storage.ledger_file`). The
loader keeps it open for its whole step: the file's lock is the one-writer lease, which neither
expires under a paused process nor outlives a dead one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Self

import pandas as pd

from pipeline import schemas
from pipeline.quickbooks.activities import Facts, facts, parse
from pipeline.quickbooks.faults import SUBSCRIPTION_ENDED, THROTTLED
from pipeline.schemas import Table, name_of, sql_types
from pipeline.stops import Stop
from pipeline.storage import Connection, ledger_file, transaction
from pipeline.storage.fitting import validated

DELIVERED = ("sent", "adopted")
UNSETTLED = ("pending", "unknown")
LEFT_OUT = ("gone", "skipped")
"""Not in QuickBooks, and not to be: somebody has deleted it there, or said so."""
SETTLED = (*DELIVERED, *LEFT_OUT)
"""States after which nothing is left to do; as Python spells it, it is a list in SQL too."""
NEVER_CLAIMED_AGAIN = (*SETTLED, *UNSETTLED, "doubtful")
CLOSED_PERIOD = ("6200", "6210")
NOT_STORED = "not_stored"
"""Our own code, for an intent that was settled as never stored: the entry may be sent anew."""
DECIDED_TO_SEND = "decided_to_send"
"""Our own code, for what a person says is not what resembles it in QuickBooks."""
TOLD_APART = "told_apart"
"""Our own code, for what a person says of another activity that resembles it: it is other work."""
ASKED_TO_RETRY = "asked_to_retry"
"""Our own code, for a refusal that a person wants tried again."""
PASSING = (
    *(*CLOSED_PERIOD, SUBSCRIPTION_ENDED, THROTTLED),
    *(NOT_STORED, DECIDED_TO_SEND, ASKED_TO_RETRY),
)
"""Refusals for the moment only. Of closed books, the review lets nothing through but a probe."""
ROWS_A_STATEMENT = 500
"""At 24 columns a row, well below PostgreSQL's 65,535 parameters a statement."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One row of `deliveries`; `schemas.Deliveries` says what each field is."""

    entry_id: str
    part: int = 0
    realm_id: str
    work_date: date
    state: str = "pending"
    revision: int = 0
    request_id: str
    payload: str
    fingerprint: str
    minutes: int
    amount_minor: int | None = None
    currency: str | None = None
    is_sent_approved: bool | None = None
    sent_for: str | None = None
    quickbooks_id: str | None = None
    sync_token: str | None = None
    attempts: int = 0
    error_code: str | None = None
    error_message: str | None = None
    intuit_tid: str | None = None
    intuit_time: datetime | None = None
    sent_at: datetime | None = None
    updated_at: datetime
    run_id: str

    @property
    def facts(self) -> Facts:
        """What is compared of it: what its payload says."""
        return facts(parse(self.payload))


@dataclass(frozen=True)
class Binding:
    """Whose books and which clock a ledger is for; another needs an explicit override."""

    realm_id: str
    workspace_id: str
    time_zone: str
    rounding: str


COLUMNS = [field.name for field in fields(Delivery)]


class Ledger:
    """An open ledger. Nobody else can open it meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def opened(
        cls, path: Path, wait_seconds: float, on_wait: Callable[[str], object]
    ) -> Iterator[Self]:
        """Open the ledger; see `ledger_file.opened`."""
        with ledger_file.opened(path, wait_seconds, on_wait) as connection:
            yield cls(connection)

    def bind(self, binding: Binding, *, rebind: bool = False) -> None:
        """Bind a new ledger, or make sure that it is bound to this company and clock.

        Raises:
            Stop: as `refuse_other`.
        """
        self.refuse_other(binding, rebind=rebind)
        if self._bound() != binding:
            with transaction(self._connection):
                self._connection.execute("DELETE FROM ledger_binding")
                self._insert(schemas.LedgerBinding, [vars(binding)])

    def refuse_other(self, binding: Binding, *, rebind: bool = False) -> None:
        """Make sure that it is not another company's or clock's; binds nothing.

        Raises:
            Stop: it holds deliveries to another company, whose ids of time activities say nothing
                of this one's; or it is bound otherwise and is not to be rebound.
        """
        bound = self._bound()
        if self._select("realm_id <> $1 LIMIT 1", [binding.realm_id]):
            raise Stop(
                f"The ledger is bound to {bound} and holds deliveries to a QuickBooks "
                f"company other than {binding.realm_id}",
                "name another LEDGER for this company: what QuickBooks already holds is found "
                "there before anything is sent",
            )
        if bound and bound != binding and not rebind:
            raise Stop(
                f"The ledger is bound to {bound}, but this run is for {binding}",
                "name the ledger of this company in LEDGER, or launch the load once with "
                "`rebind: true` if the change is meant",
            )

    def deliveries(self, entry_ids: Iterable[str]) -> dict[str, Delivery]:
        """The deliveries of these entries, by entry id."""
        found = self._select("entry_id = ANY($1)", [list(entry_ids)])
        return {delivery.entry_id: delivery for delivery in found}

    def settled(self, entry_ids: Iterable[str]) -> dict[str, str]:
        """The states, by id, of those of the entries of which nothing is left to do."""
        rows = self._connection.execute(
            "SELECT entry_id, state FROM deliveries WHERE entry_id = ANY($1) AND state = ANY($2)",
            [list(entry_ids), list(SETTLED)],
        ).fetchall()
        return dict(rows)

    def ever_gone(self, entry_id: str) -> bool:
        """Whether a person has ever deleted in QuickBooks what we sent, or adopted, of it."""
        query = "SELECT 1 FROM delivery_attempts WHERE entry_id = $1 AND state = 'gone' LIMIT 1"
        return bool(self._connection.execute(query, [entry_id]).fetchall())

    def decided_at(self, entry_ids: Iterable[str]) -> dict[str, datetime]:
        """When a person last said of an entry that what resembles it is another, if ever."""
        rows = self._connection.execute(
            "SELECT entry_id, max(recorded_at) FROM delivery_attempts WHERE entry_id = ANY($1) "
            "AND error_code = ANY($2) GROUP BY entry_id",
            [list(entry_ids), [DECIDED_TO_SEND, TOLD_APART]],
        ).fetchall()
        return dict(rows)

    def times_faulted(self, delivery: Delivery) -> int:
        """How many times what it says, sent anew, was given the fault that it has now."""
        [(count,)] = self._connection.execute(
            "SELECT count(DISTINCT revision) FROM delivery_attempts WHERE entry_id = $1 "
            "AND part = $2 AND payload = $3 AND error_code = $4 AND state = 'unknown'",
            [delivery.entry_id, delivery.part, delivery.payload, delivery.error_code],
        ).fetchall()
        return int(count)

    def unsettled(self) -> list[Delivery]:
        """Deliveries whose outcome nobody knows: `pending` or `unknown`."""
        return self._select("state = ANY($1)", [list(UNSETTLED)])

    def refused(self) -> list[Delivery]:
        """Deliveries that stand refused."""
        return self._select("state = 'refused' ORDER BY work_date, entry_id", [])

    def between(self, first: date, last: date) -> list[Delivery]:
        """Deliveries of these work dates."""
        return self._select("work_date BETWEEN $1 AND $2", [first, last])

    def last_changes(self) -> dict[date, datetime]:
        """When a delivery of each work date last changed."""
        query = "SELECT work_date, max(updated_at) FROM deliveries GROUP BY work_date"
        return dict(self._connection.execute(query).fetchall())

    def holding(
        self, quickbooks_ids: Iterable[str], states: Sequence[str] = DELIVERED
    ) -> list[Delivery]:
        """The deliveries in these states that name one of these time activities."""
        return self._select(
            "quickbooks_id = ANY($1) AND state = ANY($2)", [list(quickbooks_ids), list(states)]
        )

    def claimed(self, quickbooks_ids: Iterable[str]) -> set[str]:
        """Those of the time activities that are some delivery's own."""
        return self._ids(quickbooks_ids, "state <> 'doubtful'")

    def sent_by_us(self, quickbooks_ids: Iterable[str]) -> set[str]:
        """Those of the time activities that we made, or may have made."""
        return self._ids(quickbooks_ids, "attempts > 0")

    def sent_by_day(self, zone: str) -> dict[date, int]:
        """How many entries were first sent on each day on which any were.

        Args:
            zone: the IANA name of the zone of the days.
        """
        rows = self._connection.execute(
            "SELECT CAST(first_at AT TIME ZONE $1 AS DATE) AS day, count(*) FROM ("
            "SELECT min(recorded_at) AS first_at FROM delivery_attempts WHERE state = 'sent' "
            "GROUP BY entry_id, part) AS first_sent GROUP BY day",
            [zone],
        ).fetchall()
        return dict(rows)

    def said_of_last(self) -> list[str | None]:
        """What is said of each time activity that was sent by the last run to send any."""
        sent = "FROM delivery_attempts WHERE state = 'sent' AND batch_id IS NOT NULL"
        rows = self._connection.execute(
            f"SELECT error_message {sent} AND run_id = "
            f"(SELECT run_id {sent} ORDER BY recorded_at DESC LIMIT 1)"
        ).fetchall()
        return [said for (said,) in rows]

    def is_confirmed(self, realm_id: str) -> bool:
        """Whether a person has confirmed what is sent beside activities that are not ours."""
        query = "SELECT 1 FROM cutover_confirmations WHERE realm_id = $1 LIMIT 1"
        return bool(self._connection.execute(query, [realm_id]).fetchall())

    def confirm(self, confirmation: Mapping[str, object]) -> None:
        """Keep that a person has confirmed it: a row of `schemas.CutoverConfirmations`."""
        self._insert(schemas.CutoverConfirmations, [confirmation])

    def closed_period(self) -> list[Delivery]:
        """Refusals as of closed books, less those with a success on a day not after theirs since.

        Those of the day that was tried least recently come first.
        """
        return self._select(
            "error_code = ANY($1) AND state = 'refused' AND NOT EXISTS (SELECT 1 FROM deliveries "
            "AS later WHERE later.state = 'sent' AND later.work_date <= deliveries.work_date "
            "AND later.sent_at > deliveries.updated_at) ORDER BY max(updated_at) OVER "
            "(PARTITION BY work_date), work_date, entry_id",
            [list(CLOSED_PERIOD)],
        )

    def record(self, rows: Sequence[Delivery], batch_id: str | None = None) -> None:
        """Write the new state of deliveries and append it to their history, all or nothing."""
        if not rows:
            return
        others = ", ".join(
            f"{name} = EXCLUDED.{name}" for name in COLUMNS if name not in {"entry_id", "part"}
        )
        with transaction(self._connection):
            self._insert(
                schemas.Deliveries,
                [vars(row) for row in rows],
                f"ON CONFLICT (entry_id, part) DO UPDATE SET {others}",
            )
            self._append(rows, batch_id)

    def intend(self, row: Delivery) -> None:
        """Append to a delivery's history what it is about to become; as it stands it stays."""
        self._append([row], None)

    def last_payloads(self, entry_ids: Iterable[str]) -> dict[str, str]:
        """What was last written of each entry, or was about to be, by entry id."""
        rows = self._connection.execute(
            "SELECT entry_id, payload FROM delivery_attempts WHERE entry_id = ANY($1) "
            "ORDER BY recorded_at",
            [list(entry_ids)],
        ).fetchall()
        return dict(rows)

    def _append(self, rows: Sequence[Delivery], batch_id: str | None) -> None:
        history = [_attempt(row, batch_id, place) for place, row in enumerate(rows)]
        self._insert(schemas.DeliveryAttempts, history)

    def _bound(self) -> Binding | None:
        rows = self._connection.execute(
            "SELECT realm_id, workspace_id, time_zone, rounding FROM ledger_binding"
        ).fetchall()
        return Binding(*rows[0]) if rows else None

    def _ids(self, quickbooks_ids: Iterable[str], condition: str) -> set[str]:
        """Those of the time activities that some delivery names under a condition."""
        rows = self._connection.execute(
            f"SELECT quickbooks_id FROM deliveries WHERE quickbooks_id = ANY($1) AND {condition}",
            [list(quickbooks_ids)],
        ).fetchall()
        return {quickbooks_id for (quickbooks_id,) in rows}

    def _insert(
        self, model: type[Table], rows: Sequence[Mapping[str, object]], otherwise: str = ""
    ) -> None:
        """Add rows to a table; what they hold beside its columns is left out.

        Raises:
            Stop: a row is not what the model says.
        """
        validated(model, pd.DataFrame(rows))
        names = list(sql_types(model))
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            values = [row[name] for row in rows[start : start + ROWS_A_STATEMENT] for name in names]
            places = ", ".join(
                "(" + ", ".join(f"${first + column}" for column in range(len(names))) + ")"
                for first in range(1, len(values), len(names))
            )
            self._connection.execute(
                f"INSERT INTO {name_of(model)} ({', '.join(names)}) VALUES {places} {otherwise}",
                values,
            )

    def _select(self, where: str, parameters: Sequence[object]) -> list[Delivery]:
        rows = self._connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM deliveries WHERE {where}", list(parameters)
        ).fetchall()
        return [Delivery(**dict(zip(COLUMNS, row, strict=True))) for row in rows]


def _attempt(row: Delivery, batch_id: str | None, place: int) -> dict[str, object]:
    return vars(row) | {
        "attempt": row.attempts,
        "batch_id": batch_id,
        "batch_position": place if batch_id else None,
        "recorded_at": row.updated_at,
    }
