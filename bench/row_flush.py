"""Row 8: what a great many tasks told of their progress and logged, flushed so that it can be had back."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import redis
from celery import Celery

from bench.crew import crew
from bench.flush_ground import JEMALLOC, Keys, known, left, saved, server_with, stores
from bench.grounds import space, sqlite
from bench.measuring import medians
from bench.others import other
from bench.recording import processor_seconds
from bench.rows import Figure, Goal, Outcome, Row, Scale, at_least, at_most, milliseconds
from knowledge_base_agent.actors import NOBODY, acting
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.operations.flush import FLUSH, FlushTarget
from knowledge_base_agent.operations.operation import given
from tests.fleet.tiny_app import tiny_app
from tests.records.deployment import settings_for
from tests.servers import RedisSpace, Valkey

_OURS, _FOR_GOOD = "ours", "ours, --no-undo"
_LIKE_THEM = "ours, --all --no-undo, which spares nobody and keeps nothing, as the others"
_XARGS, _FLOOR = "redis-cli --scan | xargs DEL", "SCAN, and UNLINK of known keys"
_KEEPING_FLOOR = "SCAN, and RENAMENX of known keys"
_NOBODY = "nobody"
_WAYS = (_OURS, _FOR_GOOD, _LIKE_THEM)
_CONTESTANTS = (*_WAYS, _XARGS, _FLOOR, _KEEPING_FLOOR, _NOBODY)
_RENAME = """
for n = 1, #KEYS do redis.call('RENAMENX', KEYS[n], ARGV[1] .. KEYS[n]) end
"""
_NOTE = (
    "xargs and SCAN with UNLINK keep nothing, so what they are set against is `--no-undo`, which still spares who runs "
    "and what was touched. By default a flush keeps for a day what it removes: each key is renamed, which alone takes "
    "a server as long as all of SCAN and UNLINK. Its floor is therefore the rename of keys that are known."
)


@dataclass(frozen=True, kw_only=True)
class _Round:
    """What one contestant did once, in seconds."""

    took: float
    stall: float
    """The longest that another client waited for a PING."""
    server: float
    """Of the server's processor."""


def _flush(deployment: Deployment, how: str) -> None:
    target = FlushTarget(everything=how == _LIKE_THEM, previewed_at=utc_now(), no_undo=how != _OURS)
    told: list[int] = []
    with acting(NOBODY, "op-1"):
        given(FLUSH.run)(deployment, target, lambda done, total, note="": told.append(done))
    assert told == sorted(told)
    assert len(told) > 1, "progress is shown"


def _xargs(server: Valkey) -> None:
    for prefix, url in stores(server).items():
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


def _floor(server: Valkey, keys: Keys) -> None:
    for prefix, url in stores(server).items():
        with redis.Redis.from_url(url) as client:
            for _ in client.scan_iter(count=1_000):
                pass
            for start in range(0, len(keys[prefix]), 500):
                client.unlink(*keys[prefix][start : start + 500])


def _keeping_floor(server: Valkey, keys: Keys) -> None:
    """Rename by a script: by single commands in a pipeline, the client takes twice as long."""
    for prefix, url in stores(server).items():
        with redis.Redis.from_url(url) as client:
            for _ in client.scan_iter(count=1_000):
                pass
            rename = client.register_script(_RENAME)
            for start in range(0, len(keys[prefix]), 500):
                rename(keys=keys[prefix][start : start + 500], args=["kb:bench:12345678:"])


def _timed(server: Valkey, work: Callable[[], None]) -> _Round:
    with other("pinger", server.url(2)) as waits:
        began, busy = time.perf_counter(), processor_seconds(server.process.pid)
        work()
        took, used = time.perf_counter() - began, processor_seconds(server.process.pid) - busy
    return _Round(took=took, stall=waits.most, server=used)


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """What all rounds have in common: a broker with a worker, a database, and what a server of theirs begins with."""

    space: RedisSpace
    database: str
    app: Celery
    dump: Path
    many: int

    def round(self, name: str) -> _Round:
        """Let one contestant remove all keys of a server that nobody else has."""
        if name == _NOBODY:
            with server_with() as server:
                return _timed(server, lambda: time.sleep(1))
        with server_with(self.dump) as server:
            found = self._removed(server, name)
            still = left(server)
            assert still == 0, f"{name} left {still} keys"
            return found

    def _removed(self, server: Valkey, name: str) -> _Round:
        if name == _XARGS:
            return _timed(server, lambda: _xargs(server))
        if name in (_FLOOR, _KEEPING_FLOOR):
            keys = known(server)
            assert [len(one) for one in keys.values()] == [self.many, self.many]
            floor = _floor if name == _FLOOR else _keeping_floor
            return _timed(server, lambda: floor(server, keys))
        urls = {f"{prefix}_url": url for prefix, url in stores(server).items()}
        settings = settings_for(replace(self.space, **urls), self.database)
        deployment = open_deployment(settings, self.app)
        try:
            return _timed(server, lambda: _flush(deployment, name))
        finally:
            deployment.close()


def _flushed(scale: Scale) -> Outcome:
    many = scale.choose(1_000_000, 10_000)
    found: dict[str, list[_Round]] = {name: [] for name in _CONTESTANTS}
    with (
        saved(many) as dump,
        space() as lent,
        sqlite() as url,
        tiny_app(lent.broker_url, lent.result_url) as app,
    ):
        deployment = open_deployment(settings_for(lent, url), app)
        with crew(lent, 1, deployment.fleet):
            ground = _Ground(space=lent, database=url, app=app, dump=dump, many=many)
            for _ in range(scale.choose(3, 1)):
                for name, rounds in found.items():
                    rounds.append(ground.round(name))
        deployment.close()
    return _outcome(many, found)


def _outcome(many: int, found: dict[str, list[_Round]]) -> Outcome:
    took, stall = medians({k: [(one.took, one.stall) for one in v] for k, v in found.items()})
    return Outcome(
        figures=_figures(many, found, took, stall),
        goals=_goals(took, stall),
        notes=(
            _NOTE,
            f"The server allocates by {'jemalloc' if JEMALLOC else 'the C library'}.",
        ),
    )


def _goals(took: dict[str, float], stall: dict[str, float]) -> tuple[Goal, ...]:
    xargs, floor = took[_XARGS] / took[_FOR_GOOD], took[_FOR_GOOD] / took[_FLOOR]
    keeping = took[_OURS] / took[_KEEPING_FLOOR]
    return (
        at_least(f"{_FOR_GOOD}: faster than xargs", xargs, 2, smoke=0.02),
        at_most(f"{_FOR_GOOD}: of the floor", floor, 1.3, smoke=100),
        at_most(f"{_OURS}: of the floor of what keeps", keeping, 1.3, smoke=100),
        *(
            at_most(f"{how}: another's PING", stall[how] * 1000, 10, smoke=500, unit="ms")
            for how in _WAYS
        ),
    )


def _figures(
    many: int, found: dict[str, list[_Round]], took: dict[str, float], stall: dict[str, float]
) -> tuple[Figure, ...]:
    removed = [name for name in took if name != _NOBODY]
    servers = {name: median(one.server for one in found[name]) / (2 * many) for name in removed}
    against = {_XARGS: took[_XARGS] / took[_OURS], _FLOOR: took[_FLOOR] / took[_OURS]}
    return (
        *(
            milliseconds(f"{many:,} hashes and as many lists: {name}", took[name])
            for name in removed
        ),
        *(
            Figure(label=f"of the server's processor, a key: {name}", value=f"{one * 1e6:.2f} µs")
            for name, one in servers.items()
        ),
        *(milliseconds(f"another's longest PING: {name}", one) for name, one in stall.items()),
        *(
            Figure(label=f"ours, which keeps what goes: as fast as {name}", value=f"{one:.2f} ×")
            for name, one in against.items()
        ),
    )


FLUSH_ROW = Row(number=8, title="Progress and logs flushed", run=_flushed)
