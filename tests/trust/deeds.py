"""Operations whose every effect leaves a mark in Valkey that nothing else leaves: the ledger by which we judge."""

from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.actors import Actor, Audience, Standing, Surface
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import free_text
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Request
from knowledge_base_agent.scope import Scope

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

MEMBER = Standing(known=True, full_member=True, why_not="", audience=Audience.OURS)
OTTO = Actor(id="UOTTO", name="Otto", surface=Surface.SLACK, standing=MEMBER)
OLGA = Actor(id="UOLGA", name="Olga", surface=Surface.SLACK, standing=MEMBER)
VERA = Actor(id="UVERA", name="Vera", surface=Surface.SLACK, standing=MEMBER)
STEPS = 3
"""Effects of one deed."""


class DeedArguments(Arguments):
    """Which line of the ledger to write to."""

    key: Annotated[str, Word(read=free_text, help="a key", example="ledger:1", positional=True)]


class DeedTarget(Target):
    """The key, frozen."""

    key: str


def _preview(deployment: "Deployment", arguments: DeedArguments) -> Preview[DeedTarget]:
    return _again(deployment, DeedTarget(key=arguments.key))


def _again(deployment: "Deployment", target: DeedTarget) -> Preview[DeedTarget]:
    return Preview(
        target=target,
        report=Report(title="deed", text=f"would mark {target.key} {STEPS} times"),
        scope=Scope(names={"key": frozenset({target.key})}),
        affected=STEPS,
    )


def _run(deployment: "Deployment", target: DeedTarget, progress: Progress) -> Report:
    for step in range(STEPS):
        deployment.progress_redis.rpush(target.key, f"step {step}")
        progress(step + 1, STEPS)
    return Report(title="deed", text=f"marked {target.key}")


DEED = Operation[DeedArguments, DeedTarget](
    name="deed",
    summary="Marks the ledger after a confirmation.",
    risk=Risk.DESTROY,
    arguments=DeedArguments,
    preview=_preview,
    again=_again,
    run=_run,
    target=DeedTarget,
)
CHANGE = Operation[DeedArguments, DeedTarget](
    name="mark",
    summary="Marks the ledger at once.",
    risk=Risk.CHANGE,
    arguments=DeedArguments,
    answer=lambda deployment, arguments, progress: _run(
        deployment, DeedTarget(key=arguments.key), progress
    ),
)
DEEDS = (DEED, CHANGE)


def asked(key: str, actor: Actor = OTTO, *, change: bool = False) -> Request:
    """Return a request for a deed."""
    operation = CHANGE if change else DEED
    arguments = DeedArguments(key=key)
    words = f"{operation.name} {key}"
    return Request(actor=actor, operation=operation, arguments=arguments, words=words, place="C1")
