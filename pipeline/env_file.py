"""What is odd in a settings file, and would pass in silence: names misspelt, values cut short.

Holds what `.env` may look like beyond what its parser takes. Keeps out the settings' own values
(`settings`, which alone asks for it). Nothing of a value is shown, since it may be a secret.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from rapidfuzz import fuzz, process

NEAR = 88.5
"""How like a setting's name, in per cent, one must be to be taken for it, misspelt."""


def complaints(
    file: Path | None, shell: Collection[str], names: Collection[str], free: Collection[str]
) -> list[str]:
    """What is odd in a file and a shell, with the fix of each.

    Args:
        file: the file, if there is one.
        shell: names of the shell's variables that hold something, in capitals.
        names: of all settings, in capitals.
        free: those whose value may be any text.

    Raises:
        OSError: there is no such file, or it cannot be read.
        UnicodeDecodeError: it is no UTF-8.
    """
    lines = _lines(file) if file else []
    # Of `.env.example` every name is there, and empty.
    in_file = {str(line.key).upper() for line in lines if line.value}
    unset = {*names} - in_file - {*shell}
    return [
        *(
            f"line {line.original.line} of {file} cannot be read: a value with quotes in it stands "
            "in the other kind of quotes, as in '\"Lee, Ann\", Bo'"
            for line in lines
            if line.error
        ),
        *_misspelt(in_file - {*names}, unset),
        *_run_together(sorted({*shell} - {*names}), unset),
        *_cut([line for line in lines if line.key], free),
    ]


def _lines(file: Path) -> list[Binding]:
    with file.open(encoding="utf-8") as text:
        return list(parse_stream(text))


def _run_together(given: Collection[str], names: Collection[str]) -> Iterator[str]:
    """Names that but for underscores are a setting's: all that may be said of a whole shell."""
    plain = {name.replace("_", ""): name for name in names}
    for name in given:
        if meant := plain.get(name.replace("_", "")):
            yield f"{name} is no setting: it is called {meant}"


def _misspelt(given: Collection[str], names: Collection[str]) -> Iterator[str]:
    for name in sorted(given):
        near = process.extractOne(name, sorted(names), scorer=fuzz.ratio, score_cutoff=NEAR)
        if near:
            yield f"{name} is no setting: is it {near[0]}?"


def _cut(lines: Collection[Binding], free: Collection[str]) -> Iterator[str]:
    """The parser takes a blank and `#` for the beginning of a comment, also in `Labor #2`."""
    for line in lines:
        _, _, text = line.original.string.strip().partition("=")
        value, hash_, rest = text.replace("\t#", " #").partition(" #")
        is_bare = bool(value.strip()) and value.strip()[0] not in "'\""
        is_comment = rest.startswith(" ")  # as in .env.example
        if str(line.key).upper() in free and is_bare and hash_ and not is_comment:
            yield f"{line.key} is cut at its #: put its value in double quotes"
