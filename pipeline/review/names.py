"""How two names differ that look alike: for suggestions and their wording, never for matching.

Holds what can differ without being seen, one look after the other; keeps out which names are
compared and what follows from it (`matching`).
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

LOOK_ALIKES = {
    ord(stranger): letter
    for letter, strangers in {
        "A": "\u0410\u0391\uff21", "B": "\u0412\u0392\uff22", "C": "\u0421\uff23",
        "E": "\u0415\u0395\uff25", "H": "\u041d\u0397\uff28", "I": "\u0406\u0399\uff29",
        "J": "\u0408\uff2a", "K": "\u041a\u039a\uff2b", "M": "\u041c\u039c\uff2d",
        "N": "\u039d\uff2e", "O": "\u041e\u039f\uff2f", "P": "\u0420\u03a1\uff30",
        "S": "\u0405\uff33", "T": "\u0422\u03a4\uff34", "X": "\u0425\u03a7\uff38",
        "Y": "\u04ae\u03a5\uff39", "Z": "\u0396\uff3a",
        "a": "\u0430\u03b1\uff41", "c": "\u0441\u03f2\uff43", "d": "\u0501\uff44",
        "e": "\u0435\uff45", "h": "\u04bb\uff48", "i": "\u0456\u0131\uff49",
        "j": "\u0458\uff4a", "l": "\u04cf\uff4c", "n": "\u0578\uff4e", "o": "\u043e\u03bf\uff4f",
        "p": "\u0440\u03c1\uff50", "q": "\u051b\uff51", "s": "\u0455\uff53", "v": "\u03bd\uff56",
        "w": "\u051d\uff57", "x": "\u0445\uff58", "y": "\u0443\uff59",
    }.items()
    for stranger in strangers
}  # fmt: skip
"""Cyrillic, Greek, Armenian and full-width letters that are drawn like Latin ones."""

NON_BREAKING = dict.fromkeys(map(ord, "\u00a0\u2007\u202f"), " ")
APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u00b4"), "'")
QUOTES = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f"), '"')
DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")


INVISIBLE = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0") | set(map(chr, range(0xFE00, 0xFE10)))
"""What is drawn as nothing, or tells how the letter before is drawn, beside Unicode's own class."""
DRAWN_OTHERWISE = set(map(chr, (*range(0xFB00, 0xFB07), *range(0xFF01, 0xFF5F)))) - set(
    map(chr, LOOK_ALIKES)
)
"""Ligatures, such as \ufb03 for ffi, and the full-width forms of digits and signs."""


@dataclass(frozen=True, slots=True)
class Look:
    """One thing in which names differ unseen: what to call it, and how to level it."""

    label: str
    fold: Callable[[str], str]
    is_sided: bool = True
    """Whether it stands in one of the two names, and not in how they compare."""


def _without_invisible(name: str) -> str:
    return "".join(
        char for char in name if unicodedata.category(char) != "Cf" and char not in INVISIBLE
    )


def _spelled_out(name: str) -> str:
    return "".join(
        unicodedata.normalize("NFKC", char) if char in DRAWN_OTHERWISE else char for char in name
    )


def _with_plain_blanks(name: str) -> str:
    return "".join(
        " " if char.isspace() and ord(char) not in NON_BREAKING else char for char in name
    )


LOOKS = (
    Look("a zero-width character ({})", _without_invisible),
    Look("the Unicode form (NFC or NFD)", partial(unicodedata.normalize, "NFC"), is_sided=False),
    Look("a non-breaking space ({})", lambda name: name.translate(NON_BREAKING)),
    Look("an unusual blank ({})", _with_plain_blanks),
    Look("a curly apostrophe ({})", lambda name: name.translate(APOSTROPHES)),
    Look("a curly quotation mark ({})", lambda name: name.translate(QUOTES)),
    Look("another dash ({})", lambda name: name.translate(DASHES)),
    Look("a look-alike letter ({})", lambda name: name.translate(LOOK_ALIKES)),
    Look("a ligature or full-width sign ({})", _spelled_out),
    Look("letter case", str.lower, is_sided=False),
    Look("a leading blank", lambda name: name.lstrip(" ")),
    Look("a trailing blank", lambda name: name.rstrip(" ")),
    Look("a doubled blank", lambda name: re.sub(r"(?<=\S) {2,}(?=\S)", " ", name)),
)
"""In the order in which they are levelled: no look hides one that comes after it."""


def folded(name: str, *, leaving: Look | None = None) -> str:
    """A name with every unseen difference levelled, but for one if asked."""
    for look in LOOKS:
        if look is not leaving:
            name = look.fold(name)
    return name


def difference(ours: str, theirs: str) -> tuple[str, ...]:
    """What differs between two names that look alike.

    Args:
        ours: The name in Clockify.
        theirs: The name in QuickBooks.

    Returns:
        Each difference in words, such as `a trailing blank in Clockify`; none if the names are
        equal, or differ in more than looks.
    """
    if folded(ours) != folded(theirs):
        return ()
    return tuple(_described(look, ours, theirs) for look in _unseen(ours, theirs))


def odd_sides(ours: str, theirs: str) -> set[str]:
    """Which of two names that look alike may be the odd one: `Clockify`'s, `QuickBooks`'."""
    return {side for look in _unseen(ours, theirs) for side in _sides(look, ours, theirs)}


def _unseen(ours: str, theirs: str) -> list[Look]:
    return [look for look in LOOKS if folded(ours, leaving=look) != folded(theirs, leaving=look)]


def _sides(look: Look, ours: str, theirs: str) -> list[str]:
    both = {"Clockify": ours, "QuickBooks": theirs}
    odd = [side for side, name in both.items() if look.fold(name) != name]
    return odd if look.is_sided and odd else list(both)


def _described(look: Look, ours: str, theirs: str) -> str:
    odd = {char for char in ours + theirs if ours.count(char) != theirs.count(char)}
    named = ", ".join(_named(char, look) for char in sorted(odd) if look.fold(char) != char)
    label, sides = look.label.format(named), _sides(look, ours, theirs)
    return f"{label} in {sides[0]}" if len(sides) == 1 else label


def _named(char: str, look: Look) -> str:
    """A character by its code point, and by the letter it is taken for."""
    point = f"U+{ord(char):04X}"
    if ord(char) not in LOOK_ALIKES:
        return point
    alphabet = unicodedata.name(char).split()[0].capitalize()
    return f"{alphabet} {char} {point} in place of {look.fold(char)}"
