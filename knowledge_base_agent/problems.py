"""Errors that a person can act on: one family, and each ends with what to do next.

Everything that is not a `Problem` is a defect of ours: it reaches the one handler of the front (Slack or shell), which
logs the traceback and gives the person a reference to it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from knowledge_base_agent.report import Report


class Problem(Exception):
    """Something a person can act on.

    `what` says what is wrong, `cure` says what to do next. Both are plain sentences, safe to show as they are after
    the front has escaped them.
    """

    def __init__(self, what: str, cure: str) -> None:
        # As two arguments, so that Celery and pickle can build it again from them.
        super().__init__(what, cure)
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.what} {self.cure}".strip()


class Misunderstood(Problem):
    """The words could not be understood: an unknown operation, an unknown flag, a value that is not allowed.

    `suggestion` is what was probably meant, as words that can be sent as they are, or empty.
    """

    def __init__(self, what: str, cure: str, *, suggestion: str = "") -> None:
        super().__init__(what, cure)
        self.suggestion = suggestion


class Refused(Problem):
    """This person may not do this, or may not do it here."""


class ReasonNeeded(Refused):
    """This needs two people and a stated reason, and none was stated. `report` is what would be touched."""

    def __init__(self, what: str, cure: str, report: "Report") -> None:
        super().__init__(what, cure)
        self.report = report


class Away(Problem):
    """Something that is needed does not answer: the broker, a Redis, the database, the workers, Slack."""

    def __init__(self, what: str, cure: str, *, source: str = "") -> None:
        super().__init__(what, cure)
        self.source = source

    @classmethod
    def late(cls, source: str) -> "Away":
        """Return the one of a source that has let a deadline pass."""
        return cls(
            f"{source[:1].upper()}{source[1:]} did not answer in time.",
            f"Look at {source}, and at the way there from here, then ask again.",
            source=source,
        )


class MaybeWritten(Away):
    """The database became silent, or its connection broke, after it was told to write: it may have, or not."""


class Lost(Away):
    """The database answers, but something is gone from it that nothing works without until a person puts it back."""


class NotFound(Problem):
    """What was named does not exist anywhere we looked."""


class TooLate(Problem):
    """A confirmation that was taken, cancelled, replaced or has expired before this click."""


class Repeated(Problem):
    """The same runs already, or does to others what this hangs on, or was done by the same person a moment ago."""


class Misconfigured(Problem):
    """A setting is missing or contradicts another."""
