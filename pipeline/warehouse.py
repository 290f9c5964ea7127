"""The warehouse: the file of extracts and verdicts, and how an older one becomes today's."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd

from pipeline import doors
from pipeline.database import Connection, Database, transaction
from pipeline.schemas import WAREHOUSE_TABLES, Table, name_of

MIGRATIONS = {
    1: "ALTER TABLE rejected_time_entries ADD COLUMN quickbooks_employee_id VARCHAR; "
    "ALTER TABLE rejected_time_entries ADD COLUMN quickbooks_customer_id VARCHAR",
    2: """
    ALTER TABLE quickbooks_employees ADD COLUMN sync_token VARCHAR;
    ALTER TABLE quickbooks_customers ADD COLUMN sync_token VARCHAR;
    CREATE TABLE quickbooks_activities (
        quickbooks_id VARCHAR, work_date DATE, person_id VARCHAR, person_name VARCHAR,
        customer_id VARCHAR, customer_name VARCHAR, item_id VARCHAR, item_name VARCHAR,
        minutes BIGINT, rate_minor BIGINT, amount_minor BIGINT, currency VARCHAR,
        is_billable BOOLEAN, is_billed BOOLEAN, description VARCHAR, created_at TIMESTAMPTZ,
        updated_at TIMESTAMPTZ, entry_id VARCHAR, read_at TIMESTAMPTZ
    );
    CREATE TABLE drift (
        work_date DATE, side VARCHAR, kind VARCHAR, field VARCHAR, before VARCHAR, after VARCHAR,
        entry_id VARCHAR, quickbooks_id VARCHAR, person_id VARCHAR, person VARCHAR,
        customer_id VARCHAR, customer VARCHAR, minutes BIGINT, is_billed BOOLEAN,
        is_warning BOOLEAN, not_followed VARCHAR, found_at TIMESTAMPTZ
    );
    CREATE TABLE compared_days (work_date DATE, compared_at TIMESTAMPTZ);
    """,
    3: "ALTER TABLE quickbooks_company ADD COLUMN service_item_sync_token VARCHAR",
}
"""From a version to the SQL that makes it the next one."""


class Warehouse:
    """The file of extracts and verdicts. Its loss costs a re-read of the APIs, nothing else."""

    def __init__(self, path: Path) -> None:
        self.database = Database(
            path=path,
            what="warehouse",
            when_broken="move it away: the next run makes a new one and reads the APIs again",
            tables=WAREHOUSE_TABLES,
            version=len(MIGRATIONS) + 1,
            migrations=MIGRATIONS,
        )

    def connect(self) -> AbstractContextManager[Connection]:
        """A short connection: open, work, close; never across a call to an API."""
        return self.database.connect()

    def read(
        self,
        model: type[Table],
        where: str = "TRUE",
        parameters: Sequence[object] = (),
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Rows of a table; see `doors.read`."""
        with self.connect() as connection:
            return doors.read(connection, model, where, parameters, columns)

    def replace(self, model: type[Table], frame: pd.DataFrame) -> None:
        """Put a whole new snapshot in a table's place, in one transaction."""
        with self.connect() as connection, transaction(connection):
            connection.execute(f"DELETE FROM {name_of(model)}")
            doors.insert(connection, model, frame)
