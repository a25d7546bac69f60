"""What each kind of answer looks like in Slack, pinned as JSON.

After a wanted change: `KB_GOLDEN=write pytest tests/bot/test_golden_messages.py`, and read the difference before
committing it.
"""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.blocks.alert import alert_message, reminder_message
from bot.blocks.audit import entry_message
from bot.blocks.confirmation import (
    confirmation_message,
    ended_message,
    interrupted_message,
    running_message,
    settled_message,
)
from bot.blocks.drawn import Drawn
from bot.blocks.form import form_view
from bot.blocks.help import for_person
from bot.blocks.home import home_view
from bot.blocks.overview import overview_message
from bot.blocks.problem import note_message, problem_message, unexpected_message
from bot.blocks.report import report_message
from bot.blocks.two_people import alarm_message, open_message, reason_message, reason_view
from knowledge_base_agent.audit import Kind
from knowledge_base_agent.confirmations import State as ConfirmationState
from knowledge_base_agent.glass import Told
from knowledge_base_agent.operations import operation_named
from knowledge_base_agent.policy import Role
from local_slack.blocks.check import check_blocks
from local_slack.blocks.views import check_view
from tests.bot import alert_samples, samples, two_people_samples
from tests.bot.sample_operations import CLEAR, TIDY
from tests.bot.samples import NOW

GOLDEN = Path(__file__).parent / "golden"

MESSAGES: dict[str, Callable[[], Drawn]] = {
    "stats": lambda: report_message(samples.stats(), NOW),
    "stuck_few": lambda: report_message(samples.stuck(2), NOW),
    "stuck_many": lambda: report_message(samples.stuck(12), NOW),
    "logs": lambda: report_message(samples.logs(), NOW),
    "found": lambda: report_message(samples.found(), NOW),
    "help_for_a_viewer": lambda: report_message(for_person(samples.logs(), Role.VIEWER), NOW),
    "confirmation": lambda: confirmation_message(samples.pending(), NOW),
    "needs_a_second_person": lambda: confirmation_message(
        two_people_samples.pending_for_two(), NOW
    ),
    "breaks_the_glass": lambda: confirmation_message(
        two_people_samples.pending_for_two(alone=True), NOW
    ),
    "needs_a_reason": lambda: reason_message(two_people_samples.reason_needed(), "purge", NOW),
    "approved": lambda: running_message(two_people_samples.approved()),
    "approved_and_ended": lambda: ended_message(two_people_samples.approved(), samples.ended()),
    "alarm": lambda: alarm_message(Told.ASKED, two_people_samples.breaking_glass()),
    "alarm_of_a_stopped_one": lambda: alarm_message(
        Told.OVER, two_people_samples.breaking_glass(ConfirmationState.CANCELLED, "anika")
    ),
    "glass_is_open": lambda: open_message(two_people_samples.breaking_glass()),
    "audit_entry_of_breaking_glass": lambda: entry_message(
        replace(samples.entry(), kind=Kind.BREAKING_GLASS, confirmation_id="c0nf1rm")
    ),
    "running": lambda: running_message(samples.claimed(), 12, 48, "removing *rows*"),
    "running_of_unknown_length": lambda: running_message(samples.claimed(), 12, None),
    "ended": lambda: ended_message(samples.claimed(), samples.ended()),
    "cancelled": lambda: settled_message(samples.settled("vera", "cancelled")),
    "expired": lambda: settled_message(samples.settled("", "expired")),
    "interrupted": lambda: interrupted_message(samples.interrupted()),
    "refused": lambda: problem_message(samples.REFUSED),
    "away": lambda: problem_message(samples.AWAY),
    "misunderstood": lambda: problem_message(samples.MISUNDERSTOOD),
    "unexpected": lambda: unexpected_message("0a1b2c3d"),
    "note": lambda: note_message("Only you see this."),
    "alert_open": lambda: alert_message(alert_samples.OPEN),
    "alert_that_may_be_a_repeat": lambda: alert_message(alert_samples.OPEN, may_repeat=True),
    "alert_acknowledged": lambda: alert_message(alert_samples.TAKEN),
    "alert_snoozed": lambda: alert_message(alert_samples.SNOOZED),
    "alert_resolved": lambda: alert_message(alert_samples.RESOLVED),
    "alert_reminder": lambda: reminder_message(alert_samples.OPEN),
    "audit_entry": lambda: entry_message(samples.entry()),
    "audit_head": lambda: entry_message(samples.head_entry()),
    "audit_entry_again": lambda: entry_message(samples.entry(), may_repeat=True),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_looks_as_it_did(name: str) -> None:
    drawn = MESSAGES[name]()
    seen = {"text": drawn.text, "blocks": list(drawn.blocks), "plain": list(drawn.plain)}
    _compare(name, seen)


@pytest.mark.parametrize("name", MESSAGES)
def test_slack_takes_a_message_in_each_of_its_forms(name: str) -> None:
    drawn = MESSAGES[name]()
    check_blocks(list(drawn.blocks), "message")
    check_blocks(list(drawn.plain), "message", unknown=("data_table", "data_visualization"))
    assert drawn.text.strip()


@pytest.mark.parametrize("role", [Role.NOBODY, Role.VIEWER, Role.OPERATOR])
def test_the_home_tab_offers_what_a_person_may_do(role: Role) -> None:
    view = home_view((CLEAR,), role, name="otto", state="The bot is up", now=NOW)
    check_blocks(view["blocks"], "home")
    _compare(f"home_of_{role.name.lower()}", view)


def test_a_form_has_a_field_for_each_thing_that_can_be_said() -> None:
    view = form_view(TIDY, carried="{}")
    check_view(view, "modal")
    _compare("form", view)


def test_the_form_for_a_reason_asks_why_and_offers_to_go_on_alone() -> None:
    view = reason_view("purge", carried="{}", delay=timedelta(minutes=5))
    check_view(view, "modal")
    _compare("reason_form", view)


@pytest.mark.parametrize(
    ("state", "by", "said"),
    [
        (ConfirmationState.CLAIMED, "U0OTTO000", "broke the glass and confirmed it alone: op-3"),
        (ConfirmationState.CLAIMED, "ada", "did not have to break the glass: ada approved it"),
        (ConfirmationState.CANCELLED, "anika", "anika stopped it; nothing was done"),
        (ConfirmationState.EXPIRED, "", "let the time pass; nothing was done"),
    ],
)
def test_an_alarm_ends_with_what_came_of_it_and_has_no_button_left(
    state: ConfirmationState, by: str, said: str
) -> None:
    drawn = alarm_message(Told.OVER, two_people_samples.breaking_glass(state, by))
    assert said in drawn.text
    assert not [block for block in drawn.blocks if block["type"] == "actions"]


def test_the_command_alone_offers_an_operator_all_and_a_viewer_what_only_looks() -> None:
    for role in (Role.VIEWER, Role.OPERATOR):
        operations = [operation_named(name) for name in ("stats", "logs", "run", "clear")]
        drawn = overview_message(samples.stats(), operations, role, NOW)
        check_blocks(list(drawn.blocks), "message")
        check_blocks(list(drawn.plain), "message", unknown=("data_table",))
        _compare(f"overview_of_{role.name.lower()}", list(drawn.blocks))


def _compare(name: str, seen: object) -> None:
    path = GOLDEN / f"{name}.json"
    if os.environ.get("KB_GOLDEN") == "write":
        path.write_text(json.dumps(seen, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == seen


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_entry_can_be_drawn(kind: Kind) -> None:
    """One that can't be would end the bot."""
    assert kind.value in entry_message(replace(samples.entry(), kind=kind)).text
