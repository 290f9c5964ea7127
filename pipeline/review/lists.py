"""The lists by which entries are judged and sent for: people of both services, and customers.

A review and a load read them once, whatever the pieces: the run holds the warehouse, so that they
stay as they are meanwhile. Keeps out what a name of Clockify comes to in them (`matching`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from pipeline import schemas
from pipeline.quickbooks.activities import Facts
from pipeline.review.matching import living_name
from pipeline.storage import Connection, doors

Record = Mapping[str, Any]
Records = Mapping[str, Record]
STORED_PEOPLE = """
SELECT user_id, arg_max(user_name, read_at) AS user_name FROM clockify_time_entries
WHERE user_id NOT IN (SELECT user_id FROM clockify_users WHERE user_name <> '') GROUP BY user_id
"""
"""By the name read last, of those only who have none in the list of members: with older names, who
was renamed to be told apart would never be."""


@dataclass(frozen=True)
class Names:
    """QuickBooks' records by id, with the names that they bear."""

    people: Mapping[str, str]
    """Display names of employees, without what is added to an inactive one."""
    customers: Mapping[str, str]
    """The same of customers."""
    paths: Mapping[str, str]
    """Customers' names with those above them."""
    parents: Mapping[str, str]
    """The names of those above them, of sub-customers."""

    def row(self, known: Facts) -> Record:
        """What a person compares of an entry or an activity."""
        return {
            "person": self.people.get(known.person, known.person),
            "date": known.work_date,
            "minutes": known.minutes,
            "customer": self.paths.get(known.customer, known.customer),
            "description": known.description,
        }


@dataclass(frozen=True)
class Lists:
    """The lists as they were read."""

    users: pd.DataFrame
    """Id and name of every Clockify user known, of whatever day."""
    employees: pd.DataFrame
    """`QuickbooksEmployees`, inactive ones included."""
    customers: pd.DataFrame
    """`QuickbooksCustomers`, inactive ones included."""

    @classmethod
    def read(cls, connection: Connection) -> "Lists":
        """The lists as they are stored.

        Clockify lists neither who was removed nor every limited member, so whoever has a stored
        entry of any day may be a namesake too: else two of one name would each pass in a piece of
        their own.

        Raises:
            Stop: what is stored of employees or customers is not what their tables say.
        """
        stored = connection.execute(STORED_PEOPLE).df()
        return cls(
            pd.concat([doors.read(connection, schemas.ClockifyUsers), stored]),
            doors.read_valid(connection, schemas.QuickbooksEmployees),
            doors.read_valid(connection, schemas.QuickbooksCustomers),
        )

    @cached_property
    def employee(self) -> Records:
        """The employees by id."""
        return by_id(self.employees, "quickbooks_employee_id")

    @cached_property
    def customer(self) -> Records:
        """The customers by id."""
        return by_id(self.customers, "quickbooks_customer_id")

    @cached_property
    def names(self) -> Names:
        """The names of all in QuickBooks."""
        customers = _living(self.customer)
        above = {key: row["parent_id"] for key, row in self.customer.items()}
        return Names(
            people=_living(self.employee),
            customers=customers,
            paths={key: row["fully_qualified_name"] for key, row in self.customer.items()},
            parents={key: customers[id_] for key, id_ in above.items() if id_ in customers},
        )


def by_id(frame: pd.DataFrame, column: str) -> Records:
    """Rows of a table by a column's values."""
    records: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return {str(row[column]): row for row in records}


def _living(records: Records) -> dict[str, str]:
    return {
        key: living_name(row["display_name"], is_active=bool(row["is_active"]))
        for key, row in records.items()
    }
