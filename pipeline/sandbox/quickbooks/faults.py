"""How QuickBooks says no: error codes, and the envelopes in which they travel.

Holds: the exception that the rules raise, the texts by code, the upper-case `Fault`, the lower-case
envelope of a 401 (whose detail contains the token, as the real one does), XML and HTML. Keeps out:
when a fault arises.
"""

from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")
"""The zone in which Intuit writes every instant, whatever the company's own is."""

MESSAGES = {
    "500": "Unsupported Operation",
    "600": "Duplicate Request ID",
    "610": "Object Not Found",
    "1040": "Batch size exceeds allowed limit",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2030": "Invalid ID",
    "2040": "Invalid String",
    "2050": "String length is either shorter or longer than supported by specification",
    "2060": "Invalid Date",
    "2090": "Invalid Number",
    "2130": "Invalid Request Id Format",
    "2170": "Invalid Enumeration",
    "2500": "Invalid Reference Id",
    "3001": "message=ThrottleExceeded; errorCode=003001; statusCode=429",
    "3100": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
    "4000": "Error parsing query",
    "4001": "Invalid query",
    "5010": "Stale Object Error",
    "5020": "Permission Denied",
    "6000": "A business validation error has occurred while processing your request",
    "6080": "No Name Provided",
    "6190": "Invalid Company Status",
    "6200": "Account Period Closed",
    "6210": "Account Period Closed",
    "6240": "Duplicate Name Exists Error",
    "6290": "Invalid Employee or Vendor",
    "6300": "Invalid Employee or Vendor Name",
    "6310": "Missing Customer",
    "6320": "Invalid Billable",
    "6330": "Missing Billing Rate",
    "6340": "Invalid Time",
    "6350": "Missing Time",
    "6360": "Invalid Start or End Time",
    "6370": "Start Time After End Time",
    "6380": "Invalid Duration",
    "6390": "Invalid Multiple Durations",
}

INACTIVE = (
    "Something you're trying to use has been made inactive. "
    "Check the fields with accounts, customers, items, vendors or employees."
)


class FaultError(Exception):
    """A refusal by QuickBooks, before it is put into an envelope.

    Args:
        code: The number, as the string that the API sends.
        detail: The sentence that says what is wrong.
        element: The property to blame, where it is known.
        status: The HTTP status when the refusal is the whole answer.
        kind: The fault's type.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        element: str = "",
        status: int = 400,
        kind: str = "ValidationFault",
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.message = MESSAGES[code]
        self.detail = detail
        self.element = element
        self.status = status
        self.kind = kind


def inactive(code: str, element: str) -> FaultError:
    """Return the refusal of a reference to an inactive record; both codes share their wording."""
    return FaultError(code, f"{MESSAGES[code]} : {INACTIVE}", element)


def unsupported(path: str) -> FaultError:
    """Return the refusal of an address that nothing answers: status 400, never 404."""
    return FaultError(
        "500",
        f"Operation Could not find resource for relative : {path} of full path is not supported.",
        kind="SystemFault",
    )


def stamp(instant: datetime) -> str:
    """Return an instant as `time` shows it: with milliseconds and Pacific's offset."""
    return instant.astimezone(PACIFIC).isoformat(timespec="milliseconds")


def fault_body(fault: FaultError) -> dict[str, Any]:
    """Return the `Fault` object, as it stands in an envelope or in a batch item."""
    error = {"Message": fault.message, "Detail": fault.detail, "code": fault.code}
    return {"Error": [{**error, "element": fault.element}], "type": fault.kind}


def envelope(fault: FaultError, now: datetime) -> dict[str, Any]:
    """Return the whole body of a refused call."""
    return {"Fault": fault_body(fault), "time": stamp(now)}


def unauthorised(detail: str, now: datetime) -> dict[str, Any]:
    """Return the whole body of a 401: another envelope, in lower case, its time in milliseconds."""
    error = {
        "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
        "detail": detail,
        "code": "3200",
        "element": None,
    }
    return {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [error], "type": "AUTHENTICATION"},
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": int(now.timestamp() * 1000),
        "status": None,
        "cdcresponse": [],
    }


def xml(code: str, message: str, detail: str, kind: str, now: datetime) -> str:
    """Return a fault as XML: what a client gets that does not ask for JSON."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<IntuitResponse time="{stamp(now)}" xmlns="http://schema.intuit.com/finance/v3">'
        f'<Fault type="{escape(kind)}"><Error code="{escape(code)}">'
        f"<Message>{escape(message)}</Message><Detail>{escape(detail)}</Detail>"
        "</Error></Fault></IntuitResponse>"
    )


def html(status: int) -> str:
    """Return the page that a gateway in front of the service answers with."""
    return (
        f"<html><head><title>{status}</title></head>"
        f"<body><h1>{status} Service Unavailable</h1><p>Please try again later.</p></body></html>"
    )
