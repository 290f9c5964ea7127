"""The one application on one port: Clockify, QuickBooks, Intuit's OAuth, and the admin routes.

Holds: what is served where. Keeps out: what is answered, and the command line.
"""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from pipeline.sandbox import admin
from pipeline.sandbox.clockify.routes import routes as clockify_routes
from pipeline.sandbox.edge import Edge
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.quickbooks.oauth import routes as oauth_routes
from pipeline.sandbox.quickbooks.routes import routes as quickbooks_routes

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def build(holder: Holder) -> Starlette:
    """Return the application that serves a world.

    Args:
        holder: The world; its company is the only realm, its workspace the only one.
    """
    return Starlette(
        routes=[
            *clockify_routes(holder),
            *oauth_routes(holder),
            *quickbooks_routes(holder),
            *admin.routes(holder),
        ],
        middleware=[
            # A page in a browser must not reach the admin routes under a name of its own.
            Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"]),
            Middleware(Edge, holder=holder),
        ],
    )
