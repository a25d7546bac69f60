"""Two sets are held against one another by name and by number, and a busy queue may grow a little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base_agent.scope import Scope, difference, fingerprint

NAMES = st.frozensets(st.text(min_size=1, max_size=8), max_size=6)


@given(NAMES, NAMES)
def test_fingerprints_are_equal_just_when_the_names_are(
    one: frozenset[str], other: frozenset[str]
) -> None:
    first, second = Scope(names={"task": one}), Scope(names={"task": other})
    assert (first.fingerprint == second.fingerprint) == (one == other)
    assert len(first.fingerprint) == 64


@given(NAMES, NAMES)
def test_what_came_and_what_went_are_told_apart(shown: frozenset[str], now: frozenset[str]) -> None:
    found = difference(Scope(names={"task": shown}), Scope(names={"task": now}))
    assert bool(found.came) == bool(now - shown)
    assert bool(found.went) == bool(shown - now)


@given(NAMES)
def test_a_set_survives_the_way_into_the_database_and_back(names: frozenset[str]) -> None:
    scope = Scope(names={"task": names}, counts={"rows": 3}, flows={"messages in a": None})
    again = Scope.model_validate_json(scope.model_dump_json())
    assert (again, again.fingerprint) == (scope, scope.fingerprint)


def test_the_order_in_which_parts_are_found_does_not_matter() -> None:
    one = Scope(names={"a": frozenset({"1"}), "b": frozenset({"2"})}, flows={"x": 1, "y": 2})
    other = Scope(names={"b": frozenset({"2"}), "a": frozenset({"1"})}, flows={"y": 7, "x": 9})
    assert one.fingerprint == other.fingerprint


def test_a_name_of_another_kind_is_another_thing() -> None:
    task, queue = Scope(names={"task": frozenset({"a"})}), Scope(names={"queue": frozenset({"a"})})
    assert task.fingerprint != queue.fingerprint
    assert difference(task, queue).came == ("1 queue came (a)",)


@pytest.mark.parametrize(
    ("before", "after", "another"),
    [(0, 10, False), (0, 11, True), (50, 60, False), (50, 61, True), (1000, 1100, False),
     (1000, 1101, True), (1000, 0, False), (None, 5000, False)],
)  # fmt: skip
def test_more_than_ten_and_more_than_a_tenth_is_another_set(
    before: int | None, after: int, another: bool
) -> None:
    shown, now = Scope(flows={"messages in a": before}), Scope(flows={"messages in a": after})
    assert bool(difference(shown, now).came) is another
    assert shown.fingerprint == now.fingerprint, "a number that changes each second is no name"


def test_a_queue_that_was_not_shown_is_another_set_even_when_it_is_empty() -> None:
    shown, now = (
        Scope(flows={"messages in a": 1}),
        Scope(flows={"messages in a": 1, "messages in b": 0}),
    )
    assert difference(shown, now).came == ("0 messages in b, none were shown",)


def test_what_was_known_and_is_unknown_now_is_neither_more_nor_less() -> None:
    found = difference(Scope(flows={"keys": 3}), Scope(flows={"keys": None}))
    assert (found.came, found.went, found.unknown) == ((), (), ("keys",))


def test_rows_may_become_fewer_but_not_one_more() -> None:
    shown = Scope(counts={"rows in FAILURE": 3})
    assert difference(shown, Scope(counts={"rows in FAILURE": 4})).came
    assert not difference(shown, Scope(counts={"rows in FAILURE": 2})).came
    assert difference(shown, Scope(counts={"rows in FAILURE": 3, "rows in REVOKED": 1})).came


def test_as_many_others_are_another_set_and_fewer_are_what_is_left() -> None:
    def rows(number: int, digest: str) -> Scope:
        return Scope(counts={"rows": number}, digests={"rows": digest}).under("clear")

    shown = rows(3, "a")
    assert difference(shown, rows(3, "b")).came == (
        "3 clear: rows, as many as were shown, but others",
    )
    assert shown.fingerprint != rows(3, "b").fingerprint
    assert difference(shown, rows(3, "a")).came == ()
    assert difference(shown, rows(2, "b")).came == ()
    assert difference(shown, rows(4, "b")).came == ("4 clear: rows, 3 were shown",)
    both = shown | Scope(counts={"keys": 1}, digests={"keys": "k"})
    assert both.digests == {"clear: rows": "a", "keys": "k"}


def test_parts_of_something_larger_are_told_apart() -> None:
    both = Scope(counts={"rows": 1}).under("clear") | Scope(counts={"rows": 2}).under("flush")
    assert both.counts == {"clear: rows": 1, "flush: rows": 2}
    assert fingerprint("a") != fingerprint("b")


@pytest.mark.parametrize(
    ("before", "after", "came", "went"),
    [
        (3, 3, (), ()),
        (3, 4, ("4 rows, 3 were shown",), ()),
        (3, 2, (), ("2 rows, 3 were shown",)),
    ],
)
def test_counts_are_told_as_what_came_or_as_what_went(
    before: int, after: int, came: tuple[str, ...], went: tuple[str, ...]
) -> None:
    found = difference(Scope(counts={"rows": before}), Scope(counts={"rows": after}))
    assert (found.came, found.went) == (came, went)


@pytest.mark.parametrize(("number", "said"), [(5, "(0, 1, 2, 3, 4)"), (6, "(0, 1, 2, 3, 4, …)")])
def test_five_names_are_told_and_that_there_are_more(number: int, said: str) -> None:
    now = Scope(names={"task": frozenset(map(str, range(number)))})
    (came,) = difference(Scope(), now).came
    assert came.endswith(said)


@pytest.mark.parametrize(("before", "after"), [(None, None), (3, 4), (None, 3)])
def test_only_what_was_known_before_can_become_unknown(
    before: int | None, after: int | None
) -> None:
    found = difference(Scope(flows={"keys": before}), Scope(flows={"keys": after}))
    assert found.unknown == ()


def test_the_size_of_a_scope_is_all_that_it_names_counts_and_sees_flow() -> None:
    names = {"worker": frozenset("abc"), "queue": frozenset("d")}
    whole = Scope(names=names, counts={"rows": 10}, flows={"messages in a": 100, "in b": None})
    assert whole.size == 114
    assert Scope(flows={"messages in a": None}).size == 0


@pytest.mark.parametrize(("others", "another"), [(10, False), (11, True), (50, True)])
def test_as_many_in_the_place_of_others_are_another_set(others: int, another: bool) -> None:
    shown = Scope(flows={"messages in a": 50})
    now = Scope(flows={"messages in a": 50}, fresh={"messages in a": others})
    assert bool(difference(shown, now).came) is another
    assert bool(difference(shown.under("x"), now.under("x") | Scope()).came) is another
