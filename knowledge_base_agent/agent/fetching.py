"""From a document's location to its bytes, and what kind of document they are."""

import asyncio
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from knowledge_base_agent.agent.links import is_web_address
from knowledge_base_agent.agent.sources import MAX_BYTES, SUFFIXES
from knowledge_base_agent.agent.unreadable import NotAnswering, Unreadable

CONNECT_SECONDS = 10.0
MAX_REDIRECTS = 5
_CHUNK = 65_536
_AGENT = "knowledge-base-agent/0.1"
_CONTENT_TYPES = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
}
_SAYS_LITTLE = {"", "text/plain", "application/octet-stream", "binary/octet-stream"}


@dataclass(frozen=True, kw_only=True)
class Validators:
    """What a site gave us to ask later "only if it has changed": HTTP's ETag and Last-Modified, as they came."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the conditional request's headers."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A document's bytes and what they are: "markdown", "html", "text" or "pdf"."""

    kind: str
    data: bytes
    validators: Validators = Validators()


def fetch(location: str, known: Validators, *, within: float | None) -> Fetched | None:
    """Return the document at a path or URL, or None when its site says it has not changed since `known`.

    `within` bounds the whole fetch of a URL in seconds; None leaves that to the task's own limit, as only a
    connect that hangs (10 s) is ended by itself. Raises `Unreadable`, and `NotAnswering` if asking again may help.
    """
    if is_web_address(location):
        return asyncio.run(_fetch_url(location, known, within))
    return _fetch_file(Path(location))


def _fetch_file(path: Path) -> Fetched:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"It may not be read: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise _too_large()
    return Fetched(kind=SUFFIXES[path.suffix.lower()], data=data)


async def _fetch_url(url: str, known: Validators, within: float | None) -> Fetched | None:
    limits = aiohttp.ClientTimeout(total=within, sock_connect=CONNECT_SECONDS)
    headers = {"User-Agent": _AGENT, **known.headers()}
    try:
        async with (
            aiohttp.ClientSession(timeout=limits, headers=headers) as session,
            session.get(url, max_redirects=MAX_REDIRECTS) as response,
        ):
            return await _read(response)
    except aiohttp.TooManyRedirects as error:
        raise Unreadable(f"It redirects more than {MAX_REDIRECTS} times.") from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise Unreadable("It is, or leads to, an address that is not http or https.") from error
    except TimeoutError as error:
        raise NotAnswering("Its site did not answer in time.") from error
    except (aiohttp.ClientError, OSError) as error:
        raise NotAnswering(
            f"Its site could not be asked: {str(error) or type(error).__name__}."
        ) from error


async def _read(response: aiohttp.ClientResponse) -> Fetched | None:
    if response.status == HTTPStatus.NOT_MODIFIED:
        return None
    if response.status != HTTPStatus.OK:
        busy = response.status >= 500 or response.status == HTTPStatus.TOO_MANY_REQUESTS
        raise (NotAnswering if busy else Unreadable)(f"Its site answered {response.status}.")
    data = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        data += chunk
        if len(data) > MAX_BYTES:
            raise _too_large()
    return Fetched(
        kind=kind_of(
            response.headers.get("Content-Type", ""), str(response.url), bytes(data[:1024])
        ),
        data=bytes(data),
        validators=Validators(
            etag=response.headers.get("ETag"),
            last_modified=response.headers.get("Last-Modified"),
        ),
    )


def kind_of(content_type: str, url: str, opening: bytes) -> str:
    """Return what a site sent: by its Content-Type, else by the URL's ending, else by its first bytes."""
    named = content_type.partition(";")[0].strip().lower()
    if named in _CONTENT_TYPES:
        return _CONTENT_TYPES[named]
    if named not in _SAYS_LITTLE:
        raise Unreadable(f"It is {named}, which is neither HTML, Markdown, PDF nor plain text.")
    by_name = SUFFIXES.get(Path(urlsplit(url).path).suffix.lower())
    if by_name:
        return by_name
    if opening.startswith(b"%PDF-"):
        return "pdf"
    if named != "text/plain" and re.match(rb"\s*<(?:!doctype html|html)\b", opening, re.IGNORECASE):
        return "html"
    return "text"


def _too_large() -> Unreadable:
    return Unreadable(f"It is larger than {MAX_BYTES // 1_000_000} MB.")
