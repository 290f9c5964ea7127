"""Everything that a run needs, imported and its pure parts done once, before any fork.

Opens no database, no connection and no thread: those do not survive a fork.
"""

import gc
import importlib

import httpx
import pandas as pd

from pipeline import schemas
from pipeline.schemas import sql_types
from pipeline.storage.fitting import fitting
from tests.chaos import process
from tests.pipeline.rows import frame, valid

__all__ = ["process"]

for table in (*schemas.WAREHOUSE_TABLES, *schemas.LEDGER_TABLES):
    fitting(table, frame(table, valid(table, 1)), list(sql_types(table)), "")
for late in ("h11", "httpcore._sync.http11", "encodings.idna"):
    importlib.import_module(late)  # else imported by each process's first request
httpx.Client().close()
pd.DataFrame({"any": [1]}).to_dict("records")
gc.collect()
gc.freeze()  # else each process looks through all of this again and again
