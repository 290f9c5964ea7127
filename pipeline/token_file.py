"""The file that holds a company's tokens: one writer at a time, and never half written.

Intuit may kill the old refresh token the moment it gives a new one, so room for the new pair is
taken on the disk before the old one is spent, and the pair is on the disk before it is used
(quickbooks-api.md, 10.2 and 10.3). Keeps out how a pair is obtained.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from pipeline.stops import Stop

LEEWAY = timedelta(minutes=2)
"""An access token this close to its end is renewed first: it must outlast one request."""
ROOM = 16_384
"""Bytes reserved for a pair of tokens; Intuit's are below 5,000."""


@dataclass(frozen=True)
class Pair:
    """What the token file holds. Instants are ISO 8601."""

    realm_id: str
    access_token: str
    refresh_token: str
    issued_at: str
    expires_at: str
    """When the access token ends, by this machine's clock."""

    @property
    def is_fresh(self) -> bool:
        """Whether the access token outlasts a request."""
        return datetime.now(UTC) + LEEWAY < datetime.fromisoformat(self.expires_at)


class TokenFile:
    """A token file of one company.

    Args:
        path: Where it is; a lock file is kept beside it.
        realm_id: The company it must belong to.
    """

    def __init__(self, path: Path, realm_id: str) -> None:
        self.path = path
        self._realm_id = realm_id

    def read(self) -> Pair | None:
        """Return what is stored, or None where nothing is yet.

        Raises:
            Stop: the file is damaged, unreadable, or another company's.
        """
        try:
            pair = Pair(**json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise Stop(
                f"The token file {self.path} cannot be read ({type(error).__name__})",
                "Restore it, or delete it and set QUICKBOOKS_REFRESH_TOKEN to a new token",
            ) from None  # a decoder's message may quote the file
        if pair.realm_id != self._realm_id:
            raise Stop(
                f"The token file {self.path} belongs to company {pair.realm_id}, but "
                f"QUICKBOOKS_REALM_ID is {self._realm_id}",
                "Set QUICKBOOKS_TOKEN_FILE to a file of its own for each company",
            )
        return pair

    @contextmanager
    def locked(self, seconds: float) -> Iterator[None]:
        """Be the only process that renews the tokens.

        Raises:
            Stop: another process has been at it for longer than `seconds`.
        """
        with self._writable():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(f"{self.path}.lock", timeout=seconds, mode=0o600)
            try:
                lock.acquire()
            except Timeout:
                raise Stop(
                    f"Another process has been renewing {self.path} for over {seconds} seconds",
                    "End that process, then run again",
                    is_transient=True,
                ) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def reserved(self) -> Iterator[Callable[[Pair], None]]:
        """Give a way to store a pair, the room for which is already taken.

        Raises:
            Stop: the disk is full or the folder may not be written.
        """
        new = self.path.with_name(f"{self.path.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        try:
            with self._writable(), os.fdopen(os.open(new, flags, 0o600), "wb") as file:
                _flush(file, b" " * ROOM)
                yield lambda pair: self._store(pair, file, new)
        finally:
            new.unlink(missing_ok=True)

    def _store(self, pair: Pair, file: IO[bytes], new: Path) -> None:
        file.seek(0)
        _flush(file, json.dumps(asdict(pair)).encode().ljust(ROOM))
        new.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Stop(
                f"The token file {self.path} cannot be written ({error.strerror})",
                "Free the disk or correct the folder's permissions, then run again",
            ) from error


def _flush(file: IO[bytes], content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
