"""Slack's signature of a request, and a memory of those that came: the scheme alone allows five minutes of replay."""

import hashlib
import hmac
import time

VALID_SECONDS = 300
_VERSION = "v0"


class Signatures:
    """Checks what arrives over HTTP. Junk is refused like a forgery, and nothing here raises.

    Remembers here what was used; other bots are told by the database (`Endpoint`).
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._used: set[int] = set()
        self._used_before: set[int] = set()
        self._since = 0.0

    def accept(
        self, body: bytes, timestamp: str, signature: str, *, now: float | None = None
    ) -> bool:
        """Tell whether Slack signed this body within five minutes and it is the first time that it is seen.

        `now` is seconds since the epoch, for tests.
        """
        moment = time.time() if now is None else now
        # Only plain digits: int() would also take "+1", " 1" and other scripts' digits.
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
            return False
        if abs(moment - int(timestamp)) > VALID_SECONDS:
            return False
        if not hmac.compare_digest(
            self._expected(body, timestamp).encode(), signature.encode(errors="surrogateescape")
        ):
            return False
        return self._first_use(signature, moment)

    def _expected(self, body: bytes, timestamp: str) -> str:
        signed = b":".join((_VERSION.encode(), timestamp.encode(), body))
        return f"{_VERSION}={hmac.new(self._secret, signed, hashlib.sha256).hexdigest()}"

    def _first_use(self, signature: str, moment: float) -> bool:
        # A timestamp may lie five minutes ahead, so a signature can be replayed for ten.
        if moment - self._since > 2 * VALID_SECONDS:
            self._used_before, self._used = self._used, set()
            self._since = moment
        # 64 bits of a keyed hash are as good as all, and a storm's worth of them fits into a few megabytes.
        mark = int(signature[-16:], 16)
        if mark in self._used or mark in self._used_before:
            return False
        self._used.add(mark)
        return True
