"""Why somebody asks for what destroys: words of the road itself, the same for every operation that destroys."""

from typing import Annotated, Self

from pydantic import model_validator

from knowledge_base_agent.operations.operation import Arguments, Word

LONGEST = 300


def read_reason(text: str) -> str:
    """Read a reason; quotes that were written within a form are left off."""
    found = " ".join(text.strip().strip("'\"").split())
    if not found:
        raise ValueError("some words that say why")
    if len(found) > LONGEST:
        raise ValueError(f"at most {LONGEST} characters")
    return found


class Stated(Arguments):
    """The reason, and whether its asker means to go on alone."""

    reason: Annotated[
        str,
        Word(
            read=read_reason,
            help="why; must be stated for what needs two people",
            example='"poisoned by deploy 42"',
            value='"WHY"',
        ),
    ] = ""
    break_glass: Annotated[
        str,
        Word(
            read=read_reason,
            help="why, where two people are needed and nobody else can be reached: everyone is told, and after a "
            "delay you can confirm it alone",
            example='"queue full, nobody answers"',
            value='"WHY"',
        ),
    ] = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.reason and self.break_glass:
            raise ValueError("--reason says why as well as --break-glass: give one of them")
        return self

    @property
    def why(self) -> str:
        """Return the reason, however it was given; empty if none was."""
        return self.reason or self.break_glass


UNSTATED = Stated()
STATED = frozenset(Stated.model_fields)
