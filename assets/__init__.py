"""The Dagster assets, one file a stage: extract, review, load."""
