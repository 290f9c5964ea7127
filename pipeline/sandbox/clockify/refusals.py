"""How the local Clockify says no: one exception that knows its status, code and message.

Holds the refusals that the core and the reports share. When one is due is decided elsewhere.
"""

from starlette.responses import JSONResponse, Response

DOMAIN = 501
"""The code under which Clockify files nearly every broken rule."""
NO_ROUTE = 3000
MISSING_PARAMETER = 3001
UNREADABLE_VALUE = 3002


class RefusalError(Exception):
    """A request that is answered with an error.

    Args:
        status: The HTTP status.
        code: Clockify's own code, or None where its body has none.
        message: Clockify's sentence, or None for an answer without a body.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: int | None,
        message: str | None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def response(self) -> Response:
        """The answer as Clockify writes it: `code` is a number, and is sometimes missing."""
        if self.message is None:
            return Response(status_code=self.status, headers=self.headers)
        body: dict[str, object] = {"message": self.message}
        if self.code is not None:
            body["code"] = self.code
        return JSONResponse(body, status_code=self.status, headers=self.headers)


def broken_rule(message: str) -> RefusalError:
    """A 400 with code 501: the request is readable and breaks a rule."""
    return RefusalError(400, DOMAIN, message)


def unreadable(name: str, value: object) -> RefusalError:
    """A 400 with code 3002: a value that the service cannot read. It echoes the value."""
    return RefusalError(400, UNREADABLE_VALUE, f"Cannot read value {value!r} of {name}")


def missing(name: str) -> RefusalError:
    """A 400 with code 3001: a required parameter is not there."""
    return RefusalError(400, MISSING_PARAMETER, f"Required parameter '{name}' is not present")


def not_in_workspace(kind: str) -> RefusalError:
    """A 400 with code 501 for an unknown or deleted id: Clockify never answers 404 for one."""
    return broken_rule(f"{kind} doesn't belong to Workspace")
