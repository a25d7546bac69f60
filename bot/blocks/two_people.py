"""Two people in Slack: what a preview says of its terms, its buttons, the reason that is asked for, and the alarm."""

import re
from datetime import datetime, timedelta
from functools import partial

from slackblocks import (
    ActionsBlock,
    Button,
    CheckboxGroup,
    ConfirmationDialogue,
    ContextBlock,
    InputBlock,
    ModalView,
    Option,
    PlainTextInput,
    RichTextBlock,
    SectionBlock,
)
from slackblocks.blocks import Block

from bot.blocks.alert import REPEAT
from bot.blocks.buttons import (
    ALONE,
    CANCEL,
    CONFIRM,
    STATE_REASON,
    STOP,
    VALUE_LIMIT,
    may_be_carried,
    value_of,
)
from bot.blocks.drawn import Drawn, Json, rendered
from bot.blocks.plain_form import plain_form, text_form
from bot.blocks.report import report_blocks
from bot.blocks.text import escaped, inert, literal, mrkdwn, plain_lines, plain_text, sentence
from bot.blocks.values import local_moment, moment
from knowledge_base_agent.confirmations import Confirmation, State
from knowledge_base_agent.glass import Told
from knowledge_base_agent.operations.stated import LONGEST
from knowledge_base_agent.problems import ReasonNeeded
from knowledge_base_agent.requests import Claimed, Pending
from knowledge_base_agent.two_people import Consent
from knowledge_base_agent.wording import duration

REASON_FORM = "reason"
"""The callback id of the form that asks for a reason."""
REASON, GLASS = "reason", "glass"
VALUE = "value"
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")
_AGREED = {
    Consent.CONFIRMED: "confirmed by",
    Consent.APPROVED: "approved by",
    Consent.BROKE_GLASS: "confirmed alone, with the glass broken, by",
}


def terms_said(pending: Pending) -> str:
    """Return what a preview's confirmation hangs on, as sentences; empty where one person is enough."""
    terms = pending.terms
    if not terms.why_two:
        return f"Reason: {terms.reason}" if terms.reason else ""
    alone = (
        f" Or {pending.asked_by.name} alone, from {moment(terms.alone_from)}, unless somebody stops it."
        if terms.alone_from is not None
        else ""
    )
    return f"This needs two people: {terms.why_two}. A different admin approves it.{alone} Reason: {terms.reason}"


def terms_blocks(pending: Pending) -> list[Block]:
    """Draw the terms, where there are any."""
    text = terms_said(pending)
    icon = "👥" if pending.terms.why_two else "💬"
    return [SectionBlock(plain_lines(f"{icon} {literal(text, 1000)}"))] if text else []


def terms_buttons(pending: Pending) -> ActionsBlock:
    """Draw what can be clicked. The buttons carry nothing but the confirmation's id."""
    value, two = pending.confirmation_id, bool(pending.terms.why_two)
    label, asks = ("Approve", _asks(pending, "Approve it?")) if two else ("Confirm", None)
    buttons = [Button(plain_text(label, 75), CONFIRM, value=value, style="danger", confirm=asks)]
    if pending.terms.alone_from is not None:
        alone = plain_text("Confirm alone", 75)
        asks = _asks(pending, "Confirm it alone?")
        buttons.append(Button(alone, ALONE, value=value, confirm=asks))
    return ActionsBlock([*buttons, Button(plain_text("Cancel", 75), CANCEL, value=value)])


def _asks(pending: Pending, title: str) -> ConfirmationDialogue:
    """Return Slack's own question between a click and what destroys: what goes, and why it needs two people."""
    what = f"{literal(pending.report.text, 190)} It needs two people: {literal(pending.terms.why_two, 80)}."
    return ConfirmationDialogue(
        plain_text(title, 100),
        plain_text(what, 300),
        plain_text("Yes, do it", 30),
        plain_text("Back", 30),
        style="danger",
    )


def agreed_by(claimed: Claimed, *, plain: bool) -> str:
    """Return who agreed to a run, how, and for two people who asked; for `mrkdwn` unless `plain`."""

    def name(text: str) -> str:
        return literal(text, 80) if plain else inert(text, 80)

    by = f"{_AGREED[claimed.consent]} {name(claimed.confirmed_by.name)}"
    return f"{by}, asked by {name(claimed.asked_by)}" if claimed.consent is Consent.APPROVED else by


def reason_message(needed: ReasonNeeded, words: str, now: datetime) -> Drawn:
    """Draw a preview that can't be approved yet, with a button to say why. Without `--reason` it is no more."""
    value = value_of(words)
    said = f'{needed.what} {needed.cure} Or ask again with `--reason "…"`.'
    button = Button(plain_text("State a reason…", 75), STATE_REASON, value=value, style="primary")
    # The words of a long list of ids are more than a button can carry.
    fits = len(value) <= VALUE_LIMIT and may_be_carried(words)
    row: list[Block] = [ActionsBlock([button])] if fits else []
    foot: list[Block] = [RichTextBlock(sentence(said, icon="👥")), *row]
    plain_foot: list[Block] = [SectionBlock(plain_lines(said)), *row]
    return Drawn(
        text=escaped(f"{text_form(needed.report, now)}\n{literal(said, 600)}"),
        blocks=report_blocks(needed.report, now, foot=foot),
        draw_plain=partial(plain_form, needed.report, now, foot=plain_foot),
    )


def reason_view(words: str, *, carried: str, delay: timedelta) -> Json:
    """Draw the form that asks why. `carried` comes back with what was filled in; nobody sees it."""
    alone = Option(
        plain_text("Nobody else can be reached", 75),
        GLASS,
        description=plain_text(f"Everyone is told; alone after {duration(delay)}", 75),
    )
    view: Json = ModalView(
        plain_text("State a reason", 24),
        [
            SectionBlock(plain_text(f"/kb {words}", 3000), block_id="about"),
            InputBlock(
                plain_text("Why?"),
                PlainTextInput(VALUE, max_length=LONGEST),
                block_id=REASON,
                hint=plain_text("Whoever approves it reads this, and the audit keeps it."),
            ),
            InputBlock(
                plain_text("Break the glass"),
                CheckboxGroup(VALUE, [alone]),
                block_id=GLASS,
                optional=True,
            ),
        ],
        close=plain_text("Cancel"),
        submit=plain_text("Preview"),
        private_metadata=carried,
        callback_id=REASON_FORM,
    ).to_dict()
    return view


def alarm_message(told: Told, found: Confirmation, *, may_repeat: bool = False) -> Drawn:
    """Draw what a channel is told of somebody who breaks the glass: that they mean to, or how it ended."""
    name = literal(found.asked_by_name, 80)
    lines = [
        f"{'🚨' if told is not Told.OVER else '🏁'} {name} {_stand(found, over=told is Told.OVER)}",
        f"What: {literal(found.words, 400)}",
        f"Why it needs two people: {literal(found.why_two, 400)}",
        f"Reason: {literal(found.reason, LONGEST)}",
        *([REPEAT] if may_repeat else []),
    ]
    rows: list[Block] = []
    if told is not Told.OVER:
        loud = f"<!channel>{_where(found)} Stop it if you know better, or have an admin approve it there."
        stop = Button(plain_text("Stop this", 75), STOP, value=found.id, style="danger")
        rows = [SectionBlock(mrkdwn(loud)), ActionsBlock([stop])]
    else:
        rows = [ContextBlock([mrkdwn(local_moment(found.settled_at or found.expires_at))])]
    return Drawn(
        text=escaped("\n".join(lines)),
        blocks=rendered([*(RichTextBlock(sentence(line)) for line in lines), *rows]),
        draw_plain=lambda: rendered([SectionBlock(plain_lines("\n".join(lines))), *rows]),
    )


def _stand(found: Confirmation, *, over: bool) -> str:
    if not over:
        at = moment(found.alone_from) if found.alone_from else "now on"
        return f"breaks the glass, and can go on alone from {at} unless somebody stops it."
    who = literal(found.settled_by_name or "", 80)
    if found.state is State.CLAIMED and found.settled_by == found.asked_by:
        return f"broke the glass and confirmed it alone: {found.run_id}."
    if found.state is State.CLAIMED:
        return f"did not have to break the glass: {who} approved it, {found.run_id}."
    if found.state is State.CANCELLED:
        return f"meant to break the glass. {who} stopped it; nothing was done."
    return "meant to break the glass, and let the time pass; nothing was done."


def _where(found: Confirmation) -> str:
    return f" The preview is in <#{found.place}>." if _CHANNEL.fullmatch(found.place) else ""


def open_message(found: Confirmation, *, may_repeat: bool = False) -> Drawn:
    """Tell whoever breaks the glass that the delay is over."""
    at = _PERSON.fullmatch(found.asked_by)
    who = f"<@{found.asked_by}>" if at else inert(found.asked_by_name, 80)
    until = f"until {local_moment(found.expires_at)}"
    what = f"The delay is over, and nobody has stopped {inert(found.words, 300)}: {who} can confirm it alone, {until}."
    what = f"{what} {REPEAT}" if may_repeat else what
    text = (
        f"The delay is over: {literal(found.asked_by_name, 80)} can confirm {literal(found.words, 300)} alone, until "
        f"{moment(found.expires_at)}."
    )
    blocks = rendered([SectionBlock(mrkdwn(what))])
    return Drawn(text=escaped(text), blocks=blocks, draw_plain=lambda: blocks)
