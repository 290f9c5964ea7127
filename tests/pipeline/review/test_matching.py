"""Who in QuickBooks is meant by a name in Clockify."""

from time import perf_counter

import pytest

from pipeline.review.directory import Match
from pipeline.review.matching import Mode, match_customers, match_people
from tests.pipeline.examples import customer, customers, employees, users

NOBODY = users()
STAFF = employees(
    ("1", "Ann Lee", True),
    ("2", "Bob Roy (deleted)", False),
    ("3", "Cy Twin", True),
    ("4", "Cy Twin", True),
    ("5", "Eve Back", True),
    ("6", "Eve Back (deleted)", False),
    ("7", "Fay Zed", False),
)
BOOK = customers(
    customer("10", "Acme"),
    customer("11", "Acme:Website", "10"),
    customer("12", "Globex"),
    customer("13", "Globex:Website", "12"),
    customer("14", "Globex:Launch", "12", is_project=True),
    customer("15", "Globex:Launch:Phase 1", "14"),
    customer("16", "Solo"),
    customer("17", "Acme:Old (deleted)", "10", is_active=False),
    customer("18", "Acme:Audit", "10", is_project=True),
    customer("19", "Globex:Audit", "12", is_project=True),
)


def person(name: str | None) -> Match:
    """What one user's name comes to among the example's employees."""
    return match_people([("u1", name)], NOBODY, STAFF)[name]


def project(client: str | None, name: str | None, mode: Mode = "auto") -> Match:
    """What one project comes to among the example's customers."""
    return match_customers([(client, name)], BOOK, mode)[client, name]


class TestPeople:
    """By display name, character for character."""

    @pytest.mark.parametrize(("name", "id_"), [("Ann Lee", "1"), ("Eve Back", "5")])
    def test_one_active_employee_of_the_name_is_meant(self, name: str, id_: str) -> None:
        """An inactive namesake does not matter."""
        assert person(name) == Match(id=id_)

    @pytest.mark.parametrize("name", ["Bob Roy", "Fay Zed"])
    def test_an_inactive_employee_is_named_as_such(self, name: str) -> None:
        """With or without the suffix that QuickBooks gives its name."""
        match = person(name)
        assert (match.id, match.problem) == (None, "inactive")
        assert f"`{name}`" in match.hint

    def test_two_inactive_employees_of_one_name_are_ambiguous(self) -> None:
        """Whichever was made active would get the time."""
        staff = employees(("1", "Ann Lee (deleted)", False), ("9", "Ann Lee (deleted)", False))
        match = match_people([("u1", "Ann Lee")], NOBODY, staff)["Ann Lee"]
        assert (match.id, match.problem) == (None, "ambiguous")
        assert match.hint.endswith("(id 9), inactive")

    def test_nobody_is_advised_to_take_anothers_name(self) -> None:
        """Renaming either side would give the time of the one to the other."""
        people = [("u1", "Ann Lee"), ("u2", "ann lee")]
        match = match_people(people, NOBODY, STAFF)["ann lee"]
        assert (match.problem, match.act) == ("unknown", "")
        assert match.hint.endswith("; that is the name of the Clockify user `u1`")
        assert match_people(people[1:], NOBODY, STAFF)["ann lee"].act.startswith("Rename the")

    def test_two_active_employees_of_one_name_are_both_shown(self) -> None:
        """Neither is guessed."""
        match = person("Cy Twin")
        assert (match.id, match.problem) == (None, "ambiguous")
        assert "id 3" in match.hint
        assert "id 4" in match.hint

    @pytest.mark.parametrize(
        ("entries_of", "members"),
        [
            ([("u1", "Ann Lee"), ("u2", "Ann Lee")], NOBODY),
            ([("u1", "Ann Lee")], users(("u2", "Ann Lee"))),
        ],
    )
    def test_two_users_of_one_name_are_ambiguous(self, entries_of: list, members: object) -> None:
        """Whether both have entries, or one is only a member of the workspace."""
        match = match_people(entries_of, members, STAFF)["Ann Lee"]
        assert (match.id, match.problem) == (None, "ambiguous")
        assert "`u1` and `u2`" in match.hint

    def test_namesakes_are_named_in_the_order_of_their_ids(self) -> None:
        """So that a hint does not change from run to run."""
        ids = [f"u{number}" for number in range(9)]
        match = match_people([(id_, "Ann Lee") for id_ in ids], NOBODY, STAFF)["Ann Lee"]
        assert " and ".join(f"`{id_}`" for id_ in ids) in match.hint

    def test_one_user_with_many_entries_is_one_user(self) -> None:
        """Users are counted by id, the workspace's list included."""
        people = [("u1", "Ann Lee")] * 3
        assert match_people(people, users(("u1", "Ann Lee")), STAFF)["Ann Lee"].id == "1"

    @pytest.mark.parametrize("name", [None, ""])
    def test_nobody_is_meant_by_no_name(self, name: str | None) -> None:
        """Users whose name is missing are not namesakes of one another."""
        people = [("u1", name), ("u2", name)]
        match = match_people(people, users(("u3", name)), STAFF)[name]
        assert (match.problem, match.hint) == ("unknown", "the user has no name in Clockify")
        assert match.act.startswith("Bill the time by hand")

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("Ann Lee ", "the nearest QuickBooks employee is `Ann Lee`; only a trailing blank in"),
            ("Anne Lee", "the nearest QuickBooks employee is `Ann Lee`"),
            ("Bob Royd", "the nearest QuickBooks employee is `Bob Roy` (inactive)"),
            ("Eve Bck", "the nearest QuickBooks employee is `Eve Back`"),
            ("Quentin", "no QuickBooks employee has a similar name"),
        ],
    )
    def test_what_nearly_matches_is_suggested_and_never_accepted(
        self, name: str, hint: str
    ) -> None:
        """With the difference where it cannot be seen; active employees come first."""
        match = person(name)
        assert (match.id, match.problem) == (None, "unknown")
        assert match.hint.startswith(hint)


class TestCustomers:
    """By project, or by client and project, as the mode and the data say."""

    def test_projects_of_several_clients_are_no_customers_by_their_name_alone(self) -> None:
        """The time of both would be billed to one."""
        pairs = [("Acme", "Solo"), ("Globex", "Solo")]
        for match in match_customers(pairs, BOOK, "project", {"Solo"}).values():
            assert (match.id, match.problem) == (None, "ambiguous")
            assert "CUSTOMER_MATCHING=client_project" in match.act
        assert match_customers(pairs, BOOK, "auto", {"Solo"})[pairs[0]].problem == "unknown"

    def test_no_mode_is_advised_by_which_another_client_would_pay(self) -> None:
        """Only a customer that is nobody's child is offered by its name alone."""
        assert "CUSTOMER_MATCHING" not in project("Acme", "Launch").hint
        assert "with `CUSTOMER_MATCHING=project`" in project("Acme", "Solo").hint
        alone = project(None, "Launch", "client_project").hint
        assert "with `CUSTOMER_MATCHING=project` it would match `Globex:Launch`" in alone

    def test_no_name_alone_gives_a_customers_time_to_another(self) -> None:
        """The client is a customer here, and the project of that name is another's."""
        match = project("Acme", "Launch", "project")
        assert (match.id, match.problem) == (None, "ambiguous")
        assert "`Acme`, and `Globex:Launch` belongs to another" in match.hint
        assert "CUSTOMER_MATCHING=client_project" in match.act
        namesakes = customers(
            customer("1", "Acme Inc"),
            customer("2", "Acme Inc:Launch", "1", is_project=True),
            customer("3", "Acme (deleted)", is_active=False),
            customer("4", "Acme Inc:Acme", "1"),
        )
        pair = ("Acme", "Launch")
        assert match_customers([pair], namesakes, "project")[pair] == Match(id="2")
        book = customers(
            customer("1", "Acme"),
            customer("2", "Acme:Website", "1", is_project=True),
            customer("3", "Globex"),
            customer("4", "Globex:Website", "3"),
            customer("5", "Solo"),
            customer("6", "Globex:Solo", "3"),
        )
        pairs = [(None, "Website"), (None, "Solo")]
        doubtful, sure = match_customers(pairs, book, "auto").values()
        if sure.problem:
            doubtful, sure = sure, doubtful
        assert (doubtful.id, doubtful.problem) == (None, "ambiguous")
        assert doubtful.act == "Give the Clockify project `Website` its client"
        assert sure == Match(id="5"), "a customer of its own is the manual's rule"
        asked = [(None, "Website")]
        assert match_customers(asked, book, "project")[asked[0]] == Match(id="2"), "as is set"
        book.loc[book["quickbooks_customer_id"] == "4", "is_active"] = False
        assert match_customers(asked, book, "auto")[asked[0]] == Match(id="2"), "the only active"

    @pytest.mark.parametrize(
        ("client", "name", "act"),
        [
            (None, "Globex:Website", "Rename the Clockify project `Globex:Website` to `Website`"),
            ("Acme", "Globex:Website", "without a colon"),
            (None, "Globex:Nowhere", "without a colon"),
        ],
    )
    def test_a_project_called_by_its_customers_path_is_told_so(
        self, client: str | None, name: str, act: str
    ) -> None:
        """Where there is such a customer, and no client that says otherwise."""
        assert act in project(client, name).act

    @pytest.mark.parametrize("name", ["Website", "Audit"])
    def test_a_project_without_the_client_that_tells_is_to_be_given_it(self, name: str) -> None:
        """To rename or to add a customer would send its time to a wrong one."""
        assert project(None, name).act == f"Give the Clockify project `{name}` its client"
        assert "client" not in project(None, "Nothing alike").act

    @pytest.mark.parametrize(
        ("client", "name", "mode", "id_"),
        [
            ("Acme", "Website", "auto", "11"),
            ("Globex", "Website", "auto", "13"),
            ("Launch", "Phase 1", "auto", "15"),
            (None, "Solo", "auto", "16"),
            (None, "Launch", "auto", "14"),
            ("Anything", "Solo", "project", "16"),
            ("Anything", "Launch", "project", "14"),
            ("Globex", "Launch", "project", "14"),
            ("Acme", "Website", "client_project", "11"),
        ],
    )
    def test_the_one_customer_of_the_names_is_meant(
        self, client: str | None, name: str, mode: Mode, id_: str
    ) -> None:
        """A sub-customer under its parent; alone, a top-level customer or QuickBooks project."""
        assert project(client, name, mode) == Match(id=id_)

    @pytest.mark.parametrize(
        ("client", "name", "mode"),
        [
            (None, "Website", "auto"),
            ("Acme", "Solo", "auto"),
            ("", "Solo", "auto"),
            ("Acme", "Launch", "auto"),
            ("acme", "Website", "auto"),
            ("Acme", "Website", "project"),
            (None, "Solo", "client_project"),
            ("Globex", "Phase 1", "auto"),
            (None, "Acme:Website", "auto"),
            (None, None, "auto"),
        ],
    )
    def test_nothing_else_is_accepted(
        self, client: str | None, name: str | None, mode: Mode
    ) -> None:
        """No leaf without its parent, no other parent, no path, no other spelling."""
        match = project(client, name, mode)
        assert (match.id, match.problem) == (None, "unknown")

    @pytest.mark.parametrize(
        ("client", "name", "mode", "hint"),
        [
            ("Acme", "Solo", "auto", "with `CUSTOMER_MATCHING=project` it would match `Solo`"),
            (None, "Solo", "client_project", "with `CUSTOMER_MATCHING=project` it would match"),
            (
                "Acme",
                "Website",
                "project",
                "with `CUSTOMER_MATCHING=client_project` it would match `Acme:Website`",
            ),
            (
                None,
                "Website",
                "auto",
                "matched only together with their client: `Acme:Website` and `Globex:Website`",
            ),
            (None, "Launch!", "client_project", "the Clockify project has no client"),
            ("Acme ", "Website", "auto", "only a trailing blank in Clockify (the client's name)"),
            ("Acme", "Websites", "auto", "the nearest QuickBooks sub-customer is `Acme:Website`"),
            ("Acme", "Zzz", "auto", "no QuickBooks sub-customer has a similar name"),
            (None, None, "auto", "the project has no name in Clockify"),
        ],
    )
    def test_the_hint_says_what_would_match(
        self, client: str | None, name: str | None, mode: Mode, hint: str
    ) -> None:
        """The near name, or the other mode."""
        assert hint in project(client, name, mode).hint

    def test_a_mode_that_would_match_only_an_inactive_customer_is_not_offered(self) -> None:
        """It would not be accepted there either."""
        assert "CUSTOMER_MATCHING" not in project("Acme", "Old", "project").hint

    def test_an_inactive_customer_is_named_as_such(self) -> None:
        """Compared without the suffix that QuickBooks adds."""
        match = project("Acme", "Old")
        assert (match.id, match.problem) == (None, "inactive")
        assert "`Acme:Old (deleted)`" in match.hint

    def test_two_customers_of_one_name_are_both_shown_by_their_paths(self) -> None:
        """The first is never taken; with the client it is clear which is meant."""
        match = project(None, "Audit")
        assert (match.id, match.problem) == (None, "ambiguous")
        assert "`Acme:Audit` (id 18) and `Globex:Audit` (id 19)" in match.hint
        assert project("Globex", "Audit").id == "19"

    def test_a_customer_whose_parent_was_not_read_is_nobodys_child(self) -> None:
        """A nameless client must not match a missing parent."""
        orphan = customers(customer("20", "Lost:Child", "99"))
        assert match_customers([("", "Child")], orphan, "auto")["", "Child"].problem == "unknown"


def test_no_names_match_nothing() -> None:
    """Empty tables in, nothing out."""
    assert match_people([], NOBODY, employees()) == {}
    assert match_customers([], customers(), "auto") == {}


def test_unmatched_names_are_suggested_in_time() -> None:
    """500 projects that all miss, against 2,000 customers: the cost is in likeness alone."""
    book = customers(
        *(customer(str(number), f"Client {number}") for number in range(50)),
        *(
            customer(str(100 + number), f"Client {number % 50}:Job {number:04}", str(number % 50))
            for number in range(1950)
        ),
    )
    pairs = [(f"Client {number % 50}", f"Jab {number:04}") for number in range(500)]
    began = perf_counter()
    matches = match_customers(pairs, book, "auto")
    assert perf_counter() - began < 5
    assert all("the nearest QuickBooks sub-customer" in match.hint for match in matches.values())
