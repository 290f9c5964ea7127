"""`disconnect`: the connection to QuickBooks is ended at Intuit, and its tokens are forgotten."""

import click

from pipeline import terminal
from pipeline.quickbooks.tokens import CONNECT, Tokens
from pipeline.settings import Settings


@click.command(name="disconnect")
@click.option("--yes", is_flag=True, help="Do not ask.")
@terminal.as_json
def command(*, yes: bool, as_json: bool) -> None:
    """End the connection to QuickBooks and forget its tokens."""
    if not yes:
        click.confirm(
            "Nothing can be sent until somebody connects again. Disconnect?", abort=True, err=True
        )
    was_connected = Tokens(Settings.load()).disconnect()
    if as_json:
        terminal.print_json({"was_connected": was_connected})
    elif was_connected:
        click.echo(f"Disconnected. `{CONNECT}` connects again.")
    else:
        click.echo("There was no connection.")
