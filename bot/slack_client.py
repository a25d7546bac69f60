"""Slack's own client, opened as the bot wants it: no retries of its own, no proxy for this very machine, no chatter."""

import ipaddress
import json
import logging
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import aiohttp
import msgspec
from slack_sdk.web.async_client import AsyncWebClient


def as_json(value: object) -> str:
    """Return what is sent to Slack as JSON: in a tenth of the time that the standard library takes for a long table."""
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except UnicodeEncodeError:  # half of a pair of UTF-16, which only escapes can hold
        return json.dumps(value)


def _plain(value: object) -> object:
    """Return a number or text of a kind of our own, such as a `Size`, as what it is: msgspec takes no subclasses."""
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"{type(value).__name__} can't be sent to Slack")


def open_session() -> aiohttp.ClientSession:
    """Return a session for all that is sent to Slack."""
    return aiohttp.ClientSession(json_serialize=as_json)


def needs_no_proxy(url: str) -> bool:
    """Tell whether this address is reached directly: this machine, or what NO_PROXY names (slack_sdk ignores it)."""
    host = urlsplit(url).hostname or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
    return local or bool(proxy_bypass(host))


def quiet_logger(name: str) -> logging.Logger:
    """Return a logger that drops what Slack's libraries say below a warning: bodies, tokens and addresses."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    return logger


def open_client(url: str, token: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Return a client that reaches Slack, or whatever stands at `url`, without retries of its own."""
    client = AsyncWebClient(
        token=token,
        base_url=url,
        session=session,
        retry_handlers=[],
        logger=quiet_logger("slack_sdk.web"),
    )
    if needs_no_proxy(url):
        client.proxy = None  # slack_sdk has taken HTTP(S)_PROXY, even for this very machine
    return client
