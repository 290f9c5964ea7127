"""Faults: every shape that QuickBooks is known to use, and what each means for a run."""

import json
import time

import httpx
import pytest

from pipeline.quickbooks.answers import answer_of
from pipeline.quickbooks.faults import Fault, fault_in, fault_of, status_of_read, stop_of

TOKEN = "AB0160139xyzXYZ0160139xyzXYZ"
JSON_WEB_TOKEN = "eyJhbGciOiJkaXIi.eyJzdWIiOiIx.c2ln"


def envelope(code: str, message: str = "Wrong", detail: str = "Why", **more: object) -> str:
    """A fault in the envelope of a validation error."""
    error = {"Message": message, "Detail": detail, "code": code, **more}
    return json.dumps({"Fault": {"Error": [error], "type": "ValidationFault"}, "time": "2026"})


EXPIRED = json.dumps(
    {
        "warnings": None,
        "fault": {
            "error": [
                {
                    "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                    "detail": f"Token expired: {TOKEN}",
                    "code": "3200",
                    "element": None,
                }
            ],
            "type": "AUTHENTICATION",
        },
        "batchItemResponse": [],
        "time": 1601391072830,
    }
)
GATEWAY = json.dumps(
    {
        "code": "AuthenticationFailed",
        "type": "INPUT",
        "message": None,
        "detail": "Malformed bearer token: too short or too long",
        "moreInfo": None,
    }
)
XML = (
    '<?xml version="1.0"?><IntuitResponse xmlns="urn:x" time="2016"><Fault type="SERVICE">'
    '<Error code="3001"><Message>message=ThrottleExceeded; errorCode=003001</Message>'
    "<Detail>The limit of A &amp; B was reached.</Detail></Error></Fault></IntuitResponse>"
)


TORN_XML = "<Fault" + "<Message>" * 20_000


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (400, envelope("6240", element=""), Fault("6240", "Wrong", "Why")),
        (400, envelope("2030", element="Id"), Fault("2030", "Wrong", "Why")),
        (429, envelope("003001"), Fault("3001", "Wrong", "Why")),
        (200, envelope("6190"), Fault("6190", "Wrong", "Why")),
        (
            401,
            EXPIRED,
            Fault(
                "3200",
                "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                "Token expired: [removed]",
            ),
        ),
        (
            401,
            GATEWAY,
            Fault("3200", "INPUT", "Malformed bearer token: too short or too long"),
        ),
        (
            403,
            XML,
            Fault(
                "3001",
                "message=ThrottleExceeded; errorCode=003001",
                "The limit of A & B was reached.",
            ),
        ),
        (
            502,
            "<html><h1>Bad\n gateway</h1></html>",
            Fault("", "HTTP 502 without a readable answer", "Bad gateway"),
        ),
        (429, "", Fault("", "HTTP 429 without a readable answer", "")),
        (400, "{}", Fault("", "HTTP 400 without a readable answer", "{}")),
        (200, "<html></html>", Fault("", "HTTP 200 without a readable answer", "")),
        (200, "[1]", Fault("", "HTTP 200 without a readable answer", "[1]")),
        (400, '{"Fault": {"type": "SystemFault"}}', Fault("", "SystemFault", "")),
        (400, '{"Fault": {"Error": {"code": 2010}}}', Fault("2010", "", "")),
        (400, '{"Fault": {"Error": ["No"]}}', Fault("", "No", "")),
        (400, envelope("2010", "errorCode=003001"), Fault("2010", "errorCode=003001", "Why")),
        (400, envelope("", "errorCode=003001"), Fault("3001", "errorCode=003001", "Why")),
        (403, '<Fault><Error code="2010"></Error></Fault>', Fault("2010", "", "")),
        (400, " " * 20_000 + '<Fault><Error code="6210"></Error></Fault>', Fault("6210", "", "")),
        (403, envelope("ThrottleExceeded"), Fault("3001", "Wrong", "Why")),
        (403, envelope("ApplicationAuthorizationFailed"), Fault("3100", "Wrong", "Why")),
        (
            400,
            XML.replace("errorCode=003001", ""),
            Fault("3001", "message=ThrottleExceeded; ", "The limit of A & B was reached."),
        ),
    ],
)
def test_every_shape_of_a_fault_is_read(status: int, text: str, expected: Fault) -> None:
    """Two envelopes, the gateway's form, XML, HTML, nothing; a code's zeros do not count."""
    assert fault_of(status, text) == expected


@pytest.mark.parametrize(
    ("status", "text", "counts_as"),
    [
        (200, envelope("3001"), 429),
        (400, envelope("3001"), 429),
        (200, envelope("10000"), 503),
        (400, envelope("10000"), 503),
        (200, "<html></html>", 503),
        (404, "<html></html>", 503),
        (400, "<html></html>", 400),
        (200, envelope("10100"), 200),
        (400, envelope("2010"), 400),
        (200, "{}", 200),
    ],
)
def test_what_passes_counts_as_what_passes_however_it_is_told(
    status: int, text: str, counts_as: int
) -> None:
    """A read that was answered so is asked again; the others say what they say."""
    assert status_of_read(status, fault_of(status, text)) == counts_as


def test_an_answer_nested_without_end_is_one_that_cannot_be_read() -> None:
    """A write that was answered so is unknown, as with any other answer that says nothing."""
    answer = answer_of(httpx.Response(200, text="[" * 100_000), set())
    assert (answer.status, answer.body) == (200, {})
    assert answer.fault
    assert answer.fault.message == "HTTP 200 without a readable answer"


@pytest.mark.parametrize(
    "text",
    [
        '{"TimeActivity": {"Id": "1"}}',
        '{"QueryResponse": {}}',
        '{"Fault": null}',
        '{"code": "7"}',
        '{"detail": "of something"}',
        '{"code": 7, "detail": "of something"}',
    ],
)
def test_a_good_answer_holds_no_fault(text: str) -> None:
    """An empty query and a null fault are good answers."""
    assert fault_of(200, text) is None


def test_the_fault_of_one_item_of_a_batch_is_read() -> None:
    """It stands inside a 200, beside the items that were stored."""
    item = {**json.loads(envelope("2500")), "bId": "0"}
    assert fault_in(item) == Fault("2500", "Wrong", "Why")
    assert fault_in({"TimeActivity": {"Id": "1"}, "bId": "0"}) is None


@pytest.mark.parametrize(
    "detail",
    [
        f"Token expired: {TOKEN}",
        f"Authorization: Bearer {TOKEN}",
        f"bad token {JSON_WEB_TOKEN} given",
        f"refresh_token={TOKEN}&grant_type=refresh_token",
    ],
)
def test_a_token_in_a_detail_is_removed(detail: str) -> None:
    """Intuit quotes the token that it refuses."""
    for text in (envelope("3200", detail=detail), f"<h1>{detail}</h1>"):
        said = str(fault_of(401, text))
        assert TOKEN not in said
        assert JSON_WEB_TOKEN not in said
        assert "[removed]" in said


@pytest.mark.parametrize("text", ["<" * 200_000, "<Fault" + "<Error " * 20_000, TORN_XML])
def test_an_answer_that_only_begins_tags_costs_no_time(text: str) -> None:
    """One that was cut is no JSON any more, and holds what people typed."""
    began = time.perf_counter()
    assert fault_of(502, text)
    assert time.perf_counter() - began < 1


def test_half_a_character_in_a_fault_is_marked_as_unreadable() -> None:
    """JSON can spell it, and who cuts a text within an emoji writes it; the ledger cannot hold it.

    Refused there, no outcome of its batch would be kept, and no load would ever get past it.
    """
    torn = envelope("2010", "No \ud83d", "Why \ude00 not")
    assert fault_of(400, torn) == Fault("2010", "No \ufffd", "Why \ufffd not")


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (401, "3200", "Connect the company again"),
        (401, "", "Connect the company again"),
        (403, "3100", "Check QUICKBOOKS_REALM_ID"),
        (400, "120", "Check QUICKBOOKS_REALM_ID"),
        (403, "", "Check QUICKBOOKS_REALM_ID"),
        (403, "5020", "plan does not include"),
        (400, "5030", "plan does not include"),
        (200, "6190", "subscription has ended"),
        (400, "10200", "was reset"),
        (400, "130", "Run again later"),
        (400, "140", "Run again later"),
        (400, "150", "Run again later"),
        (200, "3200", "Connect the company again"),
        (200, "3100", "Check QUICKBOOKS_REALM_ID"),
        (429, "3001", "monthly quota"),
        (403, "3001", "monthly quota"),
        (429, "", "monthly quota"),
    ],
)
def test_a_fault_of_the_whole_company_stops_the_run(status: int, code: str, says: str) -> None:
    """One sentence with the fix and Intuit's trace; transient only where waiting helps."""
    stop = stop_of(status, Fault(code, "Wrong", "Why"), "1-abc")
    assert stop is not None
    assert says in str(stop)
    assert f" ({Fault(code, 'Wrong', 'Why')}) [intuit_tid 1-abc]" in str(stop)
    assert stop.is_transient == (status == 429 or code in {"3001", "130", "140", "150"})


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "2500"), (400, "6210"), (400, "610"), (200, "3001"), (200, ""), (500, "10000")],
)
def test_a_fault_of_one_record_stops_nothing(status: int, code: str) -> None:
    """An item throttled inside a 200 waits; it does not stop the run."""
    assert stop_of(status, Fault(code, "Wrong", "Why"), None) is None


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("2010", "Wrong", "Why"), "2010 Wrong: Why"),
        (Fault("", "Wrong", ""), "Wrong"),
        (Fault("2010", "", ""), "2010"),
        (Fault("", "", "Why"), "Why"),
    ],
)
def test_a_fault_is_said_without_what_it_lacks(fault: Fault, said: str) -> None:
    """Its code, message and detail."""
    assert str(fault) == said


def test_a_status_alone_stops_the_run_without_a_fault_to_quote() -> None:
    """Nothing is said where QuickBooks said nothing."""
    stop = stop_of(401, None, None)
    assert stop is not None
    assert stop.what == "QuickBooks refused the access token, also after a refresh"


def test_an_endless_message_is_cut() -> None:
    """An unknown property is answered with the names of all known ones."""
    fault = fault_of(400, envelope("2010", detail="known properties: " + "x" * 10_000))
    assert fault is not None
    assert len(fault.detail) == 500


def test_an_answer_that_never_came_stops_nothing() -> None:
    """Its status is 0, which says nothing about the company's plan."""
    assert stop_of(0, None, None) is None
