"""What people type is understood, or answered with what is allowed and what was probably meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.operations.describing import parameters, usage
from knowledge_base_agent.operations.operation import AnyOperation, Risk
from knowledge_base_agent.operations.words import duration, task_id
from knowledge_base_agent.phone_text import split, straighten
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.understand import understand


def misunderstanding(text: str) -> Misunderstood:
    with pytest.raises(Misunderstood) as caught:
        understand(text)
    return caught.value


def test_nothing_typed_is_a_call_for_help() -> None:
    assert understand("").operation.name == "help"
    assert understand("  \u00a0").operation.name == "help"


def test_a_phone_may_capitalise_the_first_word() -> None:
    assert understand("Help").operation.name == "help"


def test_an_unknown_word_is_answered_with_what_was_probably_meant() -> None:
    problem = misunderstanding("hlep clear")
    assert "“hlep”" in problem.what
    assert problem.suggestion == "help clear"
    assert understand(problem.suggestion).operation.name == "help"


def test_the_command_typed_again_after_itself_is_left_out() -> None:
    assert understand("/kb stats").words == understand("/kb /KB stats").words == "stats"
    assert understand("/kb").operation.name == "help"


def test_an_open_quote_is_named_where_the_words_are_not_understood() -> None:
    assert misunderstanding('stats "two words').what.startswith("A quote is open")
    assert "quote" not in misunderstanding('stats "two words"').what


def test_of_a_time_that_is_no_time_the_units_are_named() -> None:
    assert "has a unit: s, m, h, d or w" in misunderstanding("clear --older-than 1x").what
    assert "at most ten years" in misunderstanding("clear --older-than 999999999w").what


@pytest.mark.parametrize(
    "typed", ["purge --queue agent --queue celery", "clear --older-than 12 —older-than=1m"]
)
def test_a_flag_that_is_there_twice_with_two_values_is_refused(typed: str) -> None:
    # The last one won: a clear of twelve hours was one of a minute.
    with pytest.raises(Misunderstood, match=r"--(queue|older-than) is there twice"):
        understand(typed)
    assert understand("purge --queue agent --queue agent").words.count("agent") == 2
    assert "RETRY" in str(understand("find --state FAILURE --state RETRY").arguments)


def test_the_example_of_what_needs_a_value_keeps_what_stands_before_it() -> None:
    cure = misunderstanding("purge --queue agent --reason").cure
    assert cure.startswith("For example: `/kb purge --queue agent --reason "), "not of every queue"


def test_what_chooses_tasks_for_a_revoke_excludes_each_other() -> None:
    assert "exclude each other" in misunderstanding("revoke --all-active --queue nope").what


def test_a_word_like_nothing_we_know_leads_to_help() -> None:
    assert misunderstanding("frobnicate").suggestion == "help"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_every_operation_explains_itself(operation: AnyOperation) -> None:
    assert usage(operation).startswith(operation.name)
    assert operation.summary.endswith(".")
    for parameter in parameters(operation):
        assert parameter.word.help
        assert parameter.word.read is None or parameter.word.example
    confirmed = operation.risk is Risk.DESTROY
    assert confirmed == (operation.preview is not None)


def test_no_two_operations_share_a_name() -> None:
    names = [name for one in OPERATIONS for name in (one.name, *one.aliases)]
    assert len(names) == len(set(names))


@given(st.text(max_size=120))
def test_any_text_is_understood_or_answered_and_never_crashes(text: str) -> None:
    try:
        understand(text)
    except Misunderstood as problem:
        assert problem.what.endswith((".", "?"))
        assert problem.cure
        if problem.suggestion:
            assert "\n" not in problem.suggestion


WORDS = [one.name for one in OPERATIONS] + [
    flag for one in OPERATIONS for parameter in parameters(one) for flag in parameter.flags
]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=12), max_size=6))
def test_any_mix_of_known_words_and_anything_never_crashes(words: list[str]) -> None:
    try:
        understand(" ".join(words))
    except Misunderstood as problem:
        assert problem.cure


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12", 43200), ("3h", 10800), ("90m", 5400), ("1h30m", 5400), ("10s", 10), ("2w", 1209600)],
)
def test_a_time_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["soon", "-3h", "h", "3x", "1e3", "nan", "", "99999999999d"])
def test_a_time_that_is_none_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="a time is"):
        duration(text)


@pytest.mark.parametrize("text", ["`abc-1`", "<abc-1>", "abc-1,", '"abc-1"', "abc-1"])
def test_an_id_is_read_without_what_was_copied_along(text: str) -> None:
    assert task_id(text) == "abc-1"


def test_the_example_in_an_answer_works_as_it_stands() -> None:
    problem = misunderstanding("logs some-id -n 0")
    example = problem.cure.partition("`/kb ")[2].partition("`")[0]
    assert understand(example).operation.name == "logs"


@pytest.mark.parametrize(
    "typed",
    ["hlep it's", 'hlep "a b" c', "hlep 'password': 'x y", 'hlep {"api_key": "x"}', "hlep a\\b"],
)
def test_a_suggestion_is_read_as_what_it_mends(typed: str) -> None:
    with pytest.raises(Misunderstood) as told:
        understand(typed)
    assert split(told.value.suggestion) == ["help", *split(straighten(typed))[1:]]


@pytest.mark.parametrize(
    "typed", ["logs token: s3cr3tV4lue 3f2a", 'retry --name {"api_key": "s3cr3tV4lue"} shop.*h"']
)
def test_a_word_that_stands_behind_a_secrets_name_is_not_shown_as_the_strange_one(
    typed: str,
) -> None:
    with pytest.raises(Misunderstood) as told:
        understand(typed)
    assert "s3cr3tV4lue" not in told.value.what
    assert "s3cr3tV4lue" not in plain(told.value.suggestion)


@pytest.mark.parametrize(
    "text",
    ["*", "a*", "a?", "a[bc]", "%", "a/../b", "../etc/passwd", "a b", "a\nb", "a\x00b", "é", "\u0430bc", "\uff41bc",
     "a\u200bb", "celery-task-meta-*", "a{b}", "a$b", "x" * 129, ""],
)  # fmt: skip
def test_an_id_is_exact_and_no_pattern_path_or_look_alike_is_one(text: str) -> None:
    with pytest.raises(ValueError, match="no patterns"):
        task_id(text)
    assert task_id("x" * 128) == "x" * 128


@pytest.mark.parametrize(
    "typed",
    [
        "purge --dry-run --quue celery",
        "purge --quue=celery --DRY-RUN",
        "purge --dry-rum --queue celery",
        "purge --dry-run=true --queue celery",
        "revoke --all-actve --dry-run --repeat",
    ],
)
def test_what_was_meant_to_be_shown_alone_stays_so_in_what_is_suggested(typed: str) -> None:
    """A button that mends a typo must not turn a look into a purge."""
    told = misunderstanding(typed)
    assert told.suggestion
    mended = understand(told.suggestion)
    assert mended.only_shown
    assert mended.repeat == ("--repeat" in typed)


def test_an_example_has_the_words_that_say_how_it_was_asked_for() -> None:
    assert "--queue agent --dry-run" in misunderstanding("purge --dry-run --queue").cure
    assert "takes no value" in misunderstanding("revoke t-1 --terminate=yes").what


@pytest.mark.parametrize(
    "typed",
    [
        "revoke t-1 [--dry-run]",
        "revoke t-1 `--dry-run`",
        "retry t-1 -- dry-run",
        "revoke t-1 (--Dry-run)",
    ],
)
def test_a_flag_out_of_brackets_is_no_task(typed: str) -> None:
    """Copied from the help as it stands there: the task was revoked, and the flag taken for one that nobody knows."""
    assert "write --dry-run as it is" in misunderstanding(typed).what


@pytest.mark.parametrize(
    "typed", ["revoke --dry-run t-1 t-2", "revoke t-1 —Dry-run t-2", "revoke t-1 t-2 --dry-run"]
)
def test_wherever_it_stands_nothing_is_done(typed: str) -> None:
    understood = understand(typed)
    assert understood.only_shown
    assert understood.arguments.model_dump()["task_ids"] == ("t-1", "t-2")
