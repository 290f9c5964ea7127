"""The query language's grammar: text in, a `Query` out.

`SELECT … FROM Entity [WHERE a op b AND …] [ORDERBY …] [STARTPOSITION n] [MAXRESULTS n]`, keywords
in any case, the tail's clauses in any order. Keeps out: entities, their properties and rows.
"""

import re
from dataclasses import dataclass, field

from pipeline.sandbox.quickbooks.faults import FaultError

_TOKEN = re.compile(
    r"\s*(?:(?P<STRING>'(?:[^'\\]|\\.)*')|(?P<NUMBER>-?\d+(?:\.\d+)?)"
    r"|(?P<IDENTIFIER>[A-Za-z_][\w.]*)|(?P<SIGN><=|>=|!=|[=<>*(),]))"
)
_ESCAPE = re.compile(r"\\(.)")
OPERATORS = ("=", "<", ">", "<=", ">=", "!=")


@dataclass(frozen=True)
class Token:
    """One word of a query and where it stands."""

    kind: str
    text: str
    column: int

    @property
    def value(self) -> str:
        """The text without its quotes and escapes."""
        return _ESCAPE.sub(r"\1", self.text[1:-1]) if self.kind == "STRING" else self.text


@dataclass(frozen=True)
class Condition:
    """One comparison of a WHERE clause; `in` has several values."""

    name: str
    operator: str
    values: tuple[str, ...]


@dataclass
class Query:
    """A query as it was understood."""

    entity: str = ""
    columns: list[str] = field(default_factory=list)
    """Properties asked for; empty for all."""
    is_count: bool = False
    conditions: list[Condition] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    """Properties to sort by, each with whether it descends."""
    start: int = 1
    limit: int | None = None


def parse(text: str) -> Query:
    """Return a query.

    Raises:
        FaultError: 4000, naming the first token that cannot stand where it stands.
    """
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[Token]:
    found, place, text = [], 0, text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _encountered("STRING", text[place:].strip(), place + 1)
        kind = str(match.lastgroup)
        found.append(Token(kind, match[kind], match.start(kind) + 1))
        place = match.end()
    return [*found, Token("EOF", "", len(text) + 1)]


def _encountered(kind: str, text: str, column: int) -> FaultError:
    word = f"<{kind}>" if kind == "EOF" else f' <{kind}> "{text} "'
    detail = f'QueryParserError: Encountered "{word}" at line 1, column {column}.'
    return FaultError("4000", detail)


class _Parser:
    """Reads tokens from left to right, one look ahead."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0

    def query(self) -> Query:
        query = Query()
        self._keyword("select")
        self._projection(query)
        self._keyword("from")
        query.entity = self._take("IDENTIFIER").value
        if self._accept("where"):
            query.conditions.append(self._condition())
            while self._accept("and"):
                query.conditions.append(self._condition())
        while self._next.kind != "EOF":
            self._tail(query)
        return query

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _fail(self) -> FaultError:
        return _encountered(self._next.kind, self._next.text, self._next.column)

    def _accept(self, word: str) -> bool:
        if self._next.kind == "STRING" or self._next.text.lower() != word:
            return False
        self._place += 1
        return True

    def _keyword(self, word: str) -> None:
        if not self._accept(word):
            raise self._fail()

    def _take(self, *kinds: str) -> Token:
        token = self._next
        if token.kind not in kinds:
            raise self._fail()
        self._place += 1
        return token

    def _projection(self, query: Query) -> None:
        if self._accept("count"):
            for sign in ("(", "*", ")"):
                self._keyword(sign)
            query.is_count = True
            return
        while True:
            if not self._accept("*"):
                query.columns.append(self._take("IDENTIFIER").value)
            if not self._accept(","):
                return

    def _condition(self) -> Condition:
        name = self._take("IDENTIFIER").value
        if self._accept("like"):
            return Condition(name, "like", (self._take("STRING").value,))
        if self._accept("in"):
            return Condition(name, "in", self._list())
        if self._next.text not in OPERATORS:
            raise self._fail()
        operator = self._take("SIGN").text
        return Condition(name, operator, (self._value(),))

    def _list(self) -> tuple[str, ...]:
        self._keyword("(")
        values = [self._value()]
        while self._accept(","):
            values.append(self._value())
        self._keyword(")")
        return tuple(values)

    def _value(self) -> str:
        token = self._next
        if token.kind == "IDENTIFIER" and token.text.lower() not in ("true", "false"):
            raise self._fail()
        return self._take("STRING", "NUMBER", "IDENTIFIER").value

    def _tail(self, query: Query) -> None:
        if self._accept("orderby") or self._order_by():
            query.order.append(self._sort())
            while self._accept(","):
                query.order.append(self._sort())
        elif self._accept("startposition"):
            query.start = max(1, self._count())
        elif self._accept("maxresults"):
            query.limit = self._count()
        else:
            raise self._fail()

    def _count(self) -> int:
        if not self._next.text.isdecimal():
            raise self._fail()
        return int(self._take("NUMBER").value)

    def _order_by(self) -> bool:
        if not self._accept("order"):
            return False
        self._keyword("by")
        return True

    def _sort(self) -> tuple[str, bool]:
        name = self._take("IDENTIFIER").value
        descends = self._accept("desc")
        if not descends:
            self._accept("asc")
        return name, descends
