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


def complaints(path: Path, names: Collection[str], free: Collection[str]) -> list[str]:
    """What is odd in a file, with the fix of each.

    Args:
        path: the file.
        names: of the settings that nothing else sets, in capitals.
        free: those whose value may be any text.

    Raises:
        OSError: there is no such file, or it cannot be read.
        UnicodeDecodeError: it is no UTF-8.
    """
    with path.open(encoding="utf-8") as file:
        lines = list(parse_stream(file))
    given = {str(line.key).upper() for line in lines if line.key}
    return [
        *(
            f"line {line.original.line} of {path} cannot be read: a value with quotes in it stands "
            "in the other kind of quotes, as in '\"Lee, Ann\", Bo'"
            for line in lines
            if line.error
        ),
        *_misspelt(given, {*names} - given),
        *_cut([line for line in lines if line.key], free),
    ]


def misspelt(given: Collection[str], names: Collection[str]) -> list[str]:
    """Names that are a setting's but for their underscores: all that may be said of a whole shell.

    Args:
        given: names of variables, in capitals.
        names: of the settings that nothing sets, in capitals.
    """
    plain = {name.replace("_", ""): name for name in names}
    return [
        f"{name} is no setting: it is called {plain[name.replace('_', '')]}"
        for name in given
        if name not in names and name.replace("_", "") in plain
    ]


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
