"""What the result backend keeps of tasks: read as JSON and nothing but JSON, and removed by exact keys.

On Redis the keys are read directly, each up to a cap: Celery's own reading would load a result of any size, and decode
a pickled one where the app allows that. Other backends are asked through Celery.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from redis import Redis

from knowledge_base_agent.fleet.away import away, away_if_down
from knowledge_base_agent.fleet.connections import RESULTS
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.redis_state import is_redis_url

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

MOST_BYTES: Final = 256 * 1024
_AT_ONCE: Final = 100
_PENDING: Final = "PENDING"


@dataclass(frozen=True, kw_only=True)
class StoredResult:
    """What is kept of one task. A state of None is unknown: Celery's PENDING means no more than that it has nothing.

    `arguments` is there with `result_extended` alone.
    """

    state: str | None
    why_unknown: str = ""
    name: str | None = None
    queue: str | None = None
    arguments: tuple[list[Any], dict[str, Any]] | None = None
    result: object = None
    """What the task returned, or raised, as plain data: unredacted."""


NOTHING: Final = StoredResult(
    state=None, why_unknown="it has nothing: never stored, expired, or not yet ended"
)


def read_results(
    deployment: "Deployment", deadline: Deadline, ids: Sequence[str]
) -> Mapping[str, StoredResult]:
    """Return what is kept of each task. Raises `Away` when the backend does not answer in time."""
    url = backend_url(deployment)
    if url is None:
        off = StoredResult(state=None, why_unknown="no result backend keeps results")
        return dict.fromkeys(ids, off)
    backend: Any = deployment.app.backend
    if is_redis_url(url):
        client = deployment.redis_clients.of(url)
        keys = {one: backend.get_key_for_task(one) for one in ids}
        return within(deadline, partial(_read_redis, client, keys), source=RESULTS)
    return within(deadline, partial(_read_through_celery, backend, ids, deadline), source=RESULTS)


def backend_url(deployment: "Deployment") -> str | None:
    """Return where results are kept; None where they are not, or travel in messages."""
    backend: Any = deployment.app.backend
    url = str(getattr(backend, "url", None) or deployment.app.conf.result_backend or "")
    return None if not url or url.startswith(("disabled", "rpc")) else url


def _read_redis(client: Redis, keys: Mapping[str, Any]) -> dict[str, StoredResult]:
    found: dict[str, StoredResult] = {}
    ids = list(keys)
    with away_if_down(RESULTS):
        for start in range(0, len(ids), _AT_ONCE):
            chunk = ids[start : start + _AT_ONCE]
            pipeline = client.pipeline(transaction=False)
            for one in chunk:
                pipeline.getrange(keys[one], 0, MOST_BYTES)
            found |= {one: _read(raw) for one, raw in zip(chunk, pipeline.execute(), strict=True)}
    return found


def _read(raw: bytes) -> StoredResult:
    if not raw:
        return NOTHING
    if len(raw) > MOST_BYTES:
        return StoredResult(state=None, why_unknown="its result is larger than is read here")
    try:
        meta = json.loads(raw)
    except ValueError:
        return StoredResult(state=None, why_unknown="its result is not JSON, and nothing else is")
    return _judged(meta) if isinstance(meta, dict) else NOTHING


def _read_through_celery(
    backend: Any, ids: Iterable[str], deadline: Deadline
) -> dict[str, StoredResult]:
    found = {}
    for one in ids:
        if deadline.expired:
            found[one] = StoredResult(state=None, why_unknown="the time was up before it was read")
            continue
        try:
            found[one] = _judged(backend.get_task_meta(one, cache=False))
        except Exception as error:
            # Each kind of backend raises its own driver's errors.
            raise away(RESULTS, error) from error
    return found


def _judged(meta: Mapping[str, Any]) -> StoredResult:
    state, args, kwargs = meta.get("status"), meta.get("args"), meta.get("kwargs")
    if state is None or state == _PENDING:
        return NOTHING
    extended = isinstance(args, list | tuple) and isinstance(kwargs, dict)
    return StoredResult(
        state=str(state)[:40],
        name=_text(meta.get("name")),
        queue=_text(meta.get("queue")),
        arguments=(list(args or ()), dict(kwargs or {})) if extended else None,
        result=meta.get("result"),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
