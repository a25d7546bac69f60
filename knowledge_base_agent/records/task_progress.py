"""How far tasks are: one Redis hash a task, `progress:<task id>`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from redis import Redis, RedisError

from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.task_ids import checked

PREFIX: Final = "progress:"
_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a task said it is. What it never said is None. `updated_at` is aware UTC, by the worker's clock."""

    done: float | None = None
    total: float | None = None
    phase: str | None = None
    note: str | None = None
    updated_at: datetime | None = None

    @property
    def share(self) -> float | None:
        """The part that is done, 0 to 1; None when the task gave no total."""
        if self.done is None or not self.total or self.total < 0:
            return None
        return min(max(self.done / self.total, 0.0), 1.0)


def progress_key(task_id: str) -> str:
    """Return the key of a task's hash. Raises `Misunderstood` for what cannot be a task's id."""
    return PREFIX + checked(task_id)


def read_progress(client: Redis, task_ids: Iterable[str]) -> dict[str, Progress]:
    """Return the progress of those of the tasks that have told any.

    The client's socket timeout is the deadline. Raises `Away` when Redis does not answer.
    """
    ids = list(task_ids)
    found: dict[str, Progress] = {}
    try:
        for start in range(0, len(ids), _AT_ONCE):
            chunk = ids[start : start + _AT_ONCE]
            pipeline = client.pipeline(transaction=False)
            for task_id in chunk:
                pipeline.hgetall(progress_key(task_id))
            answers = pipeline.execute()
            found |= {i: _progress(a) for i, a in zip(chunk, answers, strict=True) if a}
    except RedisError as error:
        raise Away(
            f"The progress of tasks cannot be read: Redis does not answer ({error}).",
            "Look at the Redis that REDIS_PROGRESS_URL names.",
            source="the progress store",
        ) from error
    return found


def _progress(answer: Mapping[bytes, bytes]) -> Progress:
    fields = {name.decode(): value.decode(errors="replace") for name, value in answer.items()}
    at = _number(fields.get("updated_at"))
    return Progress(
        done=_number(fields.get("done")),
        total=_number(fields.get("total")),
        phase=fields.get("phase"),
        note=fields.get("note"),
        updated_at=None if at is None else datetime.fromtimestamp(at, UTC),
    )


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:  # another program's hash: what cannot be read is unknown
        return None
