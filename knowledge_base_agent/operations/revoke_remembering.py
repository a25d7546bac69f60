"""That tasks are revoked, kept before a worker is told of it: and forgotten again where none was."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from knowledge_base_agent.operations.undo_revoked import keep_revoked
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.revoked_tasks import forget_revoked, remember_revoked

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


@contextmanager
def remembering(
    deployment: "Deployment", ids: Collection[str], *, by: str, terminate: bool
) -> Iterator[None]:
    """Keep that these are revoked while workers are told, so that one that joins or restarts is told, too.

    An `Away` from within says that nothing was sent. Then a revoke that is called failed must not be carried out, by
    whoever keeps revokes, as soon as the broker answers again. Raises `Away`.
    """
    kept = keep_revoked(deployment, ids)
    remembered = remember_revoked(deployment.engine, ids, by=by, terminate=terminate)
    try:
        yield
    except Away as problem:
        try:
            forget_revoked(deployment.engine, remembered)
            kept.fill(0, None)
        except Away as another:
            raise Away(
                f"{problem.what} Nothing was sent, and that it is to be revoked could not be taken back: "
                f"{another.what} So the workers are told as soon as the broker answers.",
                f"{problem.cure} Look then what became of it.",
                source=problem.source,
            ) from problem
        raise Away(
            f"{problem.what} Nothing was sent, so nothing is revoked.",
            problem.cure,
            source=problem.source,
        ) from problem
