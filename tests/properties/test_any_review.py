"""The review, over any entries: the order in which they come decides nothing, and none is lost."""

from random import Random
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.review.judging import judge
from tests.pipeline.examples import LISTS, START, TODAY, entries, entry, rules

ANY = st.fixed_dictionaries(
    {},
    optional={
        "lasting": st.sampled_from([-60, 0, 29, 3600, 90_000]),
        "user_id": st.sampled_from(["u1", "u2"]),
        "user_name": st.sampled_from(["Ann Lee", "Cy Twin", "ann lee", None]),
        "project_name": st.sampled_from(["Website", "Twice", "Website ", None]),
        "client_name": st.sampled_from(["Acme", None]),
        "entry_type": st.sampled_from(["BREAK", "NEW"]),
        "is_billable": st.booleans(),
        "end_at": st.sampled_from([START, None]),
        "hourly_rate_minor": st.sampled_from([0, 4501, None]),
        "currency": st.sampled_from(["USD", "EUR"]),
        "work_date": st.just(pd.Timestamp(TODAY)),
    },
)


@settings(max_examples=10, derandomize=True)
@given(changes=st.lists(ANY, min_size=1, max_size=8), shuffled=st.randoms(use_true_random=False))
def test_the_order_of_the_entries_decides_nothing_and_none_is_lost(
    changes: list[dict[str, Any]], shuffled: Random
) -> None:
    """Every column of every verdict, in whatever order the entries are read."""
    rows = [entry(number, **change) for number, change in enumerate(changes)]
    mixed = shuffled.sample(rows, len(rows))
    first, second = (
        judge(entries(*some), LISTS, rules(), {}).sort_values("entry_id").reset_index(drop=True)
        for some in (rows, mixed)
    )
    assert first["entry_id"].tolist() == sorted(row["entry_id"] for row in rows)
    pd.testing.assert_frame_equal(first, second)
