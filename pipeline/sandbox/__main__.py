"""`python -m pipeline.sandbox`: serve a local Clockify and a local QuickBooks on one port.

Holds: the command line. Keeps out: everything it starts.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

from pipeline.sandbox import environment, serve
from pipeline.sandbox.app import build
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.seed import invent, today_there
from pipeline.sandbox.store import StateInUseError, Store
from pipeline.sandbox.world import World


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; return the exit code.

    Args:
        arguments: The command line without the program's name; none reads the process's own.
    """
    asked = _parser().parse_args(arguments)
    try:
        _serve(asked)
    except (serve.NotLoopbackError, StateInUseError, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)  # noqa: T201  # a command line speaks
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _serve(asked: argparse.Namespace) -> None:
    listener = serve.listen(asked.host, asked.port)
    url = serve.address(listener, asked.host)
    store = Store(asked.state) if asked.state else None
    try:
        world = _world(asked, store)
        holder = Holder(world, store)
        if asked.env_file:
            environment.write(environment.environment(world, url), asked.env_file)
        serve.run(build(holder), listener, lambda: _say(f"sandbox ready on {url}"))
    finally:
        listener.close()
        if store is not None:
            store.close()


def _world(asked: argparse.Namespace, store: Store | None) -> World:
    """Return the stored world, or a new one; a stored one starts with an empty journal."""
    stored = store.read() if store is not None else None
    world = stored if stored is not None else invent(asked.seed, asked.today)
    if store is not None:
        store.snapshot(world)
    return world


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a command line speaks


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback name or address")
    parser.add_argument("--port", type=int, default=8765, help="0 picks a free one")
    parser.add_argument("--seed", type=int, default=7, help="which world to invent")
    parser.add_argument(
        "--today",
        type=date.fromisoformat,
        default=today_there(),
        help="the day up to which the invented world has entries",
    )
    parser.add_argument(
        "--state",
        type=Path,
        help="keep the world in this file; --seed and --today then matter only the first time",
    )
    parser.add_argument("--env-file", type=Path, help="write a pipeline's settings to this file")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
