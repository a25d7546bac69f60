"""Over HTTP: what Slack signed is taken once, everything else is 401, and health tells the truth."""

import asyncio
import contextlib
import io
import sqlite3
import time
from collections.abc import AsyncIterator
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest
from pydantic import SecretStr

from bot import http_mode
from bot.signatures import Signatures
from local_slack.delivery.http_mode import signature
from tests.bot.at_work import bot_at_work, settings_in
from tests.people import LocalSlack
from tests.servers import free_port

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_795_000_000.0
OPS, OTTO, TEAM = "C0OPS0000", "U0OTTO000", "T0ACME000"
BODY = b"command=%2Fkb&text=stats"


@pytest.fixture
async def url(slack: LocalSlack, sqlite_url: str) -> AsyncIterator[str]:
    """The address of a bot over HTTP."""
    port = free_port()
    settings = settings_in(
        slack,
        sqlite_url,
        slack_app_token=None,
        slack_signing_secret=SecretStr(slack.signing_secret),
        port=port,
    )
    async with bot_at_work(settings):
        yield f"http://127.0.0.1:{port}"


async def test_a_conversation_over_http(slack: LocalSlack, url: str) -> None:
    await slack.do("bot_url", url=f"{url}/slack/events")
    assert (await slack.do("verify_url"))["verified"]
    vera = slack.person("vera")
    answer = await vera.types("/kb hlep", in_="#ops")
    assert answer["acked_in_ms"] < 500
    meant = await vera.sees("Did you mean")
    await vera.clicks("/kb help", on=meant)
    await vera.sees("What you can ask")


async def test_health_is_told_without_a_signature(url: str, session: aiohttp.ClientSession) -> None:
    for path in ("/healthz", "/readyz"):
        async with session.get(url + path) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("timestamp", "signed"),
    [
        ("", ""),
        ("soon", "v0=00"),
        ("１２３", "v0=00"),
        (None, "v0=\u00e9\u00e9"),
        (None, "v0=0000"),
        ("99999999999999999999", "v0=00"),
    ],
)
async def test_what_slack_did_not_sign_is_refused_and_breaks_nothing(
    url: str, session: aiohttp.ClientSession, timestamp: str | None, signed: str
) -> None:
    stamp = str(int(time.time())) if timestamp is None else timestamp
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signed}
    async with session.post(f"{url}/slack/events", data=BODY, headers=headers) as answer:
        assert answer.status == 401


async def test_a_request_that_comes_again_word_for_word_is_refused(
    slack: LocalSlack, url: str, session: aiohttp.ClientSession
) -> None:
    stamp = str(int(time.time()))
    headers = {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature(slack.signing_secret, stamp, BODY),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    statuses = []
    for _ in range(2):
        async with session.post(f"{url}/slack/events", data=BODY, headers=headers) as answer:
            statuses.append(answer.status)
    assert statuses == [200, 401]


async def test_a_signature_that_is_not_even_text_is_refused(url: str) -> None:
    lines = [
        b"POST /slack/events HTTP/1.1",
        b"Host: bot",
        b"Content-Length: 2",
        b"X-Slack-Request-Timestamp: " + str(int(time.time())).encode(),
        b"X-Slack-Signature: v0=\xe9\xff",
    ]
    answer = await spoken(url, b"\r\n".join(lines) + b"\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 401")


async def spoken(url: str, said: bytes) -> bytes:
    """Say something to the bot's port, byte by byte as it is; return the first line that comes back, if any."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(said)
    async with asyncio.timeout(20):
        first = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return first


async def test_a_body_that_trickles_in_is_not_waited_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_mode, "BODY_WITHIN", 0.2)
    head = b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 50\r\n\r\ncomm"
    assert (await spoken(url, head)).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("head", [b"", b"POST /slack/events HT", b"POST / HTTP/1.1\r\nHost: b\r\n"])
async def test_a_connection_that_never_says_all_its_headers_is_closed(head: bytes) -> None:
    served = http_mode.Served([], idle_seconds=0.2)
    port = await served.start(0)
    try:
        assert await spoken(f"http://127.0.0.1:{port}", head) == b""
    finally:
        await served.close()


async def test_a_body_of_more_than_a_megabyte_is_refused_unread(
    url: str, session: aiohttp.ClientSession
) -> None:
    async with session.post(f"{url}/slack/events", data=io.BytesIO(b"x" * 1_100_000)) as answer:
        assert answer.status == 413


def asked(slack: LocalSlack, text: str) -> tuple[bytes, dict[str, str]]:
    """Return the request that Slack makes when otto types this after `/kb`, and its headers."""
    fields = {"command": "/kb", "text": text, "channel_id": OPS, "team_id": TEAM}
    body = urlencode(fields | {"user_id": OTTO, "user_name": "otto"}).encode()
    return body, signed(slack, body)


def signed(slack: LocalSlack, body: bytes) -> dict[str, str]:
    """Return the headers that Slack would send with this body."""
    stamp = str(int(time.time()))
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature(slack.signing_secret, stamp, body),
        "Content-Type": "application/x-www-form-urlencoded",
    }


async def test_a_request_that_another_bot_took_is_not_done_by_this_one_too(
    slack: LocalSlack, sqlite_url: str, url: str, session: aiohttp.ClientSession
) -> None:
    port = free_port()
    secret = SecretStr(slack.signing_secret)
    other = settings_in(
        slack, sqlite_url, slack_app_token=None, slack_signing_secret=secret, port=port
    )
    body, headers = asked(slack, "help")
    later, its_headers = asked(slack, "hlep")
    async with bot_at_work(other):
        there = f"http://127.0.0.1:{port}/slack/events"
        async with session.post(f"{url}/slack/events", data=body, headers=headers):
            await slack.person("otto").sees("What you can ask", in_="#ops", ever=True)
        async with session.post(there, data=body, headers=headers):
            pass
        async with session.post(there, data=later, headers=its_headers):
            await slack.person("otto").sees("Did you mean", in_="#ops", ever=True)
    shown = [message.shown for message in await slack.person("otto").looks(in_="#ops")]
    assert sum("What you can ask" in text for text in shown) == 1


async def test_neither_bolt_nor_a_frozen_database_holds_up_an_acknowledgement(
    slack: LocalSlack, sqlite_url: str, url: str, session: aiohttp.ClientSession
) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        took = []
        for number in range(5):
            body, headers = asked(slack, f"help {number}")
            began = time.monotonic()
            async with session.post(f"{url}/slack/events", data=body, headers=headers) as answer:
                assert answer.status == 200
            took.append(time.monotonic() - began)
        holder.execute("ROLLBACK")
    assert min(took) < 0.25, "each waited for the database, which is given half a second"


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"[]", b"payload=%7B", b"payload=null", b""])
async def test_signed_nonsense_is_acknowledged_so_that_slack_does_not_send_it_again(
    slack: LocalSlack, url: str, session: aiohttp.ClientSession, body: bytes
) -> None:
    stamp = str(int(time.time()))
    headers = {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature(slack.signing_secret, stamp, body),
    }
    async with session.post(f"{url}/slack/events", data=body, headers=headers) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(("age", "accepted"), [(0, True), (299, True), (301, False), (-301, False)])
def test_a_signature_is_good_for_five_minutes(age: int, accepted: bool) -> None:
    stamp = str(int(NOW) - age)
    signed = signature(SECRET, stamp, BODY)
    assert Signatures(SECRET).accept(BODY, stamp, signed, now=NOW) == accepted


def test_used_signatures_are_forgotten_only_when_they_are_too_old_anyway() -> None:
    signatures = Signatures(SECRET)
    ahead = str(int(NOW) + 299)
    signed = signature(SECRET, ahead, BODY)
    assert signatures.accept(BODY, ahead, signed, now=NOW)
    assert not signatures.accept(BODY, ahead, signed, now=NOW + 590)


def test_each_of_many_signatures_is_good_once_for_as_long_as_it_could_be_replayed() -> None:
    signatures = Signatures(SECRET)
    used = []
    for second in range(0, 600, 20):
        stamp = str(int(NOW) + second)
        used.append((second, stamp, signed := signature(SECRET, stamp, BODY)))
        assert signatures.accept(BODY, stamp, signed, now=NOW + second)
    end = NOW + 600
    for second, stamp, signed in used:
        assert not signatures.accept(BODY, stamp, signed, now=NOW + second)
        assert not signatures.accept(BODY, stamp, signed, now=end)
