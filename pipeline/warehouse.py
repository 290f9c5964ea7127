"""The warehouse: the file of extracts and verdicts."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.schemas import WAREHOUSE_TABLES, Table, name_of
from pipeline.storage import doors
from pipeline.storage.database import Database, transaction


class Warehouse(Database):
    """The file of extracts and verdicts. Its loss costs a re-read of the APIs, nothing else.

    Connections that write are short: open, work, close; never across a call to an API.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(
            path=path,
            what="warehouse",
            when_broken="move it away: the next run makes a new one and reads the APIs again",
            tables=WAREHOUSE_TABLES,
            version=6,
        )

    def read(self, model: type[Table]) -> pd.DataFrame:
        """All rows of a table; see `doors.read`."""
        with self.connect() as connection:
            return doors.read(connection, model)

    def replace(self, model: type[Table], frame: pd.DataFrame) -> None:
        """Put a whole new snapshot in a table's place."""
        self.replace_all({model: frame})

    def replace_all(self, frames: Mapping[type[Table], pd.DataFrame]) -> None:
        """Put whole new snapshots in the place of their tables, all or none."""
        with self.connect() as connection, transaction(connection):
            for model, frame in frames.items():
                connection.execute(f"DELETE FROM {name_of(model)}")
                doors.insert(connection, model, frame)
