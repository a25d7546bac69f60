"""One active holder at a time, by a Redis key that expires: the others wait, and take over within seconds.

A holder that slept past its lease may still believe in it. What it writes must therefore be fenced as well; the
recorder does so by its position in SQL.
"""

import secrets
import time
from typing import Final

from redis import Redis

TTL_SECONDS: Final = 5.0
_RENEW_SECONDS: Final = 1.5

_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class Lease:
    """A lease on `key`. All methods raise redis-py's errors."""

    def __init__(self, client: Redis, key: str, *, holder: str) -> None:
        self._client = client
        self._key = key
        self._token = f"{holder}/{secrets.token_hex(8)}"
        self._renewed_at: float | None = None

    def hold(self) -> bool:
        """Take the lease or keep it; tell whether it is ours. Asks Redis at most every 1.5 s while it is."""
        now = time.monotonic()
        if self._renewed_at is not None and now - self._renewed_at < _RENEW_SECONDS:
            return True
        milliseconds = int(TTL_SECONDS * 1000)
        ours = False
        if self._renewed_at is not None:
            ours = bool(self._client.eval(_RENEW, 1, self._key, self._token, str(milliseconds)))
        if not ours:
            ours = bool(self._client.set(self._key, self._token, nx=True, px=milliseconds))
        self._renewed_at = now if ours else None
        return ours

    def release(self) -> None:
        """Let another take over at once."""
        if self._renewed_at is not None:
            self._renewed_at = None
            self._client.eval(_RELEASE, 1, self._key, self._token)
