"""Remembers what a report selected, so that a big one's later pages cost little.

The first page always looks anew. A later one may reuse what the first found, unless the switches or
the number of entries changed since, or an entry was written through the API.
"""

from dataclasses import replace

from pipeline.sandbox.clockify.report_request import DetailedRequest
from pipeline.sandbox.clockify.reports import Selection, select
from pipeline.sandbox.world import World


class Selections:
    """The last report's selection."""

    def __init__(self) -> None:
        self._state: object = None
        self._selection = Selection([], None)

    def of(self, world: World, request: DetailedRequest) -> Selection:
        """Return what a request selects."""
        number = len(world.workspace.entries)
        state = (id(world), replace(request, page=1), dict(world.switches), number)
        if request.page == 1 or state != self._state:
            self._state, self._selection = state, select(world, request)
        return self._selection

    def forget(self) -> None:
        """Look anew for the next page."""
        self._state = None
