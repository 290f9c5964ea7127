"""What makes a TimeActivity valid, and what the service fills in by itself.

Holds: the rules in the order in which they are tried, and the defaults. All of it is pure: a body
and the books go in, a record or an `FaultError` comes out. Keeps out: storing, and HTTP.
"""

from datetime import date
from typing import Any

from pipeline.sandbox.quickbooks import references
from pipeline.sandbox.quickbooks.books import Books, Record
from pipeline.sandbox.quickbooks.durations import duration
from pipeline.sandbox.quickbooks.faults import PACIFIC, FaultError
from pipeline.sandbox.quickbooks.properties import check_properties
from pipeline.sandbox.switches import setting

MAX_DESCRIPTION = 4000
MAX_RATE = 99_999_999_999
_WRITABLE = (
    "TxnDate NameOf EmployeeRef VendorRef OtherNameRef CustomerRef ItemRef ClassRef DepartmentRef "
    "ProjectRef PayrollItemRef BillableStatus Taxable HourlyRate CostRate Hours Minutes StartTime "
    "EndTime BreakHours BreakMinutes Description TransactionLocationType"
)
WRITABLE = _WRITABLE.split()


def activity(body: Record, books: Books) -> Record:
    """Return the record that the service stores for a create or a full update.

    Args:
        body: The request's object.
        books: The company, for what the body refers to.

    Raises:
        FaultError: the first rule that the body breaks.
    """
    check_properties("TimeActivity", body)
    sent = {key: body[key] for key in WRITABLE if body.get(key) is not None}
    day = _day(sent, books)
    record = {
        "TxnDate": day.isoformat(),
        **references.person(sent, books),
        **_billing(sent, books),
        **duration(sent, day, books),
        "Taxable": bool(sent.get("Taxable", False)),
        **_description(sent, books),
        **references.unchecked(sent),
    }
    if "CostRate" in sent:
        record["CostRate"] = _number(sent["CostRate"], "CostRate", "2090")
    return record


def check_open(day: date, books: Books) -> None:
    """Refuse a write into the closed period.

    Raises:
        FaultError: 6210, or the code that `closed_books` is set to.
    """
    closed, code = books.company.books_closed_through, setting(books.world, "closed_books")
    if closed is not None and day <= closed and code != "ignore":
        raise FaultError(
            code,
            "The account period has closed and the account books cannot be updated through "
            "the QBO Services API. Please use the QBO website to make these changes.",
        )


def _day(sent: Record, books: Books) -> date:
    """Return the posting date: the server's own where none is sent, whatever StartTime says."""
    if "TxnDate" not in sent:
        return books.now.astimezone(PACIFIC).date()
    text = str(sent["TxnDate"])
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        raise FaultError("2060", f"Invalid Date : TxnDate {text}", "TxnDate") from None
    check_open(day, books)
    return day


def _billing(sent: Record, books: Books) -> Record:
    status = sent.get("BillableStatus", "NotBillable")
    if status == "HasBeenBilled":
        raise FaultError("2170", "Invalid Enumeration : HAS_BEEN_BILLED", "BillableStatus")
    if status not in ("Billable", "NotBillable"):
        raise FaultError("6320", f"Invalid billable status: {status}", "BillableStatus")
    customer = references.customer(sent, books)
    if status == "Billable" and not customer:
        raise FaultError("6310", "A customer is required if billable", "CustomerRef")
    item = references.item(sent, books)
    return {"BillableStatus": status, **customer, **item, "HourlyRate": _rate(sent, item, books)}


def _rate(sent: Record, item: Record, books: Books) -> Any:  # noqa: ANN401  # a JSON number
    is_billable = sent.get("BillableStatus") == "Billable"
    if "HourlyRate" in sent:
        rate = _number(sent["HourlyRate"], "HourlyRate", "6330")
        return rate if is_billable or setting(books.world, "kept_rate") else 0
    if not is_billable:
        return 0
    if setting(books.world, "missing_rate") == "reject":
        raise FaultError("6330", "You must specify a billing rate", "HourlyRate")
    return books.find("Item", item["ItemRef"]["value"]).get("UnitPrice", 0)


def _number(value: Any, name: str, code: str) -> int | float:  # noqa: ANN401  # whatever JSON holds
    """Return a rate as a number; a client with decimals sends it as a string."""
    wrong = FaultError(code, f"Invalid {name}: {value}", name)
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        raise wrong from None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise wrong
    if not 0 <= number <= MAX_RATE:
        raise wrong
    return number


def _description(sent: Record, books: Books) -> Record:
    text = str(sent.get("Description", ""))
    if len(text) > MAX_DESCRIPTION:
        raise FaultError(
            "2050",
            f"String length specified does not match the supported length. "
            f"Min:0 Max:{MAX_DESCRIPTION} supported. Supplied length:{len(text)}",
            "Description",
        )
    kept = _in_charset(text, setting(books.world, "charset"))
    return {"Description": kept} if kept else {}


def _in_charset(text: str, charset: str) -> str:
    if charset == "utf8":
        return text
    kept = text.encode("latin-1", errors="replace").decode("latin-1")
    if charset == "refuse" and kept != text:
        raise FaultError("2040", "Invalid String : Description", "Description")
    return kept
