"""Intuit's consent: a person lets this program into a company's books, in a browser.

Holds the address of the consent page, what its answer says, and the two ways by which that comes
back: to a page served on this machine, or pasted from the browser. Keeps out what becomes of the
code (`tokens`). Facts: quickbooks-api.md, 10.1.
"""

import hmac
import secrets
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from authlib.oauth2.client import OAuth2Client

from pipeline.settings import Settings, is_loopback
from pipeline.stops import Stop

SCOPE = "com.intuit.quickbooks.accounting"
"""Read and write of the books: Intuit has no narrower one."""
ANSWER_SECONDS = 600
AROUND = " \t\r\n\"'`<>"
"""What stands around an address that was copied out of a text."""
DONE = "QuickBooks has answered. You may close this window; the terminal says what came of it."
STRAY = "This is not the answer to the consent asked for last. Use the newest window."


def asked(
    settings: Settings, show: Callable[[str], object], paste: Callable[[], str] | None
) -> str:
    """Ask for consent in a browser and return its code.

    Args:
        settings: Name the app, the company and the address to which the page leads back.
        show: Told the address of the consent page, for who opens it by hand.
        paste: Gives the address on which the browser ended; without it, a page on this machine
            is what the browser is led back to.

    Raises:
        Stop: the consent was refused, is for another company, was not asked for by us, or did not
            come within ten minutes; or the page on this machine cannot be served.
    """
    state = secrets.token_urlsafe(32)
    page = page_of(settings, state)
    if paste:
        _open(page, show)
        address = paste()
    else:
        with _callback(settings.quickbooks_redirect_url, state) as answers:
            _open(page, show)
            address = _awaited(answers)
    return code_in(address, state, settings.quickbooks_realm_id)


def page_of(settings: Settings, state: str) -> str:
    """The address of Intuit's consent page for one asking."""
    client = OAuth2Client(
        None,
        settings.quickbooks_client_id,
        scope=SCOPE,
        redirect_uri=settings.quickbooks_redirect_url,
    )
    page, _ = client.create_authorization_url(settings.quickbooks_authorize_url, state)
    return str(page)


def code_in(address: str, state: str, realm_id: str) -> str:
    """The code in the address to which the consent page led back.

    Args:
        address: As the browser shows it, with its query; quotes and brackets around it do no harm.
        state: What was asked with; another one may be somebody else's consent.
        realm_id: The company that is to be connected.

    Raises:
        Stop: the answer is not to our asking, is no consent, or is for another company.
    """
    query = urlsplit(address.strip(AROUND)).query
    answer = {name: values[0] for name, values in parse_qs(query).items()}
    if "error" not in answer and not {"code", "realmId"} <= answer.keys():
        raise Stop(
            "That address holds no answer",
            "Paste the whole address at which the browser ended up",
        )
    if not _is_same(answer.get("state", ""), state):
        raise Stop(
            "That address is not the answer to this consent: its state is missing or different",
            "Paste the whole address of the window that was opened last, or connect again",
        )
    if "error" in answer:
        raise Stop(
            f"The consent was not given ({answer['error'][:60]})",
            "Connect again and choose Connect on Intuit's page, as an admin of the company",
        )
    if answer["realmId"] != realm_id:
        raise Stop(
            f"The consent is for the QuickBooks company {answer['realmId'][:30]}, but "
            f"QUICKBOOKS_REALM_ID is {realm_id}; nothing was stored",
            "Connect again and choose that company on Intuit's page, or correct the setting",
        )
    return answer["code"]


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _open(page: str, show: Callable[[str], object]) -> None:
    show(page)
    webbrowser.open(page)  # on a machine without a browser, the person opens it elsewhere


def _awaited(answers: "Queue[str]") -> str:
    try:
        return answers.get(timeout=ANSWER_SECONDS)
    except Empty:
        raise Stop(
            f"Nobody answered Intuit's consent page within {ANSWER_SECONDS // 60} minutes",
            "Connect again; with --paste if the browser is on another machine",
        ) from None


@contextmanager
def _callback(redirect_url: str, state: str) -> Iterator["Queue[str]"]:
    """Serve the address to which the consent page leads back; yields what it is asked with."""
    answers: Queue[str] = Queue()
    url = urlsplit(redirect_url)

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            is_ours = asked.path == url.path
            given = parse_qs(asked.query).get("state", [""])[0]
            is_answer = is_ours and _is_same(given, state)
            self.send_response(200 if is_answer else 400 if is_ours else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write((DONE if is_answer else STRAY).encode())
            if is_answer:
                answers.put(self.path)

        def log_message(self, *_: object) -> None:
            """Say nothing: the line would hold the code."""

    try:
        server = ThreadingHTTPServer((url.hostname or "", url.port or 80), Page)
    except OSError as error:
        raise Stop(
            f"No page can be served at {redirect_url} ({error.strerror})",
            "End the program that uses the port, or connect with --paste",
        ) from error
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def is_pasted(settings: Settings) -> bool:
    """Whether its answer is pasted: where the consent page leads to, no page of ours is served."""
    url = settings.quickbooks_redirect_url
    return urlsplit(url).scheme != "http" or not is_loopback(url)
