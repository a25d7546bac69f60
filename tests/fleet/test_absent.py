"""Naming who is missing, and when to stop waiting."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base_agent.fleet.absent import settled, who_is_missing
from knowledge_base_agent.fleet.question import Asked, Question, Reply
from knowledge_base_agent.fleet.worker_words import ENROLLED, LOOK

NAMES = st.frozensets(st.sampled_from(["w1", "w2", "w3", "w4", "w5"]))


def names(*given_names: str) -> frozenset[str]:
    return frozenset(given_names)


def test_the_silent_worker_is_named_by_difference_from_those_seen_before() -> None:
    missing = who_is_missing(
        receivers=3,
        replies=2,
        answered=names("w1", "w2"),
        present=names("w1", "w2", "w3"),
        bound=names("w1", "w2", "w3", "killed"),
    )
    assert missing.silent == {"w3"}
    assert missing.unnamed == 0


def test_a_first_question_names_the_silent_worker_by_the_brokers_own_mailboxes() -> None:
    missing = who_is_missing(
        receivers=2, replies=1, answered=names("w1"), present=names(), bound=names("w1", "w2")
    )
    assert missing.silent == {"w2"}


def test_nobody_is_blamed_when_a_killed_worker_could_be_meant() -> None:
    missing = who_is_missing(
        receivers=2,
        replies=1,
        answered=names("w1"),
        present=names(),
        bound=names("w1", "w2", "killed"),
    )
    assert missing.silent == set()
    assert missing.unnamed == 1


@settings(deadline=None)  # a loaded machine is no failure
@given(
    answered=NAMES,
    present=NAMES,
    bound=st.none() | NAMES,
    more=st.integers(min_value=0, max_value=5),
)
def test_never_more_are_missing_than_received_the_question(
    answered: frozenset[str], present: frozenset[str], bound: frozenset[str] | None, more: int
) -> None:
    missing = who_is_missing(
        receivers=len(answered) + more,
        replies=len(answered),
        answered=answered,
        present=present,
        bound=None if bound is None else bound | answered,
    )
    assert missing.unnamed is not None
    assert len(missing.silent) + missing.unnamed == more
    assert not missing.silent & answered


def ends(**changes: object) -> bool:
    facts: dict[str, object] = {
        "receivers": 3,
        "answers": {"w1": 1, "w2": 1},
        "destination": None,
        "present": names("w1", "w2", "w3"),
        "known_silent": names(),
        "quiet": True,
    }
    return settled(**(facts | changes))  # type: ignore[arg-type]


def test_waiting_ends_with_the_last_answer_and_not_before() -> None:
    assert ends(answers={"w1": 1, "w2": 1, "w3": 1}, quiet=False)
    assert not ends()


def test_a_worker_known_to_be_silent_is_not_waited_for_again_once_it_is_quiet() -> None:
    assert ends(known_silent=names("w3"))
    assert not ends(known_silent=names("w3"), quiet=False)
    assert not ends(known_silent=names("w3"), answers={"w1": 1})


def test_without_a_receivers_count_everyone_known_is_waited_for() -> None:
    assert not ends(receivers=None)
    assert ends(receivers=None, known_silent=names("w3"))
    assert not ends(receivers=None, present=names(), answers={})


def test_a_named_worker_is_waited_for_until_it_answers() -> None:
    assert not ends(destination={"w3": 1})
    assert ends(destination={"w1": 1}, quiet=False)


def test_both_workers_of_one_name_are_waited_for_but_not_for_ever() -> None:
    assert not ends(destination={"w1": 2}, quiet=False)
    assert ends(destination={"w1": 2}, answers={"w1": 2}, quiet=False)
    assert ends(destination={"w1": 2})


@pytest.mark.parametrize(
    ("enrolled", "told", "present", "over"),
    [
        (2, (True, True), ("w1", "w2"), True),
        (2, (True, True), ("w1",), True),
        (3, (True, True), ("w1", "w2"), False),
        (1, (True, True), ("w1", "w2", "silent"), False),
        (1, (True, False), ("w1", "w2"), False),
        (2, (True, True), (), False),
        (0, (True, True), ("w1", "w2"), False),
        (None, (True, True), ("w1", "w2"), False),
    ],
    ids=[
        "all",
        "a newcomer too",
        "one of the counted is missing",
        "one who was heard before is missing",
        "one is not counted, so others may not be",
        "nobody was heard before",
        "nobody is counted",
        "the broker does not count",
    ],
)
def test_a_question_is_over_once_all_who_are_counted_and_all_who_were_heard_before_answered(
    enrolled: int | None, told: tuple[bool, ...], present: tuple[str, ...], over: bool
) -> None:
    asked = Asked(question=Question(command=LOOK), enrolled=enrolled)
    for number, counted in enumerate(told, 1):
        asked.replies.append(Reply(worker=f"w{number}", body={ENROLLED: counted}, after=0.1))
    assert asked.all_enrolled_answered(names(*present)) is over
