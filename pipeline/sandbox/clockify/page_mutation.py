"""What goes wrong between two pages: somebody adds or deletes an entry while a report is read.

Holds the one switch that does so. Both cases shift the later pages: a row added before the first
comes twice, a row deleted there takes its successor out of sight.
"""

from dataclasses import replace
from operator import attrgetter

from pipeline.sandbox.clockify.report_request import DetailedRequest
from pipeline.sandbox.clockify.reports import select
from pipeline.sandbox.clockify.switches import Holder, set_switch, switch


def mutate_between_pages(holder: Holder, request: DetailedRequest) -> None:
    """Change the window before one of its later pages is read, where the switch says so."""
    mode = switch(holder.world, "mutate_between_pages")
    if not mode or request.page == 1:
        return
    found = (reading.entry for reading in select(holder.world, request).readings)
    earliest = min(found, key=attrgetter("id"), default=None)
    if earliest is None:
        return
    entries = holder.world.workspace.entries
    if mode.startswith("add"):
        earliest = replace(earliest, id=_id_before(earliest.id))
        entries[earliest.id] = earliest
    else:
        del entries[earliest.id]
    holder.touch("workspace", "entries", earliest.id)
    if mode.endswith("once"):
        set_switch(holder, "mutate_between_pages", "")


def _id_before(entry_id: str) -> str:
    return f"{int(entry_id, 16) - 1:024x}"
