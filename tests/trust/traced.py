"""Every operation with its parts taken out: each part that the road reaches leaves a trace, and does nothing else."""

from collections import Counter
from typing import Any

from msgspec.structs import replace

from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.operations.operation import AnyOperation, Preview, Risk, Target
from knowledge_base_agent.report import Report
from knowledge_base_agent.scope import Scope


class Nothing(Target):
    """A target without anything in it, and with what the road reads of a round's target and of a resumed run's."""

    run: str = ""
    operation: str = ""
    target_json: str = "{}"
    steps: tuple[str, ...] = ()


def traced(ledger: Counter[str], *, grave: str = "") -> dict[str, AnyOperation]:
    """Return all of them by name, counting in the ledger; with `grave`, what destroys needs two people."""
    return {operation.name: _traced(operation, ledger, grave) for operation in OPERATIONS}


def _traced(operation: AnyOperation, ledger: Counter[str], grave: str) -> AnyOperation:
    report = Report(title=operation.name, text="It was let through.")

    def answer(*_: Any) -> Report:
        ledger[operation.name] += 1
        return report

    def preview(*_: Any) -> Preview[Nothing]:
        ledger[operation.name] += 1
        scope = Scope(names={"thing": frozenset({"a"})})
        return Preview(target=Nothing(), report=report, affected=1, scope=scope, grave=grave)

    if operation.risk is Risk.DESTROY:
        return replace(operation, target=Nothing, preview=preview, again=preview, run=answer)
    return replace(operation, answer=answer)
