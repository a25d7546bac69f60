"""Who is missing, and whether waiting for them any longer is of use: pure reasoning over who answered."""

from collections.abc import Mapping

from msgspec import Struct


class Missing(Struct, frozen=True, kw_only=True):
    """Who received a question and did not answer it."""

    silent: frozenset[str]
    """By name, where there is no doubt."""
    unnamed: int | None
    """How many more; None where the broker can't tell."""


def who_is_missing(
    *,
    receivers: int | None,
    replies: int,
    answered: frozenset[str],
    present: frozenset[str],
    bound: frozenset[str] | None,
) -> Missing:
    """Name the silent by difference.

    `present` are the workers we believe to be there, `bound` the broker's mailboxes (None: can't be read; on Redis it
    also lists the killed). A name is given only where the numbers leave no choice.
    """
    expected = present - answered
    if bound is not None:
        expected &= bound
    if receivers is None:
        return Missing(silent=expected, unnamed=None)
    missing = max(receivers - replies, 0)
    if bound is not None and len(bound - answered) == missing:
        expected = bound - answered
    if len(expected) > missing:
        return Missing(silent=frozenset(), unnamed=missing)
    return Missing(silent=expected, unnamed=missing - len(expected))


def settled(
    *,
    receivers: int | None,
    answers: Mapping[str, int],
    destination: Mapping[str, int] | None,
    present: frozenset[str],
    known_silent: frozenset[str],
    quiet: bool,
) -> bool:
    """Tell whether a question has all the answers it will get.

    `answers` counts the replies by name, `destination` how many are expected of each that was asked by name: workers
    may share one. Everyone answered, or it has been `quiet` since the last reply and only those are missing who were
    silent before, or a namesake of one who answered.
    """
    answered = answers.keys()
    if destination is not None:
        if all(answers.get(name, 0) >= expected for name, expected in destination.items()):
            return True
        return quiet and destination.keys() - answered <= known_silent
    replies = sum(answers.values())
    if receivers is not None and replies >= receivers:
        return True
    if not quiet or present - known_silent - answered:
        return False
    if receivers is None:
        return bool(present)
    return replies >= receivers - len(known_silent)
