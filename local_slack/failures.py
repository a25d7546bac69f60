"""Failures on request: the next calls of a method answer badly, in the way a test names."""

from dataclasses import dataclass

from local_slack.errors import NotPossible
from local_slack.shapes import Json

# "drop" closes the connection before anything happened, "drop_after" when it has: the caller can't tell them apart.
WAYS = ("429", "500", "hang", "drop", "drop_after", "error")


@dataclass(kw_only=True)
class Failure:
    """One order to fail; `times` counts down. `method` may be `*`."""

    method: str
    times: int
    how: str
    error: str
    retry_after: int
    seconds: float


class Failures:
    """The orders still open."""

    def __init__(self) -> None:
        self._orders: list[Failure] = []

    def order(self, wanted: Json) -> Failure:
        """Take an order from the control API."""
        how = str(wanted.get("how", "error"))
        if how not in WAYS:
            raise NotPossible(f"how is one of {', '.join(WAYS)}, not {how!r}")
        failure = Failure(
            method=str(wanted.get("method", "*")),
            times=int(wanted.get("times", 1)),
            how=how,
            error=str(wanted.get("error", "internal_error")),
            retry_after=int(wanted.get("retry_after", 1)),
            seconds=float(wanted.get("seconds", 30)),
        )
        self._orders.append(failure)
        return failure

    def take(self, method: str) -> Failure | None:
        """The failure that this call has to suffer, if any."""
        for failure in self._orders:
            if failure.method in (method, "*") and failure.times > 0:
                failure.times -= 1
                return failure
        return None

    def clear(self) -> None:
        """Forget all orders."""
        self._orders.clear()

    def open_orders(self) -> list[Json]:
        """What is still to come."""
        return [
            {"method": f.method, "times": f.times, "how": f.how}
            for f in self._orders
            if f.times > 0
        ]
