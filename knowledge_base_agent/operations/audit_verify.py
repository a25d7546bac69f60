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
from knowledge_base_agent.records.audit_search import posted_between
from knowledge_base_agent.records.audit_verifying import Seal, Verified, verify
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.report import Fact, Facts, Note, Part, Report, Tone
from knowledge_base_agent.wording import counted, worded

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 1.9
_CHANNEL_SECONDS = 1.1
_NAMED = 10
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
    removed: tuple[int, ...] = ()


def _answer(deployment: "Deployment", arguments: VerifyArguments, progress: Progress) -> Report:
    started = time.monotonic()
    given = tuple(_seal(one) for one in arguments.head)
    outside = _outside(deployment, given)
    # In the bot's process somebody in Slack waits for the answer; a shell has time for the whole chain.
    until = started + _SECONDS if deployment.posted_seals is not None else None
    verified = verify(deployment.engine, outside.seals, until=until)
    return Report(
        title="The audit is broken" if verified.broken else "The audit is whole",
        text=_sentence(verified, outside),
        parts=tuple(_parts(verified, outside)),
        tone=_tone(verified, outside),
        succeeded=verified.broken is None,
        taken_at=utc_now(),
        data=_data(verified),
    )


def _seal(text: str) -> Seal:
    number, _, sha256 = text.partition(":")
    return Seal(number=int(number), sha256=sha256, source=f"in the head {text}")


def _outside(deployment: "Deployment", given: tuple[Seal, ...]) -> _Outside:
    sources = (f"{counted(len(given), 'head')} that you gave",) if given else ()
    if deployment.posted_seals is None:
        why = "only the bot can read it: ask in Slack, or copy heads from it after --head"
        return _Outside(seals=given, sources=sources, why_not=why)
    try:
        posted = deployment.posted_seals(_CHANNEL_SECONDS)
    except Problem as problem:
        return _Outside(seals=given, sources=sources, why_not=f"{problem.what} {problem.cure}")
    numbers = {one.number for one in posted.seals}
    with reading(deployment.engine) as connection:
        known = posted_between(connection, min(numbers), max(numbers)) if numbers else set()
    back = f" (back to {worded(posted.back_to)})" if posted.back_to is not None else ""
    return _Outside(
        seals=(*given, *posted.seals),
        sources=(*sources, f"{counted(len(numbers), 'entry', 'entries')} in the channel{back}"),
        removed=tuple(sorted(known - numbers)),
    )


def _sentence(verified: Verified, outside: _Outside) -> str:
    broken = verified.broken
    if broken is not None:
        return f"Entry {broken.number:,}: {broken.damage.value}: {broken.how}."
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
        Fact(label="Its head", value=f"{verified.head.number}:{verified.head.seal}"),
        Fact(label="Entries computed again", value=verified.looked),
        Fact(label="Seals compared", value=verified.compared),
    )
    yield Facts(items=facts)
    if not verified.whole:
        cure = "`python celery_monitor.py audit verify` in the shell looks at all of them."
        yield Note(text=f"There was no time for the older entries: {cure}", tone=Tone.WARNING)
    if outside.removed:
        some = ", ".join(f"{one:,}" for one in outside.removed[:_NAMED])
        more = f" and {len(outside.removed) - _NAMED:,} more" if outside.removed[_NAMED:] else ""
        said = f"Taken out of the channel: {some}{more}. They were posted, and are in the database."
        yield Note(text=said, tone=Tone.WARNING)


def _tone(verified: Verified, outside: _Outside) -> Tone:
    if verified.broken is not None:
        return Tone.BAD
    if outside.removed or not verified.whole:
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
