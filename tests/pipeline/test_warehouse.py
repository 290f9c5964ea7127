"""The warehouse: an older file becomes what a new one is."""

from pathlib import Path

import duckdb

from pipeline.schemas import (
    WAREHOUSE_TABLES,
    name_of,
    sql_types,
)
from pipeline.warehouse import Warehouse

ADDED = {
    "quickbooks_company": ["service_item_sync_token"],
    "quickbooks_employees": ["sync_token"],
    "quickbooks_customers": ["sync_token"],
    "rejected_time_entries": ["quickbooks_employee_id", "quickbooks_customer_id"],
}
"""Columns that the first version did not have."""


def test_the_warehouses_migrations_lead_to_what_a_new_file_has(tmp_path: Path) -> None:
    """From a file of the first version, as it was made."""
    first = tmp_path / "first.duckdb"
    with duckdb.connect(str(first)) as connection:
        connection.execute("CREATE TABLE schema_version AS SELECT 1::BIGINT AS version")
        for model in WAREHOUSE_TABLES:
            if name_of(model) not in {"quickbooks_activities", "drift", "compared_days"}:
                types = dict(sql_types(model))
                for added in ADDED.get(name_of(model), ()):
                    del types[added]
                columns = ", ".join(f"{key} {sql}" for key, sql in types.items())
                connection.execute(f"CREATE TABLE {name_of(model)} ({columns})")
    with Warehouse(first).connect() as connection:
        for model in WAREHOUSE_TABLES:
            described = connection.execute(f"DESCRIBE {name_of(model)}").fetchall()
            found = {name: sql for name, sql, *_ in described}
            found = {
                k: v.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ") for k, v in found.items()
            }
            assert found == sql_types(model)
