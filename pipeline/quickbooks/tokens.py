"""Intuit's OAuth tokens: refreshed by one process at a time, stored before they are used.

Intuit may kill the old refresh token the moment it gives a new one, so room for the new pair is
taken on the disk before the old one is spent, and the pair is on the disk before it is used
(quickbooks-api.md, 10.2 and 10.3). A consent's first pair takes the same way. Keeps out what is
asked of Intuit (`token_service`) and the consent itself (`consent`).
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO

from authlib.oauth2.base import OAuth2Error
from filelock import FileLock, Timeout

from pipeline import files
from pipeline.quickbooks.token_service import Pair, TokenService, refusal
from pipeline.settings import Settings
from pipeline.stops import Stop

CONNECT = "python -m pipeline connect"
ROOM = 16_384
"""Bytes reserved for a pair of tokens; Intuit's are below 5,000."""


class Tokens:
    """The tokens of one company.

    Args:
        settings: Names the company, the app's keys and the file; a lock file is kept beside it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # By whatever name it is called, it has one lock, and no link to it is written over.
        self._path = settings.quickbooks_token_file.resolve()
        self._pair: Pair | None = None
        first = settings.quickbooks_refresh_token
        self._first_token = first.get_secret_value() if first else ""
        self.secrets = {self._first_token} - {""}
        """Every secret value seen so far: what no text may show."""
        self._service = TokenService(settings, self.secrets)

    def access_token(self) -> str:
        """Return an access token that outlasts a request, refreshing it if need be.

        Raises:
            Stop: as `refresh`.
        """
        self._pair = self._pair or self.stored()
        if self._pair and self._pair.is_fresh:
            return self._pair.access_token
        return self.refresh()

    def refresh(self, rejected: str | None = None) -> str:
        """Return a new access token; one that another process has just stored will do.

        Args:
            rejected: The access token that QuickBooks refused, if one was.

        Raises:
            Stop: Intuit refuses the refresh token or the app's keys, or cannot be reached; the
                file is damaged, belongs to another company or cannot be written; another process
                has been renewing the tokens for longer than `LOCK_SECONDS`.
        """
        with self._locked():
            pair = self.stored()
            if pair is None or not pair.is_fresh or pair.access_token == rejected:
                pair = self._renewed(pair)
            self._pair = pair
        return pair.access_token

    def connect(self, code: str) -> None:
        """Store the first pair of a consent, in the place of what an earlier one left.

        Args:
            code: What Intuit's consent page gave; good once and for minutes.

        Raises:
            Stop: as `refresh`.
        """
        with self._locked():
            self.stored()  # refuses to write over the tokens of another company
            try:
                self._pair = self._kept(lambda: self._service.exchanged(code))
            except OAuth2Error as error:
                if error.error != "invalid_grant":
                    raise refusal(error.error) from None
                raise Stop(
                    "Intuit does not accept the code of this consent (invalid_grant)",
                    f"Run `{CONNECT}` again at once: a code is good for one use within minutes",
                ) from None

    def disconnect(self) -> bool:
        """End the connection at Intuit, then forget its tokens; whether there was one.

        Raises:
            Stop: as `refresh`; the tokens are kept.
        """
        with self._locked():
            pair = self.stored()
            if token := pair.refresh_token if pair else self._first_token:
                self._service.revoke(token)
            self._path.unlink(missing_ok=True)
            self._pair = None
        return bool(token)

    def _renewed(self, pair: Pair | None) -> Pair:
        """Spend the stored refresh token; if it is dead, the one a sibling stored meanwhile."""
        token = pair.refresh_token if pair else self._first_token
        if not token:
            raise Stop(
                f"QuickBooks is not connected: {self._path} does not exist",
                f"Connect the company with `{CONNECT}`",
            )
        while True:
            try:
                return self._kept(partial(self._service.refreshed, token))
            except OAuth2Error as error:
                now = self.stored() if error.error == "invalid_grant" else None
                if now is None or now.refresh_token == token:
                    raise refusal(error.error) from None
                token = now.refresh_token

    def _kept(self, ask: Callable[[], Pair]) -> Pair:
        """Ask for a new pair, which is stored before it is returned.

        What could keep it from being stored is tried before the old one is spent: room, and the
        move to its place, which a mount of the file alone does not allow.
        """
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            if files.is_there(self._path):
                with _made(new) as file:
                    _flush(file, self._path.read_bytes())
                    files.move(new, self._path)
            with _made(new) as file:
                _flush(file, b" " * ROOM)
                pair = ask()
                file.seek(0)
                _flush(file, json.dumps(asdict(pair)).encode().ljust(ROOM))
                files.move(new, self._path)
        finally:
            new.unlink(missing_ok=True)
        return pair

    def stored(self) -> Pair | None:
        """What is stored; None where nothing is yet.

        Raises:
            Stop: the file is damaged, or may not be read, or belongs to another company.
        """
        try:
            pair = Pair(**json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise files.out_of_reach(error) from error
        except (OSError, ValueError, TypeError) as error:
            raise Stop(
                f"The token file {self._path} cannot be read ({type(error).__name__})",
                f"Restore it, or delete it and run `{CONNECT}`",
            ) from None  # a decoder's message may quote the file
        if pair.realm_id != self._settings.quickbooks_realm_id:
            raise Stop(
                f"The token file {self._path} belongs to company {pair.realm_id}, but "
                f"QUICKBOOKS_REALM_ID is {self._settings.quickbooks_realm_id}",
                "Set QUICKBOOKS_TOKEN_FILE to a file of its own for each company",
            )
        self.secrets |= {pair.access_token, pair.refresh_token}
        return pair

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the only process that renews the tokens, where they can be stored."""
        seconds = self._settings.lock_seconds
        try:
            files.make_folder(self._path.parent)
            with FileLock(f"{self._path}.lock", timeout=seconds, mode=0o600):
                yield
        except Timeout:
            raise Stop(
                f"Another process has been renewing {self._path} for over {seconds} seconds",
                "End that process, then run again",
                is_transient=True,
            ) from None
        except OSError as error:
            raise Stop(
                f"The token file {self._path} cannot be written ({error.strerror})",
                "Free disk space, correct the folder's permissions, or mount the folder, not the "
                "file alone; then run again",
            ) from error


def _made(path: Path) -> IO[bytes]:
    """A file of our own that nobody else may read, whatever lies in its place."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _flush(file: IO[bytes], content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
