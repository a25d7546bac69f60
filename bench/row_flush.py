"""Row 8: what a great many tasks told of their progress and logged, flushed so that it can be had back."""

import subprocess
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import redis

from bench.crew import crew
from bench.grounds import space, sqlite
from bench.measuring import medians
from bench.others import other
from bench.rows import Outcome, Row, Scale, at_least, at_most, milliseconds
from knowledge_base_agent.actors import NOBODY, acting
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.operations.flush import FLUSH, FlushTarget
from knowledge_base_agent.operations.operation import given
from tests.fleet.tiny_app import tiny_app
from tests.records.deployment import settings_for
from tests.servers import RedisSpace

_PORTION = 5_000
_FILL = """
for n = tonumber(ARGV[2]), tonumber(ARGV[3]) - 1 do
  local key = string.format('%s:%08x-5d1c-4f0e-8a6f-0123456789ab', ARGV[1], n)
  if ARGV[1] == 'logs' then redis.call('RPUSH', key, 'one line', 'another line')
  else redis.call('HSET', key, 'done', n, 'total', 100) end
end
"""
_OURS, _FOR_GOOD = "ours", "ours, --no-undo"
_XARGS, _FLOOR, _NOBODY = "redis-cli --scan | xargs DEL", "SCAN, and UNLINK of known keys", "nobody"


def _stores(ground: RedisSpace) -> dict[str, str]:
    return {"progress": ground.progress_url, "logs": ground.logs_url}


def _fill(ground: RedisSpace, many: int) -> dict[str, list[bytes]]:
    """Leave nothing but so many keys in each store, and return them."""
    found = {}
    for prefix, url in _stores(ground).items():
        with redis.Redis.from_url(url, socket_timeout=300) as client:
            for key in client.scan_iter(match="kb:undo:*", count=5_000):
                client.unlink(key)
            for start in range(0, many, _PORTION):
                client.eval(_FILL, 0, prefix, str(start), str(min(start + _PORTION, many)))
            found[prefix] = list(client.scan_iter(match=f"{prefix}:*", count=5_000))
    return found


def _flush(deployment: Deployment, *, no_undo: bool) -> None:
    target = FlushTarget(everything=False, previewed_at=utc_now(), no_undo=no_undo)
    told: list[int] = []
    with acting(NOBODY, "op-1"):
        given(FLUSH.run)(deployment, target, lambda done, total, note="": told.append(done))
    assert told == sorted(told)
    assert len(told) > 1, "progress is shown"


def _xargs(ground: RedisSpace) -> None:
    for prefix, url in _stores(ground).items():
        parts = urlsplit(url)
        client = ["redis-cli", "-p", str(parts.port), "-n", parts.path.strip("/")]
        with subprocess.Popen(
            [*client, "--scan", "--pattern", f"{prefix}:*"], stdout=subprocess.PIPE
        ) as scan:
            subprocess.run(
                ["xargs", *client, "DEL"],
                stdin=scan.stdout,
                stdout=subprocess.DEVNULL,
                check=True,
            )


def _floor(ground: RedisSpace, keys: dict[str, list[bytes]]) -> None:
    for prefix, url in _stores(ground).items():
        with redis.Redis.from_url(url) as client:
            for _ in client.scan_iter(count=1_000):
                pass
            for start in range(0, len(keys[prefix]), 500):
                client.unlink(*keys[prefix][start : start + 500])


def _timed(url: str, work: Callable[[], None]) -> tuple[float, float]:
    with other("pinger", url) as waits:
        started = time.perf_counter()
        work()
        took = time.perf_counter() - started
    return took, waits.most


def _rounds(
    ground: RedisSpace, deployment: Deployment, scale: Scale, many: int
) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(scale.choose(3, 1)):
        for name in (_OURS, _FOR_GOOD, _XARGS, _FLOOR, _NOBODY):
            keys = _fill(ground, many)
            work: dict[str, Callable[[], None]] = {
                _OURS: lambda: _flush(deployment, no_undo=False),
                _FOR_GOOD: lambda: _flush(deployment, no_undo=True),
                _XARGS: lambda: _xargs(ground),
                _FLOOR: lambda keys=keys: _floor(ground, keys),  # type: ignore[misc]
                _NOBODY: lambda: time.sleep(1),
            }
            found.setdefault(name, []).append(_timed(ground.progress_url, work[name]))
            with redis.Redis.from_url(ground.progress_url) as client:
                left = sum(1 for _ in client.scan_iter(match="progress:*", count=5_000))
            assert left == (many if name == _NOBODY else 0), f"{name} left {left} keys"
    return found


def _flushed(scale: Scale) -> Outcome:
    many = scale.choose(1_000_000, 10_000)
    with (
        space() as ground,
        sqlite() as url,
        tiny_app(ground.broker_url, ground.result_url) as app,
    ):
        deployment = open_deployment(settings_for(ground, url), app)
        with crew(ground, 1, deployment.fleet):
            found = _rounds(ground, deployment, scale, many)
        deployment.close()
    return _outcome(many, found)


def _outcome(many: int, found: dict[str, list[tuple[float, float]]]) -> Outcome:
    took, stall = medians(found)
    ours = took[_OURS]
    return Outcome(
        figures=(
            *(
                milliseconds(f"{many:,} hashes and as many lists: {name}", seconds)
                for name, seconds in took.items()
                if name != _NOBODY
            ),
            *(milliseconds(f"another's longest PING: {name}", one) for name, one in stall.items()),
        ),
        goals=(
            at_least("faster than xargs", took[_XARGS] / ours, 2, smoke=0.02),
            at_most("of the floor, which keeps nothing", ours / took[_FLOOR], 1.3, smoke=100),
            at_most(
                "of the floor: --no-undo, which keeps nothing either",
                took[_FOR_GOOD] / took[_FLOOR],
                1.3,
                smoke=100,
            ),
            at_most("another's PING", stall[_OURS] * 1000, 10, smoke=500, unit="ms"),
            at_most("… --no-undo", stall[_FOR_GOOD] * 1000, 10, smoke=500, unit="ms"),
        ),
    )


FLUSH_ROW = Row(number=8, title="Progress and logs flushed, with undo kept", run=_flushed)
