"""What anybody may have typed, safe to show: in the UI and in a terminal alike."""

import unicodedata

DIRECTIONS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of what follows them."""


def visible(text: str) -> str:
    """A text with its control characters and direction marks as their code points.

    A terminal carries control characters out, and a direction mark disorders a whole line.
    """
    return "".join(f"<U+{ord(char):04X}>" if is_unseen(char) else char for char in text)


def is_unseen(char: str) -> bool:
    """Whether a character is carried out, or turns others around, instead of being shown."""
    return unicodedata.category(char) == "Cc" or char in DIRECTIONS
