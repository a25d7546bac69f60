"""The doors through which text comes in, and what each lets out that people see."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from bot.blocks.audit import entry_message
from bot.blocks.buttons import value_of, words_in
from bot.blocks.drawn import Drawn
from bot.blocks.form import has_form, understood_form
from bot.blocks.problem import problem_message
from bot.blocks.text import escaped, inert, lines, literal
from bot.commands.forms import form_for
from bot.commands.payloads import click_of, event_id_of, place_of_command
from knowledge_base_agent.fleet.envelopes import read_envelope, read_unacked
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.phone_text import split, straighten, visible
from knowledge_base_agent.problems import Misunderstood, Problem
from knowledge_base_agent.redaction import plain, redact
from knowledge_base_agent.understand import understand
from tests.bot.samples import entry
from tests.trust.noise import damaged, mutated, text, torn

Shown = Iterator[str]
"""What comes out and may be seen by people."""
_WITH_FORM = tuple(one for one in OPERATIONS if has_form(one))
_CLICK: dict[str, Any] = {
    "type": "block_actions",
    "trigger_id": "1.2.x",
    "user": {"id": "U0OTTO000", "name": "otto", "username": "otto", "team_id": "T1"},
    "channel": {"id": "C0OPS", "name": "ops"},
    "container": {"type": "message", "message_ts": "17.5", "channel_id": "C0OPS"},
    "message": {"ts": "17.5", "thread_ts": "17.1", "text": "x"},
    "response_url": "https://hooks.slack.com/x",
    "actions": [{"action_id": "words:0", "type": "button", "value": '{"w": "stats"}'}],
    "command": "/kb",
    "text": "stats",
    "channel_id": "C0OPS",
    "user_id": "U0OTTO000",
}
_MESSAGE = json.dumps(
    {
        "body": "W10=",
        "content-encoding": "utf-8",
        "headers": {"id": "a", "task": "t", "eta": None, "retries": 0, "kb_published": 1.5},
        "properties": {"priority": 3, "timestamp": 17, "correlation_id": "a"},
    }
).encode()


@dataclass(frozen=True, kw_only=True)
class Door:
    """One way in. It yields what is shown; everything it raises but a `Problem` is a crash."""

    name: str
    share: int
    """How many of a hundred inputs come this way."""
    open: Callable[[Random, str], Shown]
    """Lets a text in that may hold a planted secret."""


def _words(random: Random, given: str) -> Shown:
    try:
        yield plain(understand(given).words)
    except Misunderstood as problem:
        yield from _visible(problem_message(problem))


def _phone(random: Random, given: str) -> Shown:
    once = straighten(given)
    again = straighten(once)
    assert again == once or "&amp;" in visible(given), (
        f"straightened twice it is another text: {given!r}"
    )
    split(once)
    form_for(given)
    yield from ()


def _button(random: Random, given: str) -> Shown:
    if given:
        assert words_in(value_of(given)) == given, f"a button changes {given!r}"
    words_in(mutated(random, value_of(given)))
    yield from ()


def _payload(random: Random, given: str) -> Shown:
    body = damaged(random, {**_CLICK, "text": given})
    click, place = click_of(body), place_of_command(body)
    assert event_id_of(body) == event_id_of(json.loads(json.dumps(body)))
    for part in (click.value, click.place.channel, place.channel, place.user):
        assert isinstance(part, str)
    words_in(click.value)
    yield from ()


def _form(random: Random, given: str) -> Shown:
    operation = random.choice(_WITH_FORM)
    names = (*operation.arguments.model_fields, "flags")
    typed: dict[str, Any] = {name: {"value": {"value": given}} for name in names}
    fields = damaged(random, typed)
    found = understood_form(operation, random.choice((typed, fields)))
    if isinstance(found, dict):
        yield from found.values()


def _queue(random: Random, given: str) -> Shown:
    message = json.loads(_MESSAGE)
    raw = _MESSAGE if random.random() < 0.5 else json.dumps(damaged(random, message)).encode()
    for read in (read_envelope, read_unacked):
        read(torn(random, raw))
        read(torn(random, b"[" + raw + b', "e", "r"]'))
    yield from ()


def _mrkdwn(random: Random, given: str) -> Shown:
    limit = random.choice((20, 80, 300))
    line = inert(given, limit)
    assert len(line) <= limit or len(line) <= 10, f"inert is {len(line)} long, not {limit}"
    for shown in (line, escaped(given)):
        assert "<" not in shown, f"{given!r} is not escaped"
        assert ">" not in shown, f"{given!r} is not escaped"
    yield from (line, literal(given, limit), lines(given, 2000), plain(given), redact(given))


def _audit(random: Random, given: str) -> Shown:
    told = replace(entry(), words=given, detail=given, actor_name=given)
    yield from _visible(entry_message(told))


def _problem(random: Random, given: str) -> Shown:
    yield from _visible(problem_message(Problem(given, text(random))))


def _visible(drawn: Drawn) -> Shown:
    yield drawn.text
    for form in (drawn.blocks, drawn.plain):
        yield from _strings(list(form))


def _strings(node: Any) -> Shown:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, inner in node.items():
            if key != "value":  # a button's words are what was typed; what is shown is its label
                yield from _strings(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _strings(inner)


DOORS = (
    Door(name="words", share=10, open=_words),
    Door(name="what phones do to words", share=14, open=_phone),
    Door(name="button values", share=12, open=_button),
    Door(name="payloads", share=16, open=_payload),
    Door(name="filled-in forms", share=6, open=_form),
    Door(name="queue messages", share=18, open=_queue),
    Door(name="mrkdwn and redaction", share=20, open=_mrkdwn),
    Door(name="audit entries", share=2, open=_audit),
    Door(name="problems", share=2, open=_problem),
)
