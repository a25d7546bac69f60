"""What a target touches, told by exact names, counts and digests: what was shown can be held against what is there now.

Ages, progress and whatever else changes by itself stay out of it: they say nothing about *what* would be touched.
"""

import hashlib
from collections.abc import Iterator, Mapping

from msgspec import Struct
from pydantic import BaseModel, ConfigDict

from knowledge_base_agent.redaction import plain
from knowledge_base_agent.wording import counted, worded

_NAMED = 5
_MORE_BY, _MORE_BY_SHARE = 10, 0.1


class Scope(BaseModel):
    """What is touched, by kind: `task` in the singular for names, or what is counted, such as `rows in FAILURE`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: Mapping[str, frozenset[str]] = {}
    """Exact ids and names, by kind. Nothing may join them."""
    counts: Mapping[str, int] = {}
    """Things too many to name, chosen by a frozen time so that they become fewer only. None may join them."""
    digests: Mapping[str, str] = {}
    """Which things those are that `counts` counts, by the same words: while their number is the same, so is this."""
    flows: Mapping[str, int | None] = {}
    """Things that come and go each second: the set is what they are in, such as a queue. None is unknown."""
    fresh: Mapping[str, int] = {}
    """Of flows, at a look again: how many of what is there now were not there when it was shown."""

    @property
    def fingerprint(self) -> str:
        """The set as 64 hexadecimal digits: equal for an equal set, in whatever order it was found."""
        return fingerprint(
            {kind: sorted(names) for kind, names in self.names.items() if names},
            {what: number for what, number in self.counts.items() if number},
            sorted(self.flows),
            self.digests,
        )

    @property
    def size(self) -> int:
        """How many things it names and counts; what is unknown counts as nothing."""
        named = sum(len(names) for names in self.names.values())
        return named + sum(self.counts.values()) + sum(one or 0 for one in self.flows.values())

    def under(self, name: str) -> "Scope":
        """Return the same as a part of something larger, told apart by the name of that part."""
        return Scope(
            names={f"{name} {kind}": names for kind, names in self.names.items()},
            counts={f"{name}: {what}": number for what, number in self.counts.items()},
            digests={f"{name}: {what}": digest for what, digest in self.digests.items()},
            flows={f"{name}: {what}": number for what, number in self.flows.items()},
            fresh={f"{name}: {what}": number for what, number in self.fresh.items()},
        )

    def __or__(self, other: "Scope") -> "Scope":
        """Return both, where they have no part in common."""
        return Scope(
            names={**self.names, **other.names},
            counts={**self.counts, **other.counts},
            digests={**self.digests, **other.digests},
            flows={**self.flows, **other.flows},
            fresh={**self.fresh, **other.fresh},
        )


def fingerprint(*parts: object) -> str:
    """Return the SHA-256 of values, as 64 hexadecimal digits. Mappings are taken in the order of their keys."""
    ordered = [sorted(part.items()) if isinstance(part, Mapping) else part for part in parts]
    return hashlib.sha256(repr(ordered).encode()).hexdigest()


class Difference(Struct, frozen=True, kw_only=True):
    """How what is there now differs from what was shown: sentences without a full stop."""

    came: tuple[str, ...] = ()
    """What nobody has seen: it must be shown before anything runs."""
    went: tuple[str, ...] = ()
    """What is missing since: what is left may be run on."""
    unknown: tuple[str, ...] = ()
    """What was known when it was shown, and can't be told now."""


def difference(shown: Scope, now: Scope) -> Difference:
    """Hold what is there now against what was shown."""
    return Difference(
        came=(
            *_named(now, shown, "came"),
            *_counted(shown, now, more=True),
            *_replaced(shown, now),
            *_flooded(shown, now),
        ),
        went=(*_named(shown, now, "ended or went"), *_counted(shown, now, more=False)),
        unknown=tuple(
            what
            for what, number in now.flows.items()
            if number is None and shown.flows.get(what) is not None
        ),
    )


def _named(these: Scope, without: Scope, verb: str) -> Iterator[str]:
    for kind, names in these.names.items():
        if only := sorted(names - without.names.get(kind, frozenset())):
            some = ", ".join(plain(name, 128) for name in only[:_NAMED])
            more = ", …" if len(only) > _NAMED else ""
            yield f"{counted(len(only), kind)} {verb} ({some}{more})"


def _counted(shown: Scope, now: Scope, *, more: bool) -> Iterator[str]:
    for what in sorted({*shown.counts, *now.counts}):
        before, after = shown.counts.get(what, 0), now.counts.get(what, 0)
        if (after > before) if more else (after < before):
            yield f"{after:,} {what}, {before:,} were shown"


def _replaced(shown: Scope, now: Scope) -> Iterator[str]:
    """Yield what is as many as was shown, and not the same ones."""
    for what, digest in sorted(now.digests.items()):
        number = now.counts.get(what, 0)
        if number == shown.counts.get(what, 0) and digest != shown.digests.get(what):
            yield f"{number:,} {what}, as many as were shown, but others"


def _flooded(shown: Scope, now: Scope) -> Iterator[str]:
    """Yield what holds more than was shown by over 10 or 10 %, whichever is more: a busy queue never stands still.

    As many that took the place of what was shown are another set, too, however many there are in all.
    """
    for what, after in sorted(now.flows.items()):
        if what not in shown.flows:
            yield f"{worded(after)} {what}, none were shown"
            continue
        before = shown.flows[what]
        if before is None or after is None:
            continue
        allowed, others = max(_MORE_BY, before * _MORE_BY_SHARE), now.fresh.get(what, 0)
        if after - before > allowed:
            yield f"{after:,} {what}, {before:,} were shown"
        elif others > allowed:
            yield f"{after:,} {what}, many of them others than the {before:,} that were shown"
