"""What needs two people, why, and who may be the second: pure, like `policy.py`, and for every surface.

Why it needs two is a fact of the preview: what the operation says of itself, how much it touches, and whose names.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any

from knowledge_base_agent.actors import Actor, Surface
from knowledge_base_agent.operations.operation import Preview, Touched
from knowledge_base_agent.operations.stated import Stated
from knowledge_base_agent.policy import Role, role_of
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.wording import duration

_NAMED = 5
_SOMEBODY_ELSE = "Have a different admin approve it. If nobody can be reached, ask again with --break-glass and why."
_QUEUE, _TASK = "queue:", "task:"


class Consent(Enum):
    """How a preview came to be agreed to."""

    CONFIRMED = "confirmed"
    """By somebody who may, where one is enough."""
    APPROVED = "approved"
    """By a second person."""
    BROKE_GLASS = "broke glass"
    """By the one who asked, alone, after the delay."""


def why_two(preview: Preview[Any], settings: Settings, asker: Surface = Surface.SLACK) -> str:
    """Return why a preview needs two people, as part of a sentence; empty where one is enough.

    What is unknown counts as too much, and as protected. A schedule that the settings let change things may touch any
    number that can be told: whoever set KB_MAINTENANCE_MAY_CHANGE agreed to it, and to nothing else of the top risk.
    """
    if preview.affected == 0 or preview.only_shown:
        return ""
    reasons = [preview.grave] if preview.grave else []
    if preview.affected is None:
        reasons.append("how much it touches is unknown")
    elif preview.affected > settings.two_person_above and not _standing_order(asker, settings):
        reasons.append(
            f"it touches {preview.affected:,}, more than the {settings.two_person_above:,} of KB_TWO_PERSON_ABOVE"
        )
    return "; ".join([*reasons, *_protected(preview.touches, settings.protected)])


def why_together(preview: Preview[Any], earlier: Iterable[Scope], settings: Settings) -> str:
    """Return why a preview needs two people with what the same person did alone before; empty where one is enough.

    `earlier` is what they did by the same operation within KB_TWO_PERSON_WINDOW.
    """
    earlier = tuple(earlier)
    if not (earlier and preview.affected) or preview.only_shown:
        return ""
    reasons = []
    total = preview.affected + sum(one.size for one in earlier)
    if preview.affected <= settings.two_person_above < total:
        reasons.append(
            f"it touches {total:,}, more than the {settings.two_person_above:,} of KB_TWO_PERSON_ABOVE"
        )
    done = {what for one in earlier for what, number in one.flows.items() if number != 0}
    # Only what flows: a worker that was ended, and is back by its supervisor, is nothing that is missing.
    if preview.leaves is not None and done - set(preview.scope.flows) and preview.leaves <= done:
        reasons.append("all that there is of the kind was touched")
    window = duration(settings.two_person_within)
    same = f"with what the same person did alone in the last {window}, "
    return same + " and ".join(reasons) if reasons else ""


def _standing_order(asker: Surface, settings: Settings) -> bool:
    return asker is Surface.SCHEDULE and settings.maintenance_may_change


def _protected(touches: Touched, patterns: Iterable[str]) -> Iterable[str]:
    kinds = (
        (_QUEUE, touches.queues, touches.all_queues),
        (_TASK, touches.tasks, touches.all_tasks),
    )
    for kind, names, complete in kinds:
        meant = [found for one in patterns if (found := _of_kind(one, kind))]
        hit = sorted(name for name in names if any(fnmatchcase(name, one) for one in meant))
        if hit:
            shown = ", ".join(plain(name, 80) for name in hit[:_NAMED])
            more = f" and {len(hit) - _NAMED} more" if len(hit) > _NAMED else ""
            yield f"protected {kind} {shown}{more}"
        elif meant and not complete:
            yield f"some of its {kind[:-1]}s can't be told, and some {kind[:-1]}s are protected"


def _of_kind(pattern: str, kind: str) -> str:
    """Return the pattern without its kind, or nothing if it is of the other kind."""
    other = _TASK if kind == _QUEUE else _QUEUE
    return "" if pattern.startswith(other) else pattern.removeprefix(kind)


def consent(
    actor: Actor,
    *,
    asked_by: str,
    why: str,
    alone_from: datetime | None,
    settings: Settings,
    now: datetime,
    alone: bool = False,
) -> Consent:
    """Return how this actor's click agrees to a preview; raise `Refused` if it does not. Times are aware UTC.

    `asked_by` is the asker's id, `why` why it needs two people, `alone_from` when its asker may go on alone, if ever.
    `alone` says that the click meant to go on alone, which nobody does for somebody else. The actor must be authorised
    already.
    """
    same, in_slack = actor.id == asked_by, actor.surface is Surface.SLACK
    # In the shell whoever has the machine has the keys; but nobody in a shell is somebody else's second person.
    if not why or (same and actor.surface is Surface.SHELL):
        return Consent.CONFIRMED
    if alone and not same:
        raise Refused(
            "Only whoever asked for it can confirm it alone.",
            "Click Approve, if you are an admin and mean it to run now, or “Stop this”.",
        )
    if not same and in_slack and role_of(actor, settings) is Role.ADMIN:
        return Consent.APPROVED
    if not (same and in_slack):
        raise Refused(f"This needs two people: {why}.", "Only an admin in Slack can approve it.")
    return _broken(why, alone_from, now)


def _broken(why: str, alone_from: datetime | None, now: datetime) -> Consent:
    if alone_from is None:
        raise Refused(
            f"You asked for this yourself, and it needs two people: {why}.", _SOMEBODY_ELSE
        )
    if now < alone_from:
        raise Refused(
            f"Not before {alone_from:%H:%M:%S} UTC: until then anyone on call can stop it.",
            "Wait until then, or have a different admin approve it now.",
        )
    return Consent.BROKE_GLASS


def alone_from(
    actor: Actor, stated: Stated, why: str, settings: Settings, now: datetime
) -> datetime | None:
    """Return from when (aware UTC) the asker may confirm alone, or None where that is not to be.

    Raises `Refused` where nobody would hear of it.
    """
    if not (why and stated.break_glass) or actor.surface is not Surface.SLACK:
        return None
    if not (settings.alert_channel or settings.audit_channel):
        raise Refused(
            "The glass can't be broken here: there is no channel that would be told.",
            "Have a different admin approve it with --reason, or set KB_ALERT_CHANNEL or KB_AUDIT_CHANNEL.",
        )
    return now + settings.break_glass_after
