"""A load in a process of its own: `load_process.py FIRST LAST NOW`, settings in the environment.

Prints the log lines and what turned the run red; ends with 1 if anything did.
"""

import os
import sys
import warnings
from datetime import datetime

import dagster as dg

from pipeline.definitions import JOB, build_definitions
from pipeline.settings import Settings
from pipeline.windows import RANGE_END, RANGE_START

LOAD = "quickbooks_time_activities"
first, last, now = sys.argv[1:]
warnings.simplefilter("ignore")
definitions = build_definitions(Settings.load(os.environ), now=lambda: datetime.fromisoformat(now))
with dg.DagsterInstance.ephemeral() as instance:
    result = definitions.resolve_job_def(JOB).execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(LOAD)],
        tags={RANGE_START: first, RANGE_END: last},
        raise_on_error=False,
    )
sys.exit(not result.success)
