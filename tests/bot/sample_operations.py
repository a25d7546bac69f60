"""Operations to draw: one without parameters, and one with a parameter of each kind."""

from datetime import timedelta
from typing import Annotated

from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Preview,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import duration, state, task_id
from knowledge_base_agent.report import Report
from knowledge_base_agent.scope import Scope

SHOWN = Report(title="Shown", text="Something.")


class NoArguments(Arguments):
    """Nothing."""


class NoTarget(Target):
    """Nothing."""


NOTHING = Preview(target=NoTarget(), report=SHOWN, scope=Scope(), affected=1)

CLEAR = Operation[NoArguments, NoTarget](
    name="clear",
    summary="Removes old rows.",
    risk=Risk.DESTROY,
    arguments=NoArguments,
    target=NoTarget,
    preview=lambda deployment, arguments: NOTHING,
    again=lambda deployment, target: NOTHING,
    run=lambda deployment, target, progress: SHOWN,
)


class TidyArguments(Arguments):
    """One parameter of each kind."""

    task_ids: Annotated[
        tuple[str, ...], Word(read=task_id, help="exact ids", example="3f2a", positional=True)
    ] = ()
    task_id: Annotated[
        tuple[str, ...], Word(read=task_id, help="the same, as the guide has it", example="3f2a")
    ] = ()
    older_than: Annotated[
        timedelta, Word(read=duration, help="how old; a bare number is hours", example="24")
    ] = timedelta(days=7)
    status: Annotated[
        tuple[str, ...],
        Word(
            read=state,
            help="only these, can be given again; else all",
            example="FAILURE",
            choices=("FAILURE", "SUCCESS"),
        ),
    ] = ("FAILURE",)
    dry_run: Annotated[bool, Word(read=None, help="show it, and nothing more")] = False


TIDY = Operation[TidyArguments, NoTarget](
    name="tidy",
    summary="Tidies up.",
    risk=Risk.DESTROY,
    arguments=TidyArguments,
    target=NoTarget,
    preview=lambda deployment, arguments: NOTHING,
    again=lambda deployment, target: NOTHING,
    run=lambda deployment, target, progress: SHOWN,
)
