"""Reading what workers say of themselves, whatever they say."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base_agent.fleet.plain_reading import PLAIN_QUESTIONS, Focus, read_plain
from knowledge_base_agent.fleet.question import Reply
from knowledge_base_agent.fleet.reading import moment, read_look
from knowledge_base_agent.fleet.worker_words import FIELDS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
ROWS = st.lists(st.lists(JSON, max_size=len(FIELDS) + 1) | JSON, max_size=3)
WORKER_WORDS = ["v", "app", "now", "pid", "pool", "size", "processes", "occupied", "prefetch"]
WORKER_WORDS += ["uptime", "clock", "memory", "counts", "queues", "revoked", "processed"]
TASK_WORDS = ["active", "reserved", "scheduled", "flagged"]
LOOKS = st.dictionaries(st.sampled_from(WORKER_WORDS), JSON) | st.dictionaries(
    st.sampled_from(TASK_WORDS), ROWS
)
TASKS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("id", "time_start", "delivery_info", "eta", "request"), JSON)
)


@settings(deadline=None, max_examples=30)  # a loaded machine is no failure
@given(body=LOOKS)
def test_no_answer_to_our_command_can_break_the_reader(body: Any) -> None:
    view = read_look(Reply(worker="w", body=body, after=0.01), NOW, "app")
    assert view.name == "w"
    assert all(
        task.started_at is None or task.started_at <= NOW.replace(hour=13) for task in view.held
    )


@settings(deadline=None, max_examples=30)  # a loaded machine is no failure
@given(
    bodies=st.dictionaries(
        st.sampled_from(PLAIN_QUESTIONS),
        JSON | st.lists(TASKS, max_size=3) | st.fixed_dictionaries({"pool": JSON, "total": JSON}),
    ),
    arguments=st.booleans(),
)
def test_no_answer_to_celerys_questions_can_break_the_reader(
    bodies: dict[str, Any], arguments: bool
) -> None:
    said = {name: Reply(worker="w", body=body, after=0.01) for name, body in bodies.items()}
    view = read_plain("w", said, NOW, Focus(arguments=arguments, ids=None), ours=None)
    assert view.busy == len(view.active)


def test_a_time_without_a_zone_is_utc_and_one_with_a_zone_is_turned_into_it() -> None:
    assert moment("2026-11-23T12:00:00") == NOW
    assert moment("2026-11-23T04:00:00-08:00") == NOW
    assert moment("2026-11-23T12:00:00Z") == NOW
    assert moment("tomorrow") is None
