"""`audit verify`: is every entry what was written? From within, by its chain, and against seals kept elsewhere."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.records.audit_missing import Missing, missing_in_channel
from knowledge_base_agent.records.audit_verifying import PostedSeals, Seal, Verified, verify
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.report import Fact, Facts, Note, Part, Preformatted, Report, Tone
from knowledge_base_agent.wording import counted, worded

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 1.9
_CHANNEL_SECONDS = 1.1
_WHY_GONE = (
    "What they said is in the database, but nothing outside of it vouches for that any more. Somebody deleted them, or "
    "Slack's retention did, or they were posted to another channel before KB_AUDIT_CHANNEL named this one: find out "
    "which. A workspace's audit log knows who deleted messages."
)
_NONE_MISSING = Missing(number=0, ranges=(), compared_from=None)
_HEAD = re.compile(r"(?:entry )?([0-9][0-9,]{0,24})(?::|, sha256 )([0-9a-f]{16,64})", re.IGNORECASE)


def kept_head(text: str) -> str:
    """Read a head: `1200:3fab…` or as it stands in the channel, `entry 1,200, sha256 3fab…`; at least 16 digits."""
    found = _HEAD.fullmatch(text.strip("`'\" "))
    if found is None:
        raise ValueError("a head is an entry's number, a colon, and 16 to 64 digits of its sha256")
    return f"{int(found[1].replace(',', ''))}:{found[2].lower()}"


class VerifyArguments(Arguments):
    """Heads that were kept elsewhere."""

    head: Annotated[
        tuple[str, ...],
        Word(
            read=kept_head,
            help="a head copied from the audit channel, can be given again",
            example="1200:9f86d081884c7d65",
            value="ENTRY:SHA256",
        ),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class _Outside:
    """What the chain is compared with: seals from the channel and from a person, and what is to be said of them."""

    seals: tuple[Seal, ...]
    sources: tuple[str, ...]
    why_not: str = ""
    not_reached: str = ""
    missing: Missing = _NONE_MISSING


def _answer(deployment: "Deployment", arguments: VerifyArguments, progress: Progress) -> Report:
    started = time.monotonic()
    given = tuple(_seal(one) for one in arguments.head)
    outside = _outside(deployment, given)
    # In the bot's process somebody in Slack waits for the answer; a shell has time for the whole chain.
    until = started + _SECONDS if deployment.posted_seals is not None else None
    verified = verify(deployment.engine, outside.seals, until=until)
    return Report(
        title=_title(verified, outside),
        text=_sentence(verified, outside),
        parts=tuple(_parts(verified, outside)),
        tone=_tone(verified, outside),
        succeeded=verified.broken is None and not outside.missing.number,
        taken_at=utc_now(),
        data=_data(verified) | {"missing_in_channel": outside.missing.number},
    )


def _title(verified: Verified, outside: _Outside) -> str:
    if verified.broken is not None:
        return "The audit is broken"
    if outside.missing.number:
        return "The audit channel is not whole"
    return "The audit is whole" if not outside.not_reached else "The audit is whole, as far as seen"


def _seal(text: str) -> Seal:
    number, _, sha256 = text.partition(":")
    return Seal(number=int(number), sha256=sha256, source=f"in the head {text}")


def _outside(deployment: "Deployment", given: tuple[Seal, ...]) -> _Outside:
    sources = (f"{counted(len(given), 'head')} that you gave",) if given else ()
    if deployment.posted_seals is None:
        why = "only the bot can read it: ask in Slack, or copy heads from it after --head"
        return _Outside(seals=given, sources=sources, why_not=why)
    asked_at = utc_now()
    try:
        posted = deployment.posted_seals(_CHANNEL_SECONDS)
    except Problem as problem:
        return _Outside(seals=given, sources=sources, why_not=f"{problem.what} {problem.cure}")
    with reading(deployment.engine) as connection:
        missing = missing_in_channel(connection, posted, asked_at)
    entries = counted(len({one.number for one in posted.seals}), "entry", "entries")
    back = f" (back to {worded(posted.back_to)})" if posted.back_to is not None else ""
    return _Outside(
        seals=(*given, *posted.seals),
        sources=(*sources, f"{entries} in the channel{back}"),
        not_reached=_not_reached(posted, missing.compared_from),
        missing=missing,
    )


def _not_reached(posted: PostedSeals, compared_from: int | None) -> str:
    """Say which entries were not looked for in the channel; empty where all were."""
    if posted.back_to is None or compared_from == 1:
        return ""
    what = "no entry" if compared_from is None else f"none before entry {compared_from:,}"
    return (
        f"There was time to read the channel back to {worded(posted.back_to)} only: {what} was compared with it. "
        "Whether older ones are still there is unknown."
    )


def _sentence(verified: Verified, outside: _Outside) -> str:
    broken = verified.broken
    if broken is not None:
        return f"Entry {broken.number:,}: {broken.damage.value}: {broken.how}."
    if outside.missing.number:
        return f"{_gone(outside.missing)}. {_agreeing(verified, outside)}"
    return _agreeing(verified, outside)


def _gone(missing: Missing) -> str:
    verb = "was posted is" if missing.number == 1 else "were posted are"
    some = ", ".join(f"{a:,}" if a == b else f"{a:,} to {b:,}" for a, b in missing.ranges)
    named = sum(last - first + 1 for first, last in missing.ranges)
    more = f" and {missing.number - named:,} more" if missing.number > named else ""
    entries = counted(missing.number, "entry", "entries")
    return f"{entries} that {verb} not in the channel any more: {some}{more}"


def _agreeing(verified: Verified, outside: _Outside) -> str:
    number = verified.head.number
    if verified.whole:
        said = f"The chain of {counted(number, 'entry', 'entries')} is consistent in itself"
    else:
        said = f"The newest {verified.looked:,} of {number:,} entries are consistent in themselves"
    if outside.sources:
        said += f", and agrees with {' and '.join(outside.sources)}"
    if outside.why_not:
        return f"{said}; not compared with the channel: {outside.why_not.rstrip('.')}."
    return f"{said}."


def _parts(verified: Verified, outside: _Outside) -> Iterator[Part]:
    facts = (
        Fact(label="Newest entry", value=verified.head.number),
        Fact(label="Entries computed again", value=verified.looked),
        Fact(label="Seals compared", value=verified.compared),
    )
    yield Facts(items=facts)
    # On a line of its own: it is there to be copied whole.
    head = f"{verified.head.number}:{verified.head.seal}"
    yield Preformatted(title="Its head", text=head)
    if not verified.whole:
        cure = "`python celery_monitor.py audit verify` in the shell looks at all of them."
        yield Note(text=f"There was no time for the older entries: {cure}", tone=Tone.WARNING)
    if outside.not_reached:
        yield Note(text=outside.not_reached, tone=Tone.WARNING)
    if outside.missing.number:
        also = f"{_gone(outside.missing)}. " if verified.broken is not None else ""
        yield Note(text=f"{also}{_WHY_GONE}", tone=Tone.BAD)


def _tone(verified: Verified, outside: _Outside) -> Tone:
    if verified.broken is not None or outside.missing.number:
        return Tone.BAD
    if outside.not_reached or not verified.whole:
        return Tone.WARNING
    # What was compared with nothing outside could have been written anew as a whole.
    return Tone.GOOD if verified.compared else Tone.NEUTRAL


def _data(verified: Verified) -> dict[str, object]:
    broken = verified.broken
    found = {"entry": broken.number, "damage": broken.damage.value} if broken is not None else None
    return {
        "entries": verified.head.number,
        "sha256": verified.head.seal,
        "looked": verified.looked,
        "compared": verified.compared,
        "broken": found,
    }


AUDIT_VERIFY = Operation[VerifyArguments, Target](
    name="audit verify",
    summary="Tells whether every entry of the audit is what was written, and if not, which is the first.",
    risk=Risk.READ,
    arguments=VerifyArguments,
    answer=_answer,
)
