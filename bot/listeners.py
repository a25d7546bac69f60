"""Bolt's listeners: each acknowledges and begins the work in a task of its own, so Bolt is done in a millisecond."""

import logging
import re
from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.buttons import CANCEL, CONFIRM, STATE_REASON, STOP, WORDS
from bot.blocks.drawn import Json
from bot.blocks.form import FORM
from bot.blocks.problem import note_message
from bot.blocks.two_people import REASON_FORM
from bot.commands import confirm, forms, home, reason, words
from bot.commands.admission import told
from bot.commands.payloads import click_of, event_id_of, place_of_command
from bot.desk import Desk

Listener = Callable[[Desk, Json], None]


def open_bolt(desk: Desk, client: AsyncWebClient, token: str, who: Json) -> AsyncApp:
    """Return Bolt with the bot's listeners. `who` is the answer of `auth.test`, so that no request waits for one."""
    known = AuthorizeResult.from_auth_test_response(bot_token=token, auth_test_response=who)

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return known

    logger = logging.getLogger("slack_bolt")
    logger.setLevel(
        logging.ERROR
    )  # below that, it logs the bodies of what it rejects or does not know
    app = AsyncApp(
        name="kb",
        logger=logger,
        client=AsyncWebClient(base_url=client.base_url, retry_handlers=[], logger=logger),
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,  # `signatures.py` has done it, and answers junk with 401
        attaching_function_token_enabled=False,
    )
    _listen(app, desk)
    return app


def _listen(app: AsyncApp, desk: Desk) -> None:
    app.command(words.COMMAND)(_acknowledged(desk, words.typed))
    app.command(re.compile(".*"))(_acknowledged(desk, _unknown_command))
    app.action(re.compile(f"^{WORDS}:"))(_acknowledged(desk, words.clicked))
    app.action(re.compile(f"^{CONFIRM}(:|$)"))(_acknowledged(desk, confirm.confirmed))
    app.action(CANCEL)(_acknowledged(desk, confirm.cancelled))
    app.action(STOP)(_acknowledged(desk, confirm.stopped))
    app.action(STATE_REASON)(_acknowledged(desk, reason.clicked))
    app.action(re.compile(".*"))(_acknowledged(desk, _unknown_button))
    app.view(FORM)(_form(desk, forms.submitted))
    app.view(REASON_FORM)(_form(desk, reason.submitted))
    app.view(re.compile(".*"))(_acknowledged(desk, forms.outdated))
    app.event("app_home_opened")(_acknowledged(desk, home.opened))


def _acknowledged(desk: Desk, listener: Listener) -> Callable[..., Any]:
    async def listen(ack: AsyncAck, body: Json) -> None:
        await ack()
        listener(desk, body)

    return listen


def _form(desk: Desk, submitted: Callable[[Desk, Json], dict[str, str]]) -> Callable[..., Any]:
    """Return the listener whose acknowledgement carries what is wrong with a form."""

    async def listen(ack: AsyncAck, body: Json) -> None:
        errors = submitted(desk, body)
        if errors:
            await ack(response_action="errors", errors=errors)
        else:
            await ack()

    return listen


def _unknown_command(desk: Desk, body: Json) -> None:
    place = place_of_command(body)
    said = note_message(
        f"I answer `{words.COMMAND}` only: `{words.COMMAND} help` lists what I know."
    )
    told(desk, place, event_id_of(body), str(body.get("command") or ""), said)


def _unknown_button(desk: Desk, body: Json) -> None:
    click = click_of(body)
    said = note_message(
        "I don't know this button: it may be of an older version. Ask again with `/kb`."
    )
    told(desk, click.place, click.event_id, "an unknown button", said)
