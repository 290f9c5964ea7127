"""What stops a run: one sentence and its fix, in a terminal as in Dagster's log."""

import pytest

from pipeline.stops import Stop

TYPED = "No\x1b]0;theirs\x07 \x9b31m\u202e\nERROR all is lost"


def test_nothing_that_an_answer_quotes_is_carried_out_or_begins_a_line() -> None:
    """A fault quotes what somebody typed, and a terminal would carry out what is in it."""
    said = str(Stop(f"QuickBooks refused a read: {TYPED}", f"Look at {TYPED}"))
    shown = "No<U+001B>]0;theirs<U+0007> <U+009B>31m<U+202E><U+000A>ERROR all is lost"
    assert said == f"QuickBooks refused a read: {shown}. Look at {shown}."


@pytest.mark.parametrize("what", ["It is so", "It is so.", " It is so. "])
def test_it_is_one_sentence_and_another(what: str) -> None:
    """However they end."""
    assert str(Stop(what, "change it")) == "It is so. Change it."
