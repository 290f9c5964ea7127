"""What stops a run: one exception, said as one sentence with its fix.

Bad rows never stop a run; they are verdicts and delivery states, not exceptions.
"""

from pipeline.typed import visible


class Stop(Exception):  # noqa: N818 - it names what happens to the run, as delivery.md does
    """A run cannot go on.

    Args:
        what: One sentence naming the thing that is wrong; never holds a secret.
        fix: One sentence saying what to do about it.
        is_transient: Whether the same run may succeed later with nothing changed.
    """

    def __init__(self, what: str, fix: str, *, is_transient: bool = False) -> None:
        super().__init__(what, fix)
        self.what = what
        self.fix = fix
        self.is_transient = is_transient

    def __str__(self) -> str:
        # Either may quote what somebody typed, and logs and terminals show it.
        said = f"{_sentence(self.what)} {_sentence(self.fix[:1].upper() + self.fix[1:])}"
        return visible(said)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
