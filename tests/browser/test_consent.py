"""The whole consent, in a real browser on the sandbox's authorize page, by the real commands."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Page

from pipeline.__main__ import main
from pipeline.quickbooks.consent import DONE
from tests.end_to_end.processes import PROJECT, Site, site

PRODUCTION = "https://books.example/quickbooks"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Site]:
    """A pipeline that was never connected, in a shell without a browser."""
    with site(tmp_path) as made, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        made.env |= {
            "QUICKBOOKS_REFRESH_TOKEN": "",
            "QUICKBOOKS_REDIRECT_URL": f"http://localhost:{port}/callback",
            "BROWSER": "true",
        }
        yield made


def connecting(shell: Site, *options: str) -> "tuple[subprocess.Popen[str], str]":
    """`connect` as it waits for the browser, and the address that it opens there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "connect", *options],
        env=shell.env,
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if line.startswith("http"):
            return process, line.strip()
    raise AssertionError(process.wait())


def ended(shell: Site, process: "subprocess.Popen[str]", typed: str | None = None) -> str:
    """What the command says in the end: its output, or what stopped it."""
    said, stopped = process.communicate(typed, timeout=60)
    shell.said += [said, stopped]
    return said or stopped


def stored(shell: Site) -> dict[str, Any]:
    """The token file."""
    found: dict[str, Any] = json.loads(Path(shell.env["QUICKBOOKS_TOKEN_FILE"]).read_text())
    return found


def connection(shell: Site) -> dict[str, str]:
    """What doctor finds about the connection, typed here: a process would import Dagster anew."""
    done = CliRunner(env=shell.env).invoke(main, ["doctor", "--json"])
    shell.said.append(done.output)
    found = json.loads(done.stdout)
    [found] = [each for each in found if each["claim"] == "QuickBooks is connected"]
    return dict(found)


def age(shell: Site) -> None:
    """An hour goes by: the access token is an old one."""
    path = Path(shell.env["QUICKBOOKS_TOKEN_FILE"])
    path.write_text(json.dumps(stored(shell) | {"expires_at": "2026-01-01T00:00:00+00:00"}))


def test_a_company_is_connected_used_rotated_disconnected_and_connected_again(
    shell: Site, page: Page
) -> None:
    """The second time as with production keys: by the address on which the browser ends."""
    tokens, company = shell.sandbox.world.tokens, shell.sandbox.world.company
    assert "python -m pipeline connect" in connection(shell)["fix"]

    process, address = connecting(shell)
    page.goto(address)
    assert company.name in page.inner_text("body")
    page.click("button[value=connect]")
    assert page.inner_text("body") == DONE
    assert f"Connected to {company.name} (QuickBooks Online Plus)" in ended(shell, process)
    assert process.returncode == 0
    assert Path(shell.env["QUICKBOOKS_TOKEN_FILE"]).stat().st_mode & 0o777 == 0o600

    first = stored(shell)["refresh_token"]
    age(shell)
    assert connection(shell)["state"] == "right"
    assert stored(shell)["refresh_token"] == tokens.refresh_token != first

    done = shell.run("python", "-m", "pipeline", "disconnect", "--yes")
    assert (done.returncode, tokens.is_revoked) == (0, True)
    assert connection(shell)["state"] == "wrong"

    shell.env["QUICKBOOKS_REDIRECT_URL"] = PRODUCTION
    page.route(f"{PRODUCTION}**", lambda route: route.fulfill(body="a page of the company's"))
    process, address = connecting(shell, "--json")
    page.goto(address)
    page.click("button[value=connect]")
    page.wait_for_url(f"{PRODUCTION}**")
    assert json.loads(ended(shell, process, f"{page.url}\n")) == {
        "company_name": company.name,
        "realm_id": company.realm_id,
        "plan": "QuickBooks Online Plus",
        "token_file": shell.env["QUICKBOOKS_TOKEN_FILE"],
    }
    assert connection(shell)["state"] == "right"


def test_a_person_who_refuses_is_told_what_to_choose(shell: Site, page: Page) -> None:
    """And nothing is stored."""
    process, address = connecting(shell)
    page.goto(address)
    page.click("button[value=cancel]")
    assert "The consent was not given (access_denied)" in ended(shell, process)
    assert process.returncode == 1
    assert not Path(shell.env["QUICKBOOKS_TOKEN_FILE"]).exists()


def test_a_consent_for_other_books_is_refused(shell: Site, page: Page) -> None:
    """The person chose another company than the settings name."""
    shell.env["QUICKBOOKS_REALM_ID"] = "4620816365000000000"
    process, address = connecting(shell)
    page.goto(address)
    page.click("button[value=connect]")
    said = ended(shell, process)
    assert (
        f"The consent is for the QuickBooks company {shell.sandbox.world.company.realm_id}" in said
    )
    assert process.returncode == 1
    assert not Path(shell.env["QUICKBOOKS_TOKEN_FILE"]).exists()
