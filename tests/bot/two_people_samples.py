"""Previews and runs that two people have to do with, to draw."""

from datetime import timedelta

from msgspec.structs import replace

from knowledge_base_agent.confirmations import Confirmation, State, Terms
from knowledge_base_agent.problems import ReasonNeeded
from knowledge_base_agent.requests import Claimed, Pending
from knowledge_base_agent.two_people import Consent
from tests.bot.samples import NOW, OTTO, claimed, pending


def pending_for_two(*, alone: bool = False) -> Pending:
    """A preview that another person has to approve, or that its asker may confirm alone after a while."""
    terms = Terms(
        why_two="it purges every queue",
        reason="poisoned by deploy *42* <!channel>",
        alone_from=NOW + timedelta(minutes=5) if alone else None,
    )
    return replace(pending(), terms=terms)


def reason_needed() -> ReasonNeeded:
    """A preview that can't be approved yet."""
    return ReasonNeeded(
        "This needs two people: it purges every queue.",
        "State a reason, and a different admin can approve it.",
        pending().report,
    )


def approved() -> Claimed:
    """A run that two people wanted."""
    ada = replace(OTTO, id="U0ADA0000", name="ada")
    return replace(
        claimed(),
        confirmed_by=ada,
        consent=Consent.APPROVED,
        asked_by="otto",
        reason="poisoned by deploy *42*",
    )


def breaking_glass(state: State = State.PENDING, by: str = "") -> Confirmation:
    """The row of somebody who means to go on alone."""
    over = state is not State.PENDING
    return Confirmation(
        id="c0nf1rm", operation="purge", words="purge --break-glass 'nobody answers'", target="{}",
        asked_by="U0OTTO000", asked_by_name="otto", surface="slack", asked_at=NOW,
        expires_at=NOW + timedelta(minutes=15), state=state, settled_by=by or None,
        settled_by_name=by or None, settled_at=NOW if over else None, place="C0OPS0000",
        message="1.2", run_id="op-3" if state is State.CLAIMED else None,
        scope="{}", asked="", fingerprint="", reason="nobody answers <!channel>", why_two="it purges every queue",
        alone_from=NOW + timedelta(minutes=5),
    )  # fmt: skip
