"""The local Clockify: its core API and its detailed report, over the sandbox's world.

Holds what a client can see of the real service, odd as it is, and keeps out the invented company.
"""

from pipeline.sandbox.clockify.routes import routes
from pipeline.sandbox.clockify.switches import SWITCHES

__all__ = ["SWITCHES", "routes"]
