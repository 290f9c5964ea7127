"""DuckDB: how a file is kept, and how frames get in and out. Keeps out which tables there are."""
