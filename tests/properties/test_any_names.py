"""Matching, over any names: nobody is meant who is not named character for character."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.review.matching import Mode, match_customers, match_people
from pipeline.review.names import LOOKS, difference, folded
from tests.pipeline.examples import customer, customers, employees, users

EXAMPLES = settings(max_examples=80, derandomize=True)
LETTERS = "aA\u0430 \u00a0\u200b'\u2019-\u2013\u00e9e\u0301"
NAME = st.text(alphabet=LETTERS, max_size=3)
STAFF = st.lists(st.tuples(NAME, st.booleans()), max_size=5)
MODES = st.sampled_from(["auto", "project", "client_project"])


@EXAMPLES
@given(name=NAME | st.none(), staff=STAFF, namesakes=st.integers(1, 2))
def test_only_the_one_active_employee_of_exactly_the_name_is_meant(
    name: str | None, staff: list[tuple[str, bool]], namesakes: int
) -> None:
    """And only for one user of that name; what is not accepted has a problem and a hint."""
    people = [(f"u{number}", name) for number in range(namesakes)]
    rows = employees(*((str(number), *row) for number, row in enumerate(staff)))
    match = match_people(people, users(), rows)[name]
    same = [str(number) for number, row in enumerate(staff) if row == (name, True)]
    is_accepted = bool(name) and namesakes == 1 and len(same) == 1
    assert match.id == (same[0] if is_accepted else None)
    assert (match.problem is None) == is_accepted
    assert bool(match.hint) != is_accepted


@EXAMPLES
@given(
    client=NAME | st.none(),
    project=NAME | st.none(),
    tops=st.lists(st.tuples(NAME, st.booleans()), max_size=3),
    below=st.lists(st.tuples(NAME, st.booleans(), st.booleans(), st.integers(0, 2)), max_size=4),
    mode=MODES,
)
def test_only_the_one_active_customer_of_exactly_the_names_is_meant(
    client: str | None,
    project: str | None,
    tops: list[tuple[str, bool]],
    below: list[tuple[str, bool, bool, int]],
    mode: Mode,
) -> None:
    """By parent and own name where the client counts, else top-level or a QuickBooks project."""
    rows = [customer(f"1{n}", name, is_active=on) for n, (name, on) in enumerate(tops)]
    under = [row for row in below if row[3] < len(tops)]
    rows += [
        customer(f"2{n}", f"{tops[top][0]}:{name}", f"1{top}", is_active=on, is_project=is_project)
        for n, (name, on, is_project, top) in enumerate(under)
    ]
    match = match_customers([(client, project)], customers(*rows), mode)[client, project]
    if mode == "client_project" or (mode == "auto" and client is not None):
        same = [
            f"2{n}"
            for n, (name, on, _, top) in enumerate(under)
            if on and (tops[top][0], name) == (client, project)
        ]
    else:
        same = [f"1{n}" for n, (name, on) in enumerate(tops) if on and name == project]
        same += [
            f"2{n}"
            for n, (name, on, is_p, _) in enumerate(under)
            if on and is_p and name == project
        ]
    is_accepted = bool(project) and len(same) == 1
    assert match.id == (same[0] if is_accepted else None)
    assert bool(match.hint) != is_accepted


@EXAMPLES
@given(ours=NAME, theirs=NAME, odd=st.sampled_from(LETTERS))
def test_names_that_look_alike_are_told_apart_by_what_differs(
    ours: str, theirs: str, odd: str
) -> None:
    """Where only looks differ, something is named, as much from either side; else nothing."""
    for one, other in ((ours, theirs), (ours, ours), (ours, f"{ours}{odd}"), (ours, ours.upper())):
        found, is_alike = difference(one, other), folded(one) == folded(other)
        assert bool(found) == (one != other and is_alike) or not folded(one), "of what can be seen"
        assert len(found) == len(difference(other, one)) <= len(LOOKS)
