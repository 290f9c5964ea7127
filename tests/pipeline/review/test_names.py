"""How two names differ that look alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.review.names import (
    APOSTROPHES,
    DASHES,
    LOOK_ALIKES,
    NON_BREAKING,
    QUOTES,
    difference,
)

ONE_LOOK = [
    ("Acme ", "Acme", "a trailing blank in Clockify"),
    ("Acme", "Acme ", "a trailing blank in QuickBooks"),
    (" Acme", "Acme", "a leading blank in Clockify"),
    ("Acme  Inc", "Acme Inc", "a doubled blank in Clockify"),
    ("Acme\u00a0Inc", "Acme Inc", "a non-breaking space (U+00A0) in Clockify"),
    ("Acme\u2009Inc", "Acme Inc", "an unusual blank (U+2009) in Clockify"),
    ("ACME", "Acme", "letter case"),
    ("ACME", "acme", "letter case"),
    ("Zoe\u0308", "Zo\u00eb", "the Unicode form (NFC or NFD)"),
    (
        "\u0430cme",
        "acme",
        "a look-alike letter (Cyrillic \u0430 U+0430 in place of a) in Clockify",
    ),
    (
        "Acme",
        "Acm\u0435",
        "a look-alike letter (Cyrillic \u0435 U+0435 in place of e) in QuickBooks",
    ),
    ("Ac\u200bme", "Acme", "a zero-width character (U+200B) in Clockify"),
    ("Acme", "\ufeffAcme", "a zero-width character (U+FEFF) in QuickBooks"),
    ("O\u2019Neil", "O'Neil", "a curly apostrophe (U+2019) in Clockify"),
    ("\u201cX\u201d", '"X"', "a curly quotation mark (U+201C, U+201D) in Clockify"),
    ("A\u2013B", "A-B", "another dash (U+2013) in Clockify"),
    ("A\ufb03nity", "Affinity", "a ligature or full-width sign (U+FB03) in Clockify"),
    ("Lot 7", "Lot \uff17", "a ligature or full-width sign (U+FF17) in QuickBooks"),
    ("Tree \u2618\ufe0f", "Tree \u2618", "a zero-width character (U+FE0F) in Clockify"),
    ("Ann\u3164", "Ann", "a zero-width character (U+3164) in Clockify"),
    ("Ann\ufe00", "Ann", "a zero-width character (U+FE00) in Clockify"),
    ("Sta\ufb00", "Staff", "a ligature or full-width sign (U+FB00) in Clockify"),
    ("Ea\ufb06", "East", "a ligature or full-width sign (U+FB06) in Clockify"),
    ("Lot\uff01", "Lot!", "a ligature or full-width sign (U+FF01) in Clockify"),
    ("Lot\uff5e", "Lot~", "a ligature or full-width sign (U+FF5E) in Clockify"),
]


@pytest.mark.parametrize(("ours", "theirs", "expected"), ONE_LOOK)
def test_the_one_unseen_difference_is_named(ours: str, theirs: str, expected: str) -> None:
    """By what it is, its code point where it has one, and the side on which it stands."""
    assert difference(ours, theirs) == (expected,)


def test_several_unseen_differences_are_all_named() -> None:
    """Correcting only one of them would not help."""
    found = difference("ACME\u00a0Inc ", "Acme Inc")
    assert found == (
        "a non-breaking space (U+00A0) in Clockify",
        "letter case",
        "a trailing blank in Clockify",
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Acme", "Acne"),
        ("XAcme", "Acme"),
        ("AcmeX", "Acme"),
        ("Jose", "Jos\u00e9"),
        ("Acme Inc", "AcmeInc"),
        ("Acme\ufe10", "Acme"),
        ("", "A"),
    ],
)
def test_what_differs_to_the_eye_is_no_unseen_difference(ours: str, theirs: str) -> None:
    """Another letter, accent or word is another name."""
    assert difference(ours, theirs) == ()


@given(st.text(alphabet="ab "))
def test_a_blank_put_after_a_name_is_always_named(name: str) -> None:
    """Also where blanks stand before it."""
    assert any("trailing blank" in look for look in difference(f"x{name} ", f"x{name}"))


@pytest.mark.parametrize("table", [LOOK_ALIKES, NON_BREAKING, APOSTROPHES, QUOTES, DASHES])
def test_only_what_no_keyboard_types_by_itself_is_levelled(table: dict[int, str]) -> None:
    """No plain letter is taken for another; each stranger for one plain character."""
    assert all(stranger > 127 for stranger in table)
    assert all(letter.isascii() and len(letter) == 1 for letter in table.values())
