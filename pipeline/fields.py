"""Reading values out of an API's JSON rows, or stopping the run with the name of what is wrong.

A column that is missing or has another type is a change of the API, never bad data: it stops the
run. Unknown keys are left alone. Texts come whole: JSON can spell half of a surrogate pair, as when
a program cuts a text within an emoji, and neither our tables nor QuickBooks can hold it.
"""

from collections.abc import Sequence
from typing import Any

from pipeline.stops import Stop

Row = dict[str, Any]
"""A JSON object by its keys, or a table's row by its columns' names."""
_ABSENT = object()


def values(
    rows: Sequence[Row],
    path: str,
    *kinds: type,
    of: str,
    is_nullable: bool = False,
    is_optional: bool = False,
    default: object = None,
) -> list[Any]:
    """Return one value a row.

    Args:
        rows: JSON objects of one kind.
        path: The key; dots lead into nested objects, such as `timeInterval.start`.
        kinds: The types allowed; `bool` is not an `int` here.
        of: What a row is, for the message, such as `Clockify's report row`.
        is_nullable: Whether null is allowed, and stays None.
        is_optional: Whether the key may be absent or null, which gives None.
        default: What an absent key or null means instead.

    Raises:
        Stop: a row has no such key or a value of another type.
    """
    is_optional = is_optional or default is not None
    parent, _, key = path.rpartition(".")
    objects = values(rows, parent, dict, of=of, is_optional=is_optional) if parent else rows
    missing = None if is_optional else _ABSENT
    found = [each.get(key, missing) if isinstance(each, dict) else missing for each in objects]
    allowed = {*kinds, type(None)} if is_nullable or is_optional else {*kinds}
    if not set(map(type, found)) <= allowed:
        odd = next(at for at, value in enumerate(found) if type(value) not in allowed)
        raise _misfit(of, rows[odd], path, found[odd])
    if str in kinds:
        found = [unbroken(each) if isinstance(each, str) else each for each in found]
    return found if default is None else [default if each is None else each for each in found]


def value(row: Row, path: str, *kinds: type, of: str, **rules: Any) -> Any:  # noqa: ANN401 - whatever kind is asked for
    """Return the one value of one row; see `values`."""
    return values([row], path, *kinds, of=of, **rules)[0]


def rows_of(**columns: list[Any]) -> list[Row]:
    """Return columns of equal length as rows."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def unbroken(text: str) -> str:
    """Return the text, each half of a character as the sign for what cannot be read."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _misfit(of: str, row: object, path: str, found: object) -> Stop:
    ids = [row.get(key) for key in ("_id", "id", "Id")] if isinstance(row, dict) else []
    row_id = next(filter(None, ids), "without an id")
    odd = f"has no `{path}`" if found is _ABSENT else f"holds a {type(found).__name__} as `{path}`"
    fix = "The API has changed or the key may not see it: compare with the vendor's documentation"
    return Stop(f"{of} {row_id} {odd}", fix)
