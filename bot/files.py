"""Files in Slack: a place is asked for, the bytes are sent there, and the file is shared (three calls)."""

import aiohttp

from bot.messages import Posted
from bot.slack_api import Refusal, SlackApi, Unreached

_SEND_WITHIN = 20.0


class Files:
    """Uploads what is too long for a message. Every method raises `Refusal`, `TooFast` or `Unreached`."""

    def __init__(self, api: SlackApi, session: aiohttp.ClientSession, proxy: str | None) -> None:
        self._api = api
        self._session = session
        self._proxy = proxy

    async def share(self, below: Posted, thread: str | None, name: str, content: str) -> None:
        """Share a text file in the thread of a message, or in the thread that it stands in itself."""
        packed = content.encode()
        url, file_id = await self._api.file_slot(name, len(packed))
        await self._send(url, packed)
        await self._api.share_file(file_id, name, below.channel, thread or below.message)

    async def _send(self, url: str, packed: bytes) -> None:
        timeout = aiohttp.ClientTimeout(total=_SEND_WITHIN)
        try:
            async with self._session.post(
                url, data=packed, timeout=timeout, proxy=self._proxy
            ) as answer:
                if answer.status != 200:
                    raise Refusal(f"upload_{answer.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreached(type(error).__name__) from error
