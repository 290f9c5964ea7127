"""`connect`: a person consents in a browser, and the company's first tokens are stored."""

import click

from pipeline.quickbooks import consent
from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.tokens import Tokens
from pipeline.settings import Settings
from pipeline.typed import visible


@click.command(name="connect")
@click.option(
    "--paste",
    is_flag=True,
    help="The browser is on another machine: paste the address at which it ends up.",
)
def command(*, paste: bool) -> None:
    """Connect to QuickBooks: Intuit asks for your consent in the browser.

    If QUICKBOOKS_REDIRECT_URL is on this machine, the answer is received here. Otherwise, as with
    production keys, the browser ends up on that page: paste its whole address.
    """
    settings = Settings.load()
    is_pasted = paste or consent.is_pasted(settings)
    tokens = Tokens(settings)
    tokens.connect(consent.asked(settings, _show, _pasted if is_pasted else None))
    with QuickBooks(settings, tokens) as quickbooks:
        company = quickbooks.company(is_alone=True)
    named = visible(f"{company['company_name']} ({company['plan'] or 'plan not named'})")
    click.echo(
        f"Connected to {named}, company {company['realm_id']}. The tokens are in "
        f"{settings.quickbooks_token_file}."
    )


def _show(page: str) -> None:
    click.echo(f"Intuit asks for your consent in the browser. If none opens, open this:\n{page}")


def _pasted() -> str:
    address: str = click.prompt("The whole address at which the browser ended up")
    return address
