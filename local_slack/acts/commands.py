"""Typing a slash command."""

from typing import Any

from local_slack.acts.payloads import command_payload
from local_slack.acts.standing import who_and_where
from local_slack.blocks.check import check_blocks
from local_slack.delivery.parcel import Outcome
from local_slack.errors import Refusal
from local_slack.messages import Channel
from local_slack.posting import notice, post
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.workspace import Person


async def type_command(slack: Slack, asked: Json) -> Json:
    """`text` is the whole line, slash included; the answer says what the person sees at once."""
    person, channel = who_and_where(slack, asked)
    line = str(asked.get("text", "")).strip()
    command, _, rest = line.partition(" ")
    refusal = _not_here(slack, person, command, asked)
    if refusal:
        notice(slack, channel, person.id, refusal)
        return {"delivered": False, "acked_in_ms": None, "shown": refusal}
    payload = command_payload(slack, person, channel, command.lower(), escaped(rest.strip()))
    outcome = await slack.courier.send("slash_commands", payload)
    shown = _show(slack, person, channel, command, outcome)
    return {**outcome.as_json(), "shown": shown}


def _not_here(slack: Slack, person: Person, command: str, asked: Json) -> str | None:
    if asked.get("thread_ts"):
        return f"{command} is not supported in threads. Sorry!"
    foreign = person.is_stranger and not asked.get("force")
    if slack.manifest.command(command.lower()) is None or foreign:
        return (
            f"{command} is not a valid command. In Slack, all messages that start with the “/” character "
            "are interpreted as slash commands."
        )
    return None


def escaped(text: str) -> str:
    """The three characters that Slack's clients escape."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _show(
    slack: Slack, person: Person, channel: Channel, command: str, outcome: Outcome
) -> str | None:
    """Put the answer of the acknowledgement into the channel, or Slack's sentence about its absence."""
    failure = outcome.failure
    if failure is None and outcome.answer:
        try:
            return _answer(slack, person, channel, outcome.answer)
        except Refusal as refused:
            failure = refused.error
    if failure is None:
        return None
    sentence = f'{command} failed with the error "{failure}"'
    notice(slack, channel, person.id, sentence)
    return sentence


def _answer(slack: Slack, person: Person, channel: Channel, answer: Json) -> str | None:
    blocks: Any = answer.get("blocks")
    if blocks:
        check_blocks(blocks, "message", slack.refused_blocks)
    text = str(answer.get("text") or "")
    if not text and not blocks:
        return None
    public = answer.get("response_type") == "in_channel"
    content = {"text": text, "blocks": blocks}
    bot = slack.workspace.bot_user_id
    post(slack, channel, content, author=bot, ephemeral_to=None if public else person.id)
    return text
