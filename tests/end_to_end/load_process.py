"""A load in a process of its own: `load_process.py FIRST LAST NOW`, settings in the environment.

By the function that the asset calls, without Dagster. Prints the log lines.
"""

import os
import sys
from datetime import date, datetime

from pipeline.company import opened
from tests.end_to_end.stages import LOAD, take
from tests.settings import settings_of

first, last = map(date.fromisoformat, sys.argv[1:3])
now = datetime.fromisoformat(sys.argv[3])
with opened(settings_of(dict(os.environ)), "another process", print, lambda: now) as company:
    take(company, print, first, last, (LOAD,))
