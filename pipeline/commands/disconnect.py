"""`disconnect`: the connection to QuickBooks is ended at Intuit, and its tokens are forgotten."""

import click

from pipeline.quickbooks.tokens import CONNECT, Tokens
from pipeline.settings import Settings


@click.command(name="disconnect")
@click.confirmation_option(prompt="Nothing can be sent until somebody connects again. Disconnect?")
def command() -> None:
    """End the connection to QuickBooks and forget its tokens."""
    settings = Settings.load()
    if Tokens(settings).disconnect():
        click.echo(f"Disconnected. `{CONNECT}` connects again.")
    else:
        click.echo("There was no connection.")
