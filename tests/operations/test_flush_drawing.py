"""Some keys stand for all: the same set is told from another, in whatever order and however often keys come."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge_base_agent.operations.flush_drawing import MOST, Drawing, others

KEYS = st.frozensets(st.binary(min_size=1, max_size=6), max_size=40)


def drawn(*pages: list[bytes]) -> tuple[int, ...]:
    drawing = Drawing()
    for page in pages:
        drawing.add(page)
    return drawing.drawn


def names(first: int, number: int) -> list[bytes]:
    return [f"logs:{n}".encode() for n in range(first, first + number)]


@given(KEYS, KEYS)
def test_of_few_keys_each_other_one_is_counted(
    shown: frozenset[bytes], now: frozenset[bytes]
) -> None:
    found = others(drawn(sorted(shown)), drawn(sorted(now, reverse=True), sorted(now)), len(now))
    assert found == len(now - shown)


def test_of_many_keys_the_share_of_others_is_told() -> None:
    shown = drawn(names(0, 10_000))
    assert len(shown) == MOST
    assert others(shown, drawn(names(5_000, 5_000), names(0, 5_000)), 10_000) == 0
    assert others(shown, drawn(names(100_000, 10_000)), 10_000) == 10_000
    half = others(shown, drawn(names(5_000, 10_000)), 10_000)
    assert 3_500 < half < 6_500


def test_where_none_can_be_compared_all_are_others() -> None:
    shown = drawn(names(0, 100_000))
    (above,) = drawn([next(one for one in names(0, 100_000) if drawn([one])[0] > shown[-1])])
    assert others(shown, (above,), 50) == 50
    assert others(shown, (), 0) == 0
