"""A Redis that is full, loses keys or is away; a broker that does not answer; beat that is silent. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.fleet.redis_state import RedisState
from knowledge_base_agent.operations.alerts_thresholds import Thresholds
from knowledge_base_agent.records.alerts import Offer
from knowledge_base_agent.records.beat_sign import SILENT_AFTER
from knowledge_base_agent.watching.reading import Reading
from knowledge_base_agent.watching.recollection import Evicted, Recollection
from knowledge_base_agent.watching.trouble import Kind, Part, Severity, Trouble
from knowledge_base_agent.wording import counted, duration, size

EVICTING_FOR = timedelta(minutes=10)
"""For how long after the last evicted key it still counts as evicting."""
_STATS = Offer(label="Stats", words="stats")
_DOCTOR = Offer(label="Doctor", words="doctor")


def redis_troubles(reading: Reading, limits: Thresholds, before: Recollection) -> Part:
    """Judge every Redis by its own figures."""
    unjudged = set[Kind]()
    evicted = evictions(reading, before)
    found: list[Trouble] = []
    for role, state in reading.redis.items():
        if isinstance(state, Unknown):
            unjudged |= {Kind.REDIS_MEMORY, Kind.REDIS_EVICTS}
            continue
        found += [*_memory(role, state, limits), *_evicts(role, state, evicted, reading.taken_at)]
        if role not in before.evicted:
            unjudged.add(Kind.REDIS_EVICTS)
    return Part(troubles=tuple(found), unjudged=frozenset(unjudged))


def _memory(role: str, state: RedisState, limits: Thresholds) -> Iterator[Trouble]:
    used, most = state.used_memory, state.max_memory
    if used is None:
        return
    share = used / most if most else None
    if used <= limits.redis_bytes and (share is None or share <= limits.redis_share):
        return
    of = f", {share:.0%} of its maxmemory of {size(most or 0)}" if share is not None else ""
    full = {
        None: "",
        "noeviction": " When it is full, nothing can be published any more.",
    }.get(state.policy, f" When it is full, it drops keys ({state.policy}).")
    yield Trouble(
        kind=Kind.REDIS_MEMORY,
        subject=role,
        severity=Severity.BAD,
        title="Redis uses much memory",
        sentence=f"The Redis of {role} uses {size(used)}{of}.{full}",
        figures={"used_bytes": used, "max_bytes": most},
        offers=(_STATS, Offer(label="Flush", words="flush", danger=True), _DOCTOR),
        checks=2,
    )


def evictions(reading: Reading, before: Recollection) -> dict[str, Evicted]:
    """Return each Redis' count of evicted keys, and when it rose."""
    found = dict(before.evicted)
    for role, state in reading.redis.items():
        if isinstance(state, Unknown) or state.evicted_keys is None:
            continue
        last = before.evicted.get(role)
        if last is None or state.evicted_keys < last.keys:  # the first look, or it was restarted
            found[role] = Evicted(keys=state.evicted_keys)
        elif state.evicted_keys > last.keys:
            by = state.evicted_keys - last.keys
            found[role] = Evicted(keys=state.evicted_keys, rose_at=reading.taken_at, by=by)
    return found


def _evicts(
    role: str, state: RedisState, evicted: Mapping[str, Evicted], now: datetime
) -> Iterator[Trouble]:
    one = evicted.get(role)
    if one is None or one.rose_at is None or now - one.rose_at > EVICTING_FOR:
        return
    yield Trouble(
        kind=Kind.REDIS_EVICTS,
        subject=role,
        severity=Severity.BAD,
        title="Redis loses keys",
        sentence=f"The Redis of {role} dropped {counted(one.by, 'key')} for want of memory ({state.policy}), last seen "
        f"at {one.rose_at:%H:%M:%S} UTC; queued tasks and results may be among them.",
        figures={"evicted": one.keys},
        offers=(_STATS, Offer(label="Flush", words="flush", danger=True), _DOCTOR),
    )


def away_troubles(reading: Reading) -> Part:
    """Say what does not answer. The database is left out: without it nothing could be kept."""
    away = {role: one for role, one in reading.redis.items() if isinstance(one, Unknown)}
    found = [_away(f"the Redis of {role}", one) for role, one in away.items()]
    broker_told = any("broker" in role.split(", ") for role in away)
    if isinstance(reading.fleet, Unknown) and not broker_told:
        found.append(_away("the broker", reading.fleet))
    return Part(troubles=tuple(found))


def _away(what: str, why: Unknown) -> Trouble:
    return Trouble(
        kind=Kind.AWAY,
        subject=what,
        severity=Severity.BAD,
        title=f"No answer from {what}",
        sentence=f"{why.reason} What hangs on it is not watched until it answers.",
        offers=(_DOCTOR, _STATS),
        checks=2,
    )


def beat_troubles(reading: Reading, limits: Thresholds) -> Part:
    """Say that beat is silent, where it is expected."""
    if isinstance(reading.beat, Unknown):
        return Part(unjudged=frozenset({Kind.BEAT_SILENT}))
    if not limits.beat_expected:
        return Part()
    if reading.beat is not None and reading.taken_at - reading.beat <= SILENT_AFTER:
        return Part()
    last = "it has never given a sign"
    if reading.beat is not None:
        last = f"its last sign is {duration(reading.taken_at - reading.beat)} old"
    trouble = Trouble(
        kind=Kind.BEAT_SILENT,
        subject="beat",
        severity=Severity.BAD,
        title="Celery beat is silent",
        sentence=f"Beat should be running, and {last}: scheduled tasks are not sent. Start it again, only once.",
        offers=(_DOCTOR,),
        checks=2,
    )
    return Part(troubles=(trouble,))
