"""`connect`: a person consents in a browser, and the company's first tokens are stored."""

import click

from pipeline import terminal
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
@terminal.as_json
def command(*, paste: bool, as_json: bool) -> None:
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
    if as_json:
        said = {name: company[name] for name in ("company_name", "realm_id", "plan")}
        terminal.print_json({**said, "token_file": settings.quickbooks_token_file})
        return
    named = visible(f"{company['company_name']} ({company['plan'] or 'plan not named'})")
    click.echo(
        f"Connected to {named}, company {company['realm_id']}. The tokens are in "
        f"{settings.quickbooks_token_file}."
    )


def _show(page: str) -> None:
    asked = "Intuit asks for your consent in the browser. If none opens, open this:"
    click.echo(f"{asked}\n{page}", err=True)


def _pasted() -> str:
    address: str = click.prompt("The whole address at which the browser ended up", err=True)
    return address
