"""An alert as the one message that follows it: what is seen, who has it, what can be done, and how it ended."""

from datetime import datetime

from slackblocks import ContextBlock, HeaderBlock, RichTextBlock, SectionBlock
from slackblocks.blocks import Block

from bot.blocks.buttons import IN_THREAD, action_rows
from bot.blocks.drawn import Drawn, rendered
from bot.blocks.text import escaped, inert, literal, mrkdwn, plain_lines, plain_text, sentence
from bot.blocks.values import local_moment, moment
from knowledge_base_agent.records.alerts import Alert, State
from knowledge_base_agent.report import Action
from knowledge_base_agent.wording import duration

REPEAT = "(may be a repeat)"
_ICONS = {"bad": "🔴", "warning": "⚠️"}


def alert_message(alert: Alert, *, may_repeat: bool = False) -> Drawn:
    """Draw an alert as it stands. `may_repeat` labels one that may stand there already: Slack's answer got lost."""
    title = f"{_icon(alert)} {literal(alert.title, 120)}"
    if alert.state is State.RESOLVED:
        title = f"{_icon(alert)} Resolved: {literal(alert.title, 110)}"
    over = "As it was last seen: " if alert.state is State.RESOLVED else ""
    lines = [over + literal(alert.sentence, 1000)]
    if alert.outcome:
        lines.append(literal(alert.outcome, 300))
    rows: list[Block] = list(action_rows(_actions(alert), kind=IN_THREAD))
    foot = f"{_stand(alert, plain=False)}{' · ' + REPEAT if may_repeat else ''}"
    said = "\n".join([title, *lines, _stand(alert, plain=True)])
    return Drawn(
        text=escaped(f"{said}\n{REPEAT}" if may_repeat else said),
        blocks=rendered(
            [
                HeaderBlock(plain_text(title, 150)),
                *(RichTextBlock(sentence(line)) for line in lines),
                ContextBlock([mrkdwn(foot)]),
                *rows,
            ]
        ),
        draw_plain=lambda: rendered([SectionBlock(plain_lines(said)), *rows]),
    )


def reminder_message(alert: Alert) -> Drawn:
    """Say, in the alert's thread, that its snooze is over and the trouble is not."""
    text = f"The snooze is over, and the trouble is still there: {literal(alert.sentence, 800)}"
    return Drawn(
        text=escaped(text),
        blocks=rendered([RichTextBlock(sentence(text))]),
        draw_plain=lambda: rendered([SectionBlock(plain_lines(text))]),
    )


def _icon(alert: Alert) -> str:
    if alert.state is State.RESOLVED:
        return "✅"
    return _ICONS.get(alert.severity, "⚠️")


def _stand(alert: Alert, *, plain: bool) -> str:
    """Return its name, since when it is open, and who has it."""

    def at(when: datetime) -> str:
        return moment(when) if plain else local_moment(when)

    def who(name: str | None) -> str:
        return literal(name or "", 80) if plain else inert(name or "", 80)

    stands = [f"{alert.id}", f"since {at(alert.opened_at)}"]
    if alert.acknowledged_by is not None and alert.acknowledged_at is not None:
        stands.append(
            f"acknowledged by {who(alert.acknowledged_by_name)}, {at(alert.acknowledged_at)}"
        )
    if alert.state is State.SNOOZED and alert.snoozed_until is not None:
        stands.append(f"snoozed by {who(alert.snoozed_by_name)} until {at(alert.snoozed_until)}")
    if alert.resolved_at is not None:
        took = duration(alert.resolved_at - alert.opened_at)
        stands.append(f"resolved {at(alert.resolved_at)}, after {took}")
    return " · ".join(stands)


def _actions(alert: Alert) -> tuple[Action, ...]:
    if alert.state is State.RESOLVED:
        return ()
    offered = tuple(
        Action(label=one.label, words=one.words, danger=one.danger) for one in alert.actions
    )
    taken = alert.acknowledged_by is not None
    acknowledge = Action(label="Acknowledge", words=f"alerts acknowledge {alert.id}")
    snooze = Action(label="Snooze 1 h", words=f"alerts snooze {alert.id} --for 1h")
    return (*offered, *(() if taken else (acknowledge,)), snooze)
