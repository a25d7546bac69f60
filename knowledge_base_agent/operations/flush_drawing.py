"""Which keys were seen, told by a few of them: those whose checksums are lowest, whatever order they come in.

Two looks at the same keys draw the same ones, so that a look at the click can tell how many are others than were shown
without keeping a million names. Up to `MOST` keys that is exact; beyond, it is off by some per cent.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from zlib import crc32

MOST: Final = 200
_HIGHEST: Final = 2**32


class Drawing:
    """Collects the lowest checksums of the keys that it is shown. A key that comes twice counts once."""

    def __init__(self) -> None:
        self._lowest: set[int] = set()
        self._below = _HIGHEST

    def add(self, keys: Iterable[bytes]) -> None:
        """Look at some more keys."""
        below = self._below
        self._lowest.update(one for one in map(crc32, keys) if one < below)
        if len(self._lowest) > 4 * MOST:
            self._lowest = set(self.drawn)
            self._below = max(self._lowest)

    @property
    def drawn(self) -> tuple[int, ...]:
        """Return what was drawn, at most `MOST`, the lowest first."""
        return tuple(sorted(self._lowest)[:MOST])


def others(shown: Sequence[int], now: Sequence[int], number: int) -> int:
    """Return about how many of the `number` keys that `now` was drawn from are not among those that were shown."""
    whole = len(shown) < MOST
    # A checksum above what was drawn then may have been there or not.
    told = [one for one in now if whole or one <= shown[-1]]
    if not told:
        return number  # so few of them are left that none can be compared
    known = set(shown)
    new = sum(one not in known for one in told)
    return new if len(told) == number else round(number * new / len(told))
