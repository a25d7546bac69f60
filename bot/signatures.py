"""Slack's signature of a request, and a memory of those that came: the scheme alone allows five minutes of replay."""

import hashlib
import hmac
import time
from array import array
from bisect import bisect_left
from collections import deque

VALID_SECONDS = 300
_VERSION = "v0"
_PACKED_SECONDS = 60


class Signatures:
    """Checks what arrives over HTTP. Junk is refused like a forgery, and nothing here raises.

    Remembers here what was used; other bots are told by the database (`Endpoint`).
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._used: set[int] = set()
        self._since = 0.0
        self._used_before: deque[tuple[float, array[int]]] = deque()
        """What was used up to when, in order: a twelfth of what a set takes of memory."""

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
        if moment - self._since > _PACKED_SECONDS:
            self._pack(moment)
        # 64 bits of a keyed hash are as good as all.
        mark = int(signature[-16:], 16)
        if mark in self._used or any(_holds(marks, mark) for _, marks in self._used_before):
            return False
        self._used.add(mark)
        return True

    def _pack(self, moment: float) -> None:
        if self._used:
            self._used_before.append((moment, array("Q", sorted(self._used))))
        self._used, self._since = set(), moment
        # A timestamp may lie five minutes ahead, so a signature can be replayed for ten.
        while self._used_before and moment - self._used_before[0][0] > 2 * VALID_SECONDS:
            self._used_before.popleft()


def _holds(marks: "array[int]", mark: int) -> bool:
    at = bisect_left(marks, mark)
    return at < len(marks) and marks[at] == mark
