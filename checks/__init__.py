"""The asset checks: gates judge a run's window, standing checks all that is open."""
