"""`python -m pipeline …`: the command line. Keeps out the commands, which stand in `commands`."""

import io
import pkgutil
import sys
from importlib import import_module
from typing import NoReturn

import click

from pipeline import commands, files
from pipeline.stops import Stop
from pipeline.terminal import STOPPED, TRY_LATER


class Commands(click.Group):
    """The commands, each imported only when it is asked for."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Every module in `pipeline.commands`."""
        return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, if there is one."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"pipeline.commands.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what stops it is one sentence and its fix on stderr."""
        try:
            return super().invoke(ctx)
        except Stop as stop:
            _end(ctx, stop)
        except OSError as error:
            if not error.filename:  # such as a closed pipe, with which click knows what to do
                raise
            _end(ctx, files.out_of_reach(error))


def _end(ctx: click.Context, stop: Stop) -> NoReturn:
    click.echo(str(stop), err=True)
    ctx.exit(TRY_LATER if stop.is_transient else STOPPED)


@click.command(cls=Commands)
def main() -> None:
    """Clockify to QuickBooks, for the person at the terminal.

    Exit codes: 0 done; 1 stopped, the message says what to do; 2 wrong usage; 3 done, and
    something is left for a person to decide; 4 stopped, but the same may succeed later.
    """


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8
    main(prog_name="python -m pipeline")
