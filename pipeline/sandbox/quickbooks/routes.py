"""The API's addresses under `/v3/company/{realm}`, and how a call is let in, metered, answered.

Keeps out: what the calls do, tokens and limits.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.sandbox.holder import Holder
from pipeline.sandbox.quickbooks import gate, request_ids
from pipeline.sandbox.quickbooks.batch import as_text, batch, reads_and_writes
from pipeline.sandbox.quickbooks.books import Books, Record, open_books
from pipeline.sandbox.quickbooks.changes import changes
from pipeline.sandbox.quickbooks.company_pages import PAGES
from pipeline.sandbox.quickbooks.faults import FaultError, fault_body, stamp, unsupported
from pipeline.sandbox.quickbooks.operations import ENTITIES, perform, read
from pipeline.sandbox.quickbooks.query import run
from pipeline.sandbox.quickbooks.throttle import Throttle
from pipeline.sandbox.switches import setting

Call = Callable[[Request, bytes, Books], Record]
"""What one address does: the request, its body and the books in, the answer's body out."""
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")
_HOME = "/v3/company/{realm}"


def routes(holder: Holder) -> list[Route]:
    """Return the routes of the API.

    Args:
        holder: The world they serve.
    """
    throttle = Throttle()

    def route(path: str, call: Call, *methods: str) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            with holder.changing():
                return _answer(request, body, call, holder, throttle)

        return Route(path, endpoint, methods=list(methods))

    return [
        route(f"{_HOME}/query", _query, "GET", "POST"),
        route(f"{_HOME}/batch", _batch, "POST"),
        route(f"{_HOME}/cdc", _changes, "GET"),
        route(f"{_HOME}/preferences", _page, "GET"),
        route(f"{_HOME}/companyinfo/{{id}}", _page, "GET"),
        route(f"{_HOME}/{{entity}}/{{id}}", _read, "GET"),
        route(f"{_HOME}/{{entity}}", _write, "POST"),
        route("/v3/{rest:path}", _nothing, "GET", "POST", "PUT", "DELETE"),
    ]


def _answer(
    request: Request, body: bytes, call: Call, holder: Holder, throttle: Throttle
) -> Response:
    try:
        gate.admit(request, holder, throttle)
        _meter(request, body, holder)
        answer = call(request, body, open_books(holder))
    except gate.UnauthorisedError as error:
        return gate.unauthorised_response(request, error, holder.now())
    except FaultError as fault:
        return gate.refused(fault, holder.now())
    status = 400 if "Fault" in answer else 200
    return Response(as_text(answer), status, media_type=gate.JSON)


def _meter(request: Request, body: bytes, holder: Holder) -> None:
    """Count a call as Intuit meters it: reads are CorePlus, writes Core, a batch by its items."""
    last = request.url.path.rsplit("/", 1)[-1]
    if last == "batch":
        reads, writes = reads_and_writes(_json(body))
    else:
        is_read = request.method == "GET" or last == "query"
        reads, writes = int(is_read), int(not is_read)
    holder.calls["core_plus"] += reads
    holder.calls["core"] += writes


def _query(request: Request, body: bytes, books: Books) -> Record:
    text = _text(body) if request.method == "POST" else request.query_params.get("query", "")
    if "form-urlencoded" in request.headers.get("content-type", ""):
        text = parse_qs(text).get("query", [""])[0]
    return {"QueryResponse": run(text, books), "time": stamp(books.now)}


def _batch(request: Request, body: bytes, books: Books) -> Record:
    return batch(_json(body), _request_id(request), books)


def _changes(request: Request, _: bytes, books: Books) -> Record:
    asked = request.query_params
    found = changes(asked.get("entities", ""), asked.get("changedSince", ""), books)
    return {"CDCResponse": [{"QueryResponse": found}], "time": stamp(books.now)}


def _page(request: Request, _: bytes, books: Books) -> Record:
    name, page = PAGES[request.url.path.split("/")[4]]
    return {name: page(books), "time": stamp(books.now)}


def _read(request: Request, _: bytes, books: Books) -> Record:
    entity = _entity(request)
    return {entity: read(entity, request.path_params["id"], books), "time": stamp(books.now)}


def _write(request: Request, body: bytes, books: Books) -> Record:
    entity, sent, request_id = _entity(request), _json(body), _request_id(request)
    request_ids.check_single(request_id)
    operation = request.query_params.get("operation") or ("update" if sent.get("Id") else "create")

    def answer() -> Record:
        try:
            return {entity: perform(operation, entity, sent, books), "time": stamp(books.now)}
        except FaultError as fault:
            if request_id is None or not setting(books.world, "remember_faults"):
                raise
            return {"Fault": fault_body(fault), "time": stamp(books.now)}

    given: Record = request_ids.once(request_id, books, answer)
    return given


def _nothing(request: Request, _: bytes, __: Books) -> Record:
    raise unsupported(request.url.path)


def _request_id(request: Request) -> str | None:
    return request.query_params.get("requestid") or None


def _entity(request: Request) -> str:
    try:
        return ENTITIES[request.path_params["entity"]]
    except KeyError:
        raise unsupported(request.url.path) from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise FaultError("500", "Invalid byte 1 of 1-byte UTF-8 sequence.") from None


def _json(body: bytes) -> Record:
    try:
        sent: Any = json.loads(_text(body))
    except ValueError as error:
        raise FaultError("2010", f"The request is not readable as JSON: {error}") from None
    if not isinstance(sent, dict):
        raise FaultError("2010", "The request is not a JSON object")
    if _HALF_CHARACTER.search(body):
        _check_characters(sent)
    return sent


def _check_characters(sent: Record) -> None:
    """Refuse half of a surrogate pair: JSON can spell it, no answer could."""
    try:
        as_text(sent).encode()
    except UnicodeEncodeError:
        raise FaultError("2040", "Invalid String : not Unicode") from None
