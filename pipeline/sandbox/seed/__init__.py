"""The invented company, and the predecessor that worked for it.

Holds what two services contain on the first day, and keeps out how they answer.
"""

from pipeline.sandbox.seed.invent import invent, today_there
from pipeline.sandbox.seed.old_button import press_old_button

__all__ = ["invent", "press_old_button", "today_there"]
