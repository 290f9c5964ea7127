"""Reports: what people look at afterwards, in SQL over both files and their published copy.

Keeps out Dagster (`orchestration`) and the terminal (`commands`).
"""
