"""Transactions that PostgreSQL may end because two wait for each other: who loses is simply tried again."""

from collections.abc import Callable
from typing import Final, TypeVar

from knowledge_base_agent.problems import Away

T = TypeVar("T")
_TRIES: Final = 3
_DEADLOCK_DETECTED: Final = "40P01"


def tried_again(transaction: Callable[[], T]) -> T:
    """Run one whole transaction, made by `writing`, once more where it was the victim of a deadlock.

    Raises the `Away` of the last try, and of any other kind at once.
    """
    for _ in range(_TRIES - 1):
        try:
            return transaction()
        except Away as error:
            # Not by its words: a server tells them in the language of its place.
            if (
                getattr(getattr(error.__cause__, "orig", None), "sqlstate", "")
                != _DEADLOCK_DETECTED
            ):
                raise
    return transaction()
