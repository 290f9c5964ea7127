"""Files that a person asked for by name: there whole or not at all.

Holds how a file gets into its place, and what stands in its way as one sentence with its fix; and
what to say of the pipeline's own.
Keeps out what is in it.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipeline.stops import Stop

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""How a disk, a quota and a limit on files say that nothing more fits."""

AS_ITS_USER = "run this as the pipeline's own user, or correct the permissions"


def write(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there; a device or pipe is written to directly.

    Raises:
        Stop: it cannot be written; what was there before is as it was, and nothing else is left.
    """
    with _told(path):
        if _is_device(path):
            path.write_bytes(content)
            return
        place = path.resolve()
        with _draft(place) as draft:
            draft.write(content)
            draft.flush()
            Path(draft.name).replace(place)


def move(draft: Path, place: Path) -> None:
    """Move a file to its place, so that after a power cut either the old one or all of it is there.

    Raises:
        OSError: it cannot be moved there.
    """
    _flush(draft)
    draft.replace(place)
    _flush(place.parent)


def _flush(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems of a network know no such thing
            raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(opened)


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder.

    From Python 3.14 on, `Path.exists` says no also where the system cannot tell: a ledger on a
    disk that fails would be taken for none, and a new one take its place.

    Raises:
        OSError: the system cannot tell.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def make_folder(folder: Path) -> None:
    """Make a folder of the pipeline's own, for its user alone; one that is there is left as it is.

    In its files are names, addresses and rates, and who makes those files, such as DuckDB, leaves
    them open to whoever may enter the folder.
    """
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)


def refuse_unwritable(path: Path) -> None:
    """Find out before any work is done whether a file could be written; leaves all as it is.

    Raises:
        Stop: it could not be.
    """
    with _told(path):
        if not _is_device(path):
            with _draft(path.resolve()):
                pass


def out_of_reach(error: OSError) -> Stop:
    """What to say of a file of the pipeline's own that the system does not let us have."""
    return Stop(f"{error.filename} cannot be accessed ({error.strerror})", AS_ITS_USER)


@contextmanager
def _draft(place: Path) -> Iterator[IO[bytes]]:
    """An empty file beside another, which only those may read who may read that; gone at the end.

    Raises:
        OSError: it cannot be made, or what is in its place may not be replaced.
    """
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if is_there(place) and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    draft = place.with_name(f".{os.getpid()}.new")  # short: the name may be as long as may be
    draft.unlink(missing_ok=True)
    with draft.open("xb") as file:  # never through a link that somebody laid there
        try:
            if is_there(place):
                shutil.copymode(place, draft)
            yield file
        finally:
            draft.unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    """Whether it is something that must not be replaced, such as `/dev/stdout`."""
    return is_there(path) and not path.is_file() and not path.is_dir()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _stop(path, error) from error


def _stop(path: Path, error: OSError) -> Stop:
    folder = path.parent
    if isinstance(error, IsADirectoryError):
        return Stop(f"{path} is a folder", f"name a file in it, such as {path / 'file.csv'}")
    if isinstance(error, FileNotFoundError):
        return Stop(f"There is no folder {folder}", "make it, or name a file in another folder")
    if isinstance(error, NotADirectoryError):
        return Stop(f"{folder} is not a folder", "name a file in a folder that exists")
    if error.errno in FULL:
        return Stop(
            f"The disk that holds {path} is full",
            "free some space, or name a file on another disk; nothing half-written is left",
        )
    return Stop(f"{path} cannot be written ({error.strerror})", "name a file where you may write")
