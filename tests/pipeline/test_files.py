"""A file that a person asked for: there whole or not at all, and what is in its way is said."""

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline import files
from pipeline.stops import Stop

OLD, NEW = b"as it was", b"x" * 5000
SYSTEM = Path("/sys")
"""Where not even root may write."""


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk on which no file can grow beyond some bytes."""
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)


def test_what_is_moved_outlasts_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk has the new file before it takes the old one's place, and then that it did."""
    draft, place = tmp_path / "new", tmp_path / "it"
    draft.write_bytes(NEW)
    place.write_bytes(OLD)
    on_disk, flush = [], os.fsync

    def seen(number: int) -> None:
        flush(number)
        on_disk.append((Path(f"/proc/self/fd/{number}").readlink(), place.read_bytes()))

    monkeypatch.setattr("os.fsync", seen)
    files.move(draft, place)
    assert on_disk == [(draft, OLD), (tmp_path, NEW)]


def test_a_disk_that_fails_is_named_and_one_that_flushes_no_folder_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system says of a handle names no file; a file system may know no such thing."""
    draft, place = tmp_path / "new", tmp_path / "it"

    draft.write_bytes(NEW)

    def failing(code: int) -> Callable[[int], None]:
        def fail(_: int) -> None:
            raise OSError(code, os.strerror(code))

        return fail

    monkeypatch.setattr("os.fsync", failing(errno.EIO))
    with pytest.raises(OSError, match="error") as failed:
        files.move(draft, place)
    assert failed.value.filename == str(draft)
    monkeypatch.setattr("os.fsync", failing(errno.EINVAL))
    files.move(draft, place)
    assert place.read_bytes() == NEW


def test_what_the_system_cannot_tell_is_no_missing_file(tmp_path: Path) -> None:
    """A ledger that is taken for none would be made anew, without what was sent."""
    path = tmp_path / "it"
    assert not files.is_there(path)
    path.touch()
    assert files.is_there(path)
    assert files.is_there(tmp_path)
    assert not files.is_there(path / "below a file")
    with pytest.raises(OSError, match="name too long") as failed:
        files.is_there(tmp_path / ("x" * 300))
    assert failed.value.filename
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="symbolic links"):
        files.is_there(loop)


def test_it_takes_the_old_ones_place_and_its_readers(tmp_path: Path) -> None:
    """Whoever could not read the old one cannot read the new one; nothing else is left."""
    path = tmp_path / "it.csv"
    path.write_bytes(OLD)
    path.chmod(0o600)
    files.refuse_unwritable(path)
    assert path.read_bytes() == OLD
    files.write(path, NEW)
    assert path.read_bytes() == NEW
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_still_leads_to_it(tmp_path: Path) -> None:
    """What it leads to is replaced, not the link."""
    path, link = tmp_path / "it.csv", tmp_path / "link.csv"
    link.symlink_to(path)
    files.write(link, NEW)
    assert link.is_symlink()
    assert path.read_bytes() == NEW


def test_a_link_that_somebody_laid_in_the_drafts_place_is_not_written_through(
    tmp_path: Path,
) -> None:
    """In a folder that others may write to, it would lead into any file of who exports."""
    path, precious = tmp_path / "it.csv", tmp_path / "precious"
    precious.write_bytes(OLD)
    (tmp_path / f".{os.getpid()}.new").symlink_to(precious)
    files.write(path, NEW)
    assert precious.read_bytes() == OLD
    assert not path.is_symlink()
    assert path.read_bytes() == NEW


def test_a_name_may_be_as_long_as_may_be(tmp_path: Path) -> None:
    """The draft beside it has a name of its own."""
    path = tmp_path / ("x" * 255)
    files.write(path, NEW)
    assert path.read_bytes() == NEW


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere/it.csv", "There is no folder "),
        ("folder", "is a folder. Name a file in it"),
        ("file/it.csv", "is not a folder. Name a file in a folder that exists"),
        ("x" * 256, "cannot be written (File name too long). Name a file"),
        pytest.param(
            SYSTEM / "it.csv",
            "cannot be written (Permission denied). Name a file where you may write",
            marks=pytest.mark.skipif(not SYSTEM.is_dir(), reason="no folder that nobody may write"),
        ),
    ],
)
def test_what_is_in_its_way_is_one_sentence_and_a_fix(
    tmp_path: Path, name: str | Path, said: str
) -> None:
    """The same before any work is done and at its end; nothing is left behind."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(OLD)
    for attempt in (
        files.refuse_unwritable,
        lambda path: files.write(path, NEW),
    ):
        with pytest.raises(Stop) as stopped:
            attempt(tmp_path / name)
        assert said in str(stopped.value)
        assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]
        assert (tmp_path / "file").read_bytes() == OLD


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    """Half a statement would be taken for a whole one."""
    path = tmp_path / "it.csv"
    path.write_bytes(OLD)
    with files_of_at_most(1000), pytest.raises(Stop) as stopped:
        files.write(path, NEW)
    assert f"The disk that holds {path} is full. Free some space" in str(stopped.value)
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_and_never_replaced(full_device: Path) -> None:
    """`--csv /dev/stdout` is a pipe's, not a file to be moved away."""
    files.refuse_unwritable(full_device)
    with pytest.raises(Stop) as stopped:
        files.write(full_device, NEW)
    assert "is full" in str(stopped.value)
    assert full_device.is_char_device()
