"""How fast one person may act: a bucket each, so that a key that got stuck or a script takes nothing from others."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

_KNOWN = 5_000
"""People remembered; beyond, who acted longest ago is forgotten, whose bucket is most likely full again."""


class Pace(Enum):
    """What becomes of an act."""

    FINE = "done"
    TOLD = "not done, and that is said"
    SILENT = "not done, and it was said before"


@dataclass(kw_only=True)
class _Bucket:
    left: float
    at: float
    told: bool = False


class Paces:
    """Buckets of `per_minute` acts, each refilled within a minute."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def of(self, person: str, *, now: float | None = None) -> Pace:
        """Count an act of this person. `now` is monotonic seconds, for tests.

        It is said once that somebody is too fast, and again only after they have been slow for half a bucket.
        """
        moment = time.monotonic() if now is None else now
        bucket = self._buckets.setdefault(person, _Bucket(left=self._most, at=moment))
        self._buckets.move_to_end(person)
        if len(self._buckets) > _KNOWN:
            self._buckets.popitem(last=False)
        bucket.left = min(self._most, bucket.left + (moment - bucket.at) * self._most / 60)
        bucket.at = moment
        if bucket.left >= self._most / 2:
            bucket.told = False
        if bucket.left >= 1:
            bucket.left -= 1
            return Pace.FINE
        pace = Pace.SILENT if bucket.told else Pace.TOLD
        bucket.told = True
        return pace
