"""The one message of a confirmation: what would be touched, then who confirmed it, how far it is, what came of it."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from slackblocks import ContextBlock, RichTextBlock, SectionBlock
from slackblocks.blocks import Block

from bot.blocks.drawn import Drawn, rendered
from bot.blocks.plain_form import cut, plain_form, text_form
from bot.blocks.report import report_blocks, report_message
from bot.blocks.text import escaped, inert, literal, mrkdwn, plain_lines, sentence
from bot.blocks.two_people import agreed_by, terms_blocks, terms_buttons, terms_said
from bot.blocks.values import local_moment, moment, share
from knowledge_base_agent.requests import Claimed, Ended, Pending, Settled
from knowledge_base_agent.runs import Run
from knowledge_base_agent.wording import duration, worded


def confirmation_message(pending: Pending, now: datetime) -> Drawn:
    """Draw a preview with Confirm and Cancel. The buttons carry nothing but the confirmation's id."""
    who = f"Asked by {inert(pending.asked_by.name, 80)}"
    until = f"can be confirmed until {local_moment(pending.expires_at)}"
    foot: list[Block] = [
        *terms_blocks(pending),
        ContextBlock([mrkdwn(f"{who} · {until}")]),
        terms_buttons(pending),
    ]
    waiting = (
        f"Waits for a confirmation until {moment(pending.expires_at)}, asked for by "
        f"{literal(pending.asked_by.name, 80)}."
    )
    terms = literal(terms_said(pending), 1000) if terms_said(pending) else ""
    said = "\n".join(part for part in (text_form(pending.report, now), terms, waiting) if part)
    return Drawn(
        text=escaped(said),
        blocks=report_blocks(pending.report, now, foot=foot),
        draw_plain=partial(plain_form, pending.report, now, foot=foot),
    )


def running_message(
    claimed: Claimed, done: int = 0, total: int | None = None, note: str = ""
) -> Drawn:
    """Draw a run that goes on: who confirmed it, when, and how far it is."""
    far = _how_far(done, total)
    title = f"{claimed.run_id}: {claimed.operation.name} is running"
    more = f"{far} · {literal(note, 300)}" if note else far
    foot = _confirmed_by(claimed)
    blocks = rendered(
        [SectionBlock(plain_lines(f"⏳ {title}\n{more}")), ContextBlock([mrkdwn(foot)])]
    )
    who = agreed_by(claimed, plain=True)
    said = f"⏳ {title}. {more}. {who[:1].upper()}{who[1:]}."
    return Drawn(text=escaped(said), blocks=blocks, draw_plain=lambda: blocks)


def ended_message(claimed: Claimed, ended: Ended) -> Drawn:
    """Draw what came of a run, in the place of the preview that it was confirmed from."""
    took = duration(ended.ended_at - claimed.confirmed_at)
    foot: list[Block] = [ContextBlock([mrkdwn(f"{_confirmed_by(claimed)} · took {took}")])]
    drawn = report_message(ended.report, ended.ended_at, foot=foot)
    who = f"{claimed.run_id}, {agreed_by(claimed, plain=True)} at {moment(claimed.confirmed_at)}."
    return replace(drawn, text=f"{drawn.text}\n{escaped(who)}")


def settled_message(settled: Settled) -> Drawn:
    """Draw a preview that will not run: cancelled by somebody, or expired."""
    # Several may expire at once: each must still say what it was.
    name = f"`{coded(settled.words or settled.operation_name)}`"
    if settled.by_name:
        head = f"{name} was {settled.state} by {literal(settled.by_name, 80)}"
    else:
        head = f"{name} was not confirmed in time"
    return _closed(f"🚫 {head}. Nothing was done.", settled.at)


def interrupted_message(run: Run) -> Drawn:
    """Announce a run whose process is gone, so that nobody knows what it did."""
    text = (
        f"🔴 {run.id}: `{coded(run.words or run.operation)}`, started by {literal(run.actor_name, 80)}, was "
        "interrupted: the "
        "process that ran it is gone. What it did until then is unknown, and it is not started again by "
        f"itself. `ops` goes on with what is left of it (after a preview), or records that nobody will."
    )
    return _closed(text, run.started_at)


def _closed(text: str, at: datetime) -> Drawn:
    full = rendered(
        [RichTextBlock(sentence(text)), ContextBlock([mrkdwn(local_moment(at))])],
    )
    plain = rendered([SectionBlock(plain_lines(f"{text}\n{moment(at)}"))])
    return Drawn(text=escaped(cut(text, 3000)), blocks=full, draw_plain=lambda: plain)


def coded(words: str) -> str:
    """Return words that can stand between backticks."""
    return literal(words, 200).replace("`", "'")


def _confirmed_by(claimed: Claimed) -> str:
    who = agreed_by(claimed, plain=False)
    why = f" · {inert(claimed.reason, 400)}" if claimed.reason else ""
    return f"{claimed.run_id} · {who}, {local_moment(claimed.confirmed_at)}{why}"


def _how_far(done: int, total: int | None) -> str:
    if total is None:
        return f"{worded(done)} done" if done else "started"
    if total <= 0:
        return "started"
    return f"{share(done / total)} · {worded(done)} of {worded(total)}"
