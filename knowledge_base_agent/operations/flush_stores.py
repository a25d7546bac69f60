"""The two Redis databases that a flush works on: whose keys are in them, and whether anything else lives there.

Nothing here removes a key that does not begin with `progress:` or `logs:`, so the history stream stays.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis
from redis.connection import parse_url

from knowledge_base_agent.fleet.asides import PREFIX as ASIDE_PREFIX
from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.connections import LOGS, PROGRESS
from knowledge_base_agent.fleet.deadline import Deadline, ahead
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.records.task_logs import PREFIX as LOGS_PREFIX
from knowledge_base_agent.records.task_progress import PREFIX as PROGRESS_PREFIX

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

ASIDE = ASIDE_PREFIX.encode()
"""How the keys begin that a flush has put aside: they have the names of others in them, and mean nothing."""
_PAGE = 2000
_PAGE_SECONDS = 10.0
_AT_ONCE = 500
_TOUCHED = """
local least, unknown, touched = tonumber(ARGV[1]), ARGV[2] == '1', {}
for _, key in ipairs(KEYS) do
  local idle = redis.pcall('OBJECT', 'IDLETIME', key)
  if type(idle) == 'number' and idle < least or type(idle) ~= 'number' and unknown then
    touched[#touched + 1] = key
  end
end
return touched
"""
"""One answer for hundreds of keys: asked key by key, a flush would spend most of its time on this."""
_LOCAL = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}
_INTRUDERS = re.compile(
    rb"_kombu\.binding\.|(?:^|[^A-Za-z])unacked(?:_index|_mutex)?$|celery-task(?:set)?-meta-"
)
"""Keys that only a broker or a result backend has, whatever prefix they were given."""
_CURE = "Give progress and logs databases of their own (REDIS_PROGRESS_URL, REDIS_LOGS_URL), then ask again."


@dataclass(frozen=True, kw_only=True)
class Store:
    """One database, and the beginning of the keys in it that are a flush's business."""

    source: str
    """What people call it: "the progress store"."""
    url: str
    prefix: bytes
    client: redis.Redis

    def task_id(self, key: bytes) -> str:
        """Return the id of the task that a key belongs to."""
        return key[len(self.prefix) :].decode("utf-8", "replace")


def stores_of(deployment: "Deployment") -> tuple[Store, ...]:
    """Return both stores. Raises `Refused` if a setting says that one of them holds the broker or results."""
    settings = deployment.settings
    found = (
        Store(
            source=PROGRESS,
            url=settings.progress_url,
            prefix=PROGRESS_PREFIX.encode(),
            client=deployment.progress_redis,
        ),
        Store(
            source=LOGS,
            url=settings.logs_url,
            prefix=LOGS_PREFIX.encode(),
            client=deployment.logs_redis,
        ),
    )
    for store in found:
        _refuse_by_settings(deployment, store)
    return found


def pages(store: Store, *, ours_alone: bool = False) -> Iterator[list[bytes]]:
    """Yield the store's keys, page by page, by SCAN. A key may come twice, as SCAN has it.

    Raises `Refused` at the first key of a broker or a result backend, and `Away`.
    """
    # Where every key has just been looked at, the server need not send those of others, nor what is aside.
    match = store.prefix + b"*" if ours_alone else None

    def ask(cursor: int) -> Callable[[], tuple[int, list[bytes]]]:
        def call() -> Any:
            with away_if_down(store.source):
                return store.client.scan(cursor, match=match, count=_PAGE)

        return ahead(Deadline.after(_PAGE_SECONDS), call, source=store.source)

    coming: Callable[[], tuple[int, list[bytes]]] | None = ask(0)
    while coming:
        cursor, keys = coming()
        # The next page is on its way while the caller works on this one.
        coming = ask(cursor) if cursor else None
        if ours_alone:
            yield keys
            continue
        mine = [key for key in keys if key.startswith(store.prefix)]
        if len(mine) < len(keys):
            _refuse_by_keys(store, keys)
        yield mine


def touched_keys(store: Store, keys: list[bytes], least: float, *, unknown_too: bool) -> set[bytes]:
    """Return those that somebody has touched in the last `least` seconds, by the Redis server's own clock.

    `unknown_too`: and those of which that can't be told, since the key is gone, or the server counts how often instead
    of when (LFU). Raises `Away`.
    """
    if least <= 0:
        return set()
    script, found = store.client.register_script(_TOUCHED), set[bytes]()
    arguments: list[str | int] = [repr(least), int(unknown_too)]
    with away_if_down(store.source):
        for start in range(0, len(keys), _AT_ONCE):
            found.update(script(keys=keys[start : start + _AT_ONCE], args=arguments))
    return found


def _refuse_by_settings(deployment: "Deployment", store: Store) -> None:
    conf: Any = deployment.app.conf
    urls = (
        ("the broker", (conf.broker_write_url, conf.broker_read_url, conf.broker_url)),
        ("the results of tasks", (conf.result_backend,)),
    )
    mine = _database(store.url)
    for what, given in urls:
        addresses = [one for url in given if url for one in str(url).split(";")]
        if mine is not None and mine in [_database(one) for one in addresses]:
            raise Refused(f"{_begun(store)} is the database of {what}: nothing was removed.", _CURE)


def _refuse_by_keys(store: Store, keys: Iterable[bytes]) -> None:
    for key in keys:
        if not key.startswith((store.prefix, ASIDE)) and _INTRUDERS.search(key):
            raise Refused(
                f"{_begun(store)} holds keys of a broker or of results (“{key[:60].decode(errors='replace')}”): "
                "tasks could be lost.",
                _CURE,
            )


def _begun(store: Store) -> str:
    return store.source[:1].upper() + store.source[1:]


def _database(url: str) -> tuple[str, int, int] | None:
    """Return what tells one Redis database from another, or None for what is no plain Redis."""
    try:
        found: Any = parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError:
        return None
    host = found.get("host") or found.get("path") or "localhost"
    return _LOCAL.get(host, host), int(found.get("port") or 6379), int(found.get("db") or 0)
