"""A running sandbox: the server on its port, on this machine only.

Holds: how it is started, in the foreground or in a thread. Keeps out: the command line, and what is
served.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from pipeline.sandbox.app import LOOPBACK, build
from pipeline.sandbox.holder import Holder


class NotLoopbackError(ValueError):
    """The sandbox was asked to listen where others could reach it."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, and whose port is therefore known.

    Args:
        host: A loopback name or address.
        port: The port, or 0 for any that is free.

    Raises:
        NotLoopbackError: the host is another.
        OSError: the port is taken.
    """
    if host not in LOOPBACK:
        raise NotLoopbackError(
            f"the sandbox listens on this machine only: use --host 127.0.0.1, not {host!r}"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(128)
    return listener


def address(listener: socket.socket, host: str) -> str:
    """Return the address of a listener, without a slash at the end."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"


def run(app: ASGIApp, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until a signal stops it; `ready` is called once requests are answered."""
    server = _server(app, ready)
    server.run(sockets=[listener])


def running(holder: Holder) -> AbstractContextManager[str]:
    """Serve a world from a thread for as long as the block lasts, and give the address."""
    return serving(build(holder))


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application from a thread for as long as the block lasts, and give the address."""
    listener, is_ready = listen("127.0.0.1", 0), threading.Event()
    server = _server(app, is_ready.set)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    is_ready.wait(10)
    try:
        yield address(listener, "127.0.0.1")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


class _Server(uvicorn.Server):
    """A server that says when it listens, and whose last answers need not be waited for."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self._ready()


def _server(app: ASGIApp, ready: Callable[[], None]) -> _Server:
    config = uvicorn.Config(
        app,
        access_log=False,
        date_header=False,  # the edge gives the services' own clock
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    return _Server(config, ready)
