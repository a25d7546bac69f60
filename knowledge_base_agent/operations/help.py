"""`help`: what can be asked, derived from the operations themselves."""

from functools import cache
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.operations.describing import every_parameter, parameters, usage
from knowledge_base_agent.operations.operation import (
    AnyOperation,
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import free_text
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Report, Row, Table

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_WHO = {
    Risk.READ: "viewers",
    Risk.CHANGE: "operators",
    Risk.DESTROY: "operators, after a confirmation",
}


class HelpArguments(Arguments):
    """What to explain."""

    words: Annotated[
        tuple[str, ...],
        Word(read=free_text, help="one operation to explain", example="clear", positional=True),
    ] = ()


def _answer(deployment: "Deployment", arguments: HelpArguments, progress: Progress) -> Report:
    from knowledge_base_agent.operations import OPERATIONS

    if not arguments.words:
        return _everything(OPERATIONS)
    asked = " ".join(arguments.words)
    for operation in OPERATIONS:
        if asked.lower() in (operation.name, *operation.aliases):
            return _one(operation)
    raise NotFound(f"There is no operation “{plain(asked, 40)}”.", "`help` alone lists them all.")


@cache
def _everything(operations: tuple[AnyOperation, ...]) -> Report:
    rows = tuple(Row(cells=(_short(one), one.summary, _WHO[one.risk])) for one in operations)
    names = ", ".join(one.name for one in operations)
    columns = (
        Column(key="usage", label="Write"),
        Column(key="summary", label="What it does"),
        Column(key="who", label="For"),
    )
    table = Table(caption="What you can ask", columns=columns, rows=rows, total=len(rows))
    return Report(
        title="What you can ask",
        text=f"I know: {names}. `help WORD` explains one of them.",
        parts=(table,),
        actions=tuple(Action(label=name, words=name) for name in ("stats", "active", "stuck")),
    )


def _short(operation: AnyOperation) -> str:
    """Return how to write it without its flags: with them, no phone could show the table."""
    found = parameters(operation)
    bare = [one.usage for one in found if not one.flags]
    return " ".join([operation.name, *bare, *(["…"] if len(bare) < len(found) else [])])


def _one(operation: AnyOperation) -> Report:
    rows = tuple(
        Row(
            cells=(
                parameter.shown,
                parameter.word.help,
                parameter.example if parameter.word.read else parameter.shown,
            )
        )
        for parameter in every_parameter(operation)
    )
    columns = (
        Column(key="word", label="Word"),
        Column(key="meaning", label="Meaning"),
        Column(key="example", label="Example"),
    )
    table = Table(caption=f"Words of {operation.name}", columns=columns, rows=rows, total=len(rows))
    also = f" Also: {', '.join(operation.aliases)}." if operation.aliases else ""
    return Report(
        title=f"help {operation.name}",
        text=f"`{usage(operation)}`: {operation.summary} For {_WHO[operation.risk]}.{also}",
        parts=(table,) if rows else (Note(text="It takes no further words."),),
    )


HELP = Operation[HelpArguments, Target](
    name="help",
    summary="Lists what you can ask, or explains one of it.",
    risk=Risk.READ,
    arguments=HelpArguments,
    answer=_answer,
)
