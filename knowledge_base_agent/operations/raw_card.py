"""What a task was called with and what came of it, as it is, for its card: from whoever has it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.operations.raw_values import raw
from knowledge_base_agent.operations.stored_results import StoredResult
from knowledge_base_agent.operations.task_accounts import Accounts
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.task_messages import kept_messages
from knowledge_base_agent.redaction import Raw, plain
from knowledge_base_agent.report import Note, Part, Preformatted, Tone

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


def raw_parts(deployment: "Deployment", accounts: Accounts) -> Iterator[Part]:
    """Yield the arguments, by its worker, its kept message or its result, and the result where one is stored."""
    found = _by_worker(accounts)
    if found is None:
        found, why = _kept(deployment, accounts)
        if found is None:
            yield Note(text=f"Its arguments are unknown: {why}", tone=Tone.WARNING)
    if found is not None:
        yield Preformatted(title="Arguments, as they are", text=found)
    result = accounts.result
    if isinstance(result, StoredResult) and result.state is not None:
        yield Preformatted(title="Result, as it is", text=raw(result.result))


def _by_worker(accounts: Accounts) -> Raw | None:
    if isinstance(accounts.places, Unknown):
        return None
    told = (task.arguments for task in accounts.places.held)
    return next((Raw(one) for one in told if one is not None), None)


def _kept(deployment: "Deployment", accounts: Accounts) -> tuple[Raw | None, str]:
    result = accounts.result
    if isinstance(result, StoredResult) and result.arguments is not None:
        return raw(result.arguments), ""
    try:
        with reading(deployment.engine) as connection:
            message = kept_messages(connection, [accounts.id]).get(accounts.id)
    except Away as problem:
        return None, plain(problem.what, 300)
    if message is not None:
        return raw((message.args, message.kwargs)), ""
    return None, (
        "no worker has it, no message of it was kept (KB_KEEP_MESSAGES, up to 64 kB), and its result does not hold "
        "them (`result_extended`)."
    )
