"""DuckDB: how a file is kept, and how frames get in and out. Keeps out which tables there are.

What asks and answers take is here; who opens files, waits for them or fits frames names the module.
"""

from pipeline.fields import Row
from pipeline.storage.database import Connection, read_only, transaction
from pipeline.storage.queries import rows

__all__ = ["Connection", "Row", "read_only", "rows", "transaction"]
