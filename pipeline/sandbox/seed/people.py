"""Who works at the invented company, in Clockify and in QuickBooks.

Holds one table of people, and what each system makes of them. What they worked on stands in
`months.py`. Most people match; the others are how matching fails in the field.
"""

from dataclasses import dataclass
from random import Random

from pipeline.sandbox.seed.records import employee_record, take_id, vendor_record
from pipeline.sandbox.world import Company, User

NEW_YORK = "America/New_York"
LISBON = "Europe/Lisbon"
DOMAIN = "fernhill.example"
SAME = ""
"""Stands for an employee whose name is the Clockify name."""


@dataclass(frozen=True)
class Person:
    """One member of the Clockify workspace and the QuickBooks record that means the same person."""

    mailbox: str
    name: str | None
    rate_minor: int
    """Hourly rate in cents."""
    share: float = 0.94
    """Of the working days, how many have entries."""
    hours: tuple[float, float] = (7.0, 9.0)
    zone: str | None = NEW_YORK
    status: str = "ACTIVE"
    days_since_leaving: int = 0
    """How long before today the last entry was made; 0 for one who is still there."""
    employee: str | None = SAME
    """The employee's display name in QuickBooks; none for one who is no employee."""
    is_employee_active: bool = True
    is_vendor: bool = False


OWNER = "hannah"

PEOPLE: tuple[Person, ...] = (
    Person(OWNER, "Hannah Whitcombe", 18550, share=0.8),
    Person("daniel", "Daniel Okafor", 13725),
    Person("priya", "Priya Raman", 12675),
    Person("marcus", "Marcus Lindqvist", 14290),
    Person("sofia", "Sofía Beltrán", 10415),
    Person("bettina", "Bettina Krause", 11260),
    Person("ines", "Inês Carvalho", 11840, zone=LISBON),
    Person("rui", "Rui Tavares", 9350, zone=LISBON),
    Person("grace", "Grace Lin", 8875, share=0.55, hours=(3.5, 5.5)),
    # Left, and can no longer log in, but is still an employee in the books: accepted.
    Person("oliver", "Oliver Grant", 10180, status="INACTIVE", days_since_leaving=24),
    # A curly apostrophe here, a straight one in the books.
    Person("tom", "Tom O\u2019Hara", 7825, 0.08, (1.0, 2.5), employee="Tom O'Hara"),
    # Two people of one name, of whom the books know one.
    Person("wei", "Wei Zhang", 9925, 0.06, (1.0, 3.0)),
    Person("wei.zhang2", "Wei Zhang", 9140, 0.05, (1.0, 2.0), employee=None),
    # Made inactive in the books before the last of the time was in.
    Person("ben", "Ben Castellano", 10990, 0.06, (1.0, 2.5), is_employee_active=False),
    # A contractor: the books hold a vendor of that name, who is no employee.
    Person("nadia", "Nadia Petrova", 12150, 0.06, (1.5, 3.0), employee=None, is_vendor=True),
    # Invited, and never signed up: Clockify gives neither a name nor a zone.
    Person("new.hire", None, 8200, 0.0, zone=None, status="PENDING", employee=None),
)


def by_mailbox(mailbox: str) -> Person:
    """Return a person of the table.

    Raises:
        KeyError: If nobody has that mailbox.
    """
    return {person.mailbox: person for person in PEOPLE}[mailbox]


def address(person: Person) -> str:
    """Return a person's e-mail address, which is unique where names are not."""
    return f"{person.mailbox}@{DOMAIN}"


def invent_users(rng: Random) -> dict[str, User]:
    """Return the Clockify members by id."""
    users = [
        User(_member_id(rng, number), person.name, address(person), person.zone, person.status)
        for number, person in enumerate(PEOPLE)
    ]
    return {user.id: user for user in users}


def add_staff(company: Company) -> None:
    """Enter the employees and vendors into the books."""
    for person in PEOPLE:
        name = person.name if person.employee == SAME else person.employee
        if name is not None:
            number = take_id(company)
            company.employees[number] = employee_record(
                number, name, address(person), is_active=person.is_employee_active
            )
        if person.is_vendor and person.name is not None:
            number = take_id(company)
            company.vendors[number] = vendor_record(number, person.name, address(person))
    for name in ("Eastbrook Nursery Supply", "Tidewater Survey Co."):
        number = take_id(company)
        company.vendors[number] = vendor_record(number, name, None)


def _member_id(rng: Random, number: int) -> str:
    joined = 0x5E000000 + number * 0x1F3A91
    return f"{joined:08x}{rng.getrandbits(64):016x}"
