"""Batches that are carried out in part, for somebody else, or answered awry.

Holds one table: the fault's name, what becomes of the request before it is carried out, and of the
answer after. Pure, from JSON to JSON. Keeps out when a fault strikes (`edge`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.sandbox.quickbooks.faults import FaultError, fault_body

Json = dict[str, Any]
Items = list[Json]


@dataclass(frozen=True)
class Twist:
    """What one fault makes of a batch."""

    meaning: str
    asked: Callable[[Items, list[str]], Items] = lambda items, _: items
    """The items that are carried out, of those asked for and the ids of active employees."""
    answered: Callable[[Items, Items], Items] = lambda _, answers: answers
    """The items of the answer, of those asked for and those answered."""


def _every_other(items: Items, _: list[str]) -> Items:
    return items[::2]


def _throttled(items: Items, answers: Items) -> Items:
    fault = FaultError("3001", "The request limit was reached.", status=429, kind="SERVICE")
    said = {str(answer["bId"]): answer for answer in answers}
    refused = {"Fault": fault_body(fault)}
    return [said.get(str(item["bId"])) or {**refused, "bId": item["bId"]} for item in items]


def _for_another(items: Items, employees: list[str]) -> Items:
    return [_instead(item, employees) for item in items]


def _instead(item: Json, employees: list[str]) -> Json:
    activity = item.get("TimeActivity") or {}
    person = activity.get("EmployeeRef", {}).get("value")
    other = next((each for each in employees if each != person), person)
    return {**item, "TimeActivity": {**activity, "EmployeeRef": {"value": other}}}


TWISTS = {
    "throttle_items": Twist(
        "Every second item is throttled and not stored.", asked=_every_other, answered=_throttled
    ),
    "lose_items": Twist(
        "All are stored, the answer lacks every second.", answered=lambda _, answers: answers[::2]
    ),
    "reorder_items": Twist(
        "The answer's items come in reverse.", answered=lambda _, answers: answers[::-1]
    ),
    "rename_item": Twist(
        "The first item's answer has a `bId` that nobody asked for.",
        answered=lambda _, answers: [{**answers[0], "bId": "stranger"}, *answers[1:]],
    ),
    "repeat_item": Twist(
        "The first item is answered twice.", answered=lambda _, answers: [*answers, answers[0]]
    ),
    "swap_person": Twist("All are stored for another employee.", asked=_for_another),
}


def asked(fault: str, body: Json, employees: Iterable[Json]) -> Json:
    """Return the request that is carried out instead."""
    active = [str(each["Id"]) for each in employees if each.get("Active", True)]
    return {**body, "BatchItemRequest": TWISTS[fault].asked(body["BatchItemRequest"], active)}


def answered(fault: str, request: Json, answer: Json) -> Json:
    """Return the answer that is given instead; one that holds no items stays as it is."""
    items = answer.get("BatchItemResponse")
    if not items:
        return answer
    twisted = TWISTS[fault].answered(request["BatchItemRequest"], items)
    return {**answer, "BatchItemResponse": twisted}
