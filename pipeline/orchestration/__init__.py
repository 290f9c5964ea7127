"""What of Dagster is ours: a run's window, what its UI shows, and alerts.

Keeps out the assembler (`definitions`), the assets and the checks.
"""
