"""Words of the road itself, the same for every operation: why somebody asks for what destroys, and in what manner."""

from typing import Annotated, Self

from pydantic import model_validator

from knowledge_base_agent.operations.operation import Arguments, Word
from knowledge_base_agent.phone_text import visible

LONGEST = 300


_PAIRS = ('""', "''", "\u201c\u201d", "\u201e\u201c", "\u2018\u2019", "\u00ab\u00bb")


def read_reason(text: str) -> str:
    """Read a reason, as it was written but for quotes around the whole of it and white space between words."""
    found = " ".join(visible(text).split())
    if len(found) > 1 and found[0] + found[-1] in _PAIRS and found[-1] not in found[1:-1]:
        found = found[1:-1].strip()
    if not any(letter.isalnum() for letter in found):
        found = ""
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


class Manner(Arguments):
    """How something is asked for that changes anything."""

    dry_run: Annotated[bool, Word(read=None, help="show the preview, and do nothing")] = False
    repeat: Annotated[
        bool, Word(read=None, help="do it, though you did the same less than a minute ago")
    ] = False


UNSTATED = Stated()
STATED = frozenset(Stated.model_fields)
