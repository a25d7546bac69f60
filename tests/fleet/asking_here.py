"""What is done to a broker, and asserted of a question, where it is asked in its asker's own thread."""

from typing import NoReturn

import pytest

HARMS = pytest.mark.parametrize(
    "harm",
    [
        lambda between: between.black_hole(),
        lambda between: between.drip(0.03),
        lambda between: between.drip(0.3),
    ],
    ids=["silent", "answers in drops", "answers in slow drops"],
)
"""Ways in which a broker keeps whoever waits for it; each is given the proxy that stands before it."""


def refuse(*_: object, **__: object) -> NoReturn:
    """Stand where a thread would be asked for."""
    raise AssertionError("another thread was asked")
