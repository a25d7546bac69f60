"""Whatever a task, a worker or a person is called: Slack takes the message, and nothing in it pings or breaks out."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.blocks.audit import entry_message
from bot.blocks.buttons import buttons, menu, value_of, words_in
from bot.blocks.confirmation import confirmation_message
from bot.blocks.drawn import MOST_BLOCKS, Drawn, weight
from bot.blocks.problem import problem_message
from bot.blocks.report import report_message
from bot.blocks.two_people import reason_message
from knowledge_base_agent.audit import Entry
from knowledge_base_agent.problems import Misunderstood, ReasonNeeded
from knowledge_base_agent.report import (
    Action,
    Chart,
    Column,
    Fact,
    Facts,
    Note,
    Part,
    Passage,
    Passages,
    Preformatted,
    Report,
    Row,
    Size,
    Table,
    Tone,
    Value,
)
from local_slack.blocks.check import check_blocks
from tests.bot.samples import NOW, entry, pending

NASTY = (
    "<!channel>", "<@U123>", "<https://evil.example|click>", "`", "```", "*bold*", "_x_", "~s~", ":fire:",
    "&lt;!here&gt;", "> quote", "\u202egnp.exe", "\u2028", "\x00", "\n\n", "", " ", "ä" * 400, "x" * 1200,
    "password=hunter22", "xoxb-123456789012-abcdefgh", "{", "\U0001f525", "1. one", "@channel", "#ops",
)  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=60), st.sampled_from(NASTY).map(lambda t: t * 3)
)
TONES = st.sampled_from(list(Tone))
VALUES: st.SearchStrategy[Value] = st.one_of(
    TEXT,
    st.none(),
    st.integers(),
    st.floats(),
    st.timedeltas(),
    st.datetimes(timezones=st.just(UTC), min_value=NOW.replace(year=1990, tzinfo=None)),
    st.integers(min_value=0).map(Size),
)
ACTIONS = st.builds(Action, label=TEXT, words=TEXT.filter(bool), danger=st.booleans())
FACTS = st.builds(
    Facts,
    title=TEXT,
    items=st.lists(
        st.builds(Fact, label=TEXT, value=VALUES, why=TEXT, tone=TONES), min_size=1, max_size=25
    ).map(tuple),
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table of any size whose rows may have actions."""
    width = draw(st.sampled_from([1, 2, 3, 6, 24]))
    row = st.builds(
        Row,
        cells=st.lists(VALUES, min_size=width, max_size=width).map(tuple),
        actions=st.lists(ACTIONS, max_size=3).map(tuple),
        tone=TONES,
        progress=st.none() | st.floats(),
    )
    rows = tuple(draw(st.lists(row, max_size=3)))
    columns = tuple(Column(key=f"c{n}", label=draw(TEXT)) for n in range(width))
    total = draw(st.none() | st.just(len(rows)) | st.just(10_000))
    return Table(caption=draw(TEXT), columns=columns, rows=rows, total=total)


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    """A chart of up to 30 categories."""
    categories = tuple(draw(st.lists(TEXT, max_size=30)))
    width = len(categories)
    numbers = st.lists(st.floats(), min_size=width, max_size=width).map(tuple)
    series = draw(st.dictionaries(TEXT, numbers, max_size=8))
    return Chart(title=draw(TEXT), categories=categories, series=series, unit=draw(TEXT))


PARTS: st.SearchStrategy[Part] = st.one_of(
    FACTS,
    tables(),
    charts(),
    st.builds(Note, text=TEXT, tone=TONES),
    st.builds(Preformatted, text=TEXT, title=TEXT),
    st.builds(
        Passages,
        items=st.lists(st.builds(Passage, title=TEXT, text=TEXT, source=TEXT), max_size=12).map(
            tuple
        ),
    ),
)
REPORTS = st.builds(
    Report,
    title=TEXT,
    text=TEXT,
    parts=st.lists(PARTS, max_size=6).map(tuple),
    tone=TONES,
    actions=st.lists(ACTIONS, max_size=7).map(tuple),
    taken_at=st.none() | st.timedeltas(timedelta(0), timedelta(days=9)).map(lambda d: NOW - d),
)
SLOW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)  # fmt: skip


TIMES = st.sampled_from([1, 1, 4, 70])


def grown(report: Report, times: int) -> Report:
    """Return the report with so many times its rows, and their total."""
    parts = tuple(
        replace(part, rows=part.rows * times) if isinstance(part, Table) else part
        for part in report.parts
    )
    return replace(report, parts=parts)


@SLOW
@given(report=REPORTS, times=TIMES)
def test_any_report_is_a_message_that_slack_takes(report: Report, times: int) -> None:
    harmless(report_message(grown(report, times), NOW))


@SLOW
@given(report=REPORTS, times=TIMES)
def test_any_preview_keeps_its_buttons_however_long_it_is(report: Report, times: int) -> None:
    changed = replace(pending(), report=grown(report, times))
    drawn = confirmation_message(changed, NOW)
    harmless(drawn)
    for form in (drawn.blocks, drawn.plain):
        assert [element["action_id"] for element in form[-1]["elements"]] == ["confirm", "cancel"]


@given(what=TEXT, cure=TEXT, suggestion=TEXT)
def test_any_problem_can_be_shown(what: str, cure: str, suggestion: str) -> None:
    harmless(problem_message(Misunderstood(what, cure, suggestion=suggestion)))


@given(name=TEXT, words=TEXT, detail=TEXT)
def test_any_audit_entry_can_be_posted(name: str, words: str, detail: str) -> None:
    told = Entry(**{**vars(entry()), "actor_name": name, "words": words, "detail": detail})
    harmless(entry_message(told, may_repeat=True))


@given(words=st.text(min_size=1))
def test_words_come_back_from_a_button_as_they_went_in(words: str) -> None:
    assert words_in(value_of(words)) == words


@pytest.mark.parametrize(
    "name", ["password=hunter22", "pass\u200bword=hunter22", "xoxb-hunter22-1"]
)
def test_no_button_and_no_menu_carries_a_secret(name: str) -> None:
    secret, plain = (
        Action(label="Pause", words=f"pause '{name}'"),
        Action(label="Stats", words="stats"),
    )
    rows = tuple(Row(cells=(name,), actions=(secret, plain)) for _ in range(30))
    table = Table(caption="Tasks", columns=(Column(key="task", label="Task"),), rows=rows, total=30)
    needed = ReasonNeeded("Two people.", "Say why.", Report(title="Preview", text=""))
    for drawn in (
        report_message(
            Report(title="Tasks", text="", parts=(table,), actions=(secret, plain)), NOW
        ),
        reason_message(needed, secret.words, NOW),
    ):
        harmless(drawn)
        assert "hunter22" not in json.dumps([drawn.blocks, drawn.plain, drawn.text])
    assert [button.value for button in buttons([secret, plain])] == [value_of("stats")]
    assert menu("Pause", [(name, secret.words)], 0) is None


@given(value=st.text())
def test_a_buttons_value_that_is_not_ours_is_no_words_or_just_words(value: str) -> None:
    found = words_in(value)
    assert found is None or found == value or json.loads(value)["w"] == found


def harmless(drawn: Drawn) -> None:
    """Fail unless Slack takes every form and no text in it does anything."""
    for form in (drawn.blocks, drawn.plain):
        check_blocks(json.loads(json.dumps(list(form), allow_nan=False)), "message")
        assert len(form) <= MOST_BLOCKS
        assert weight(form) <= 12_000
        for text in _mrkdwn(list(form)):
            _inert(text)
    _inert(drawn.text)
    assert drawn.text.strip()
    assert len(drawn.text) < 12_000
    # Nor may what a button carries: everybody in the channel can read it.
    assert "hunter22" not in json.dumps([drawn.blocks, drawn.plain, drawn.text])
    for text in _strings([list(drawn.blocks), list(drawn.plain), drawn.text]):
        assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069]", text)


def _inert(text: str) -> None:
    # Our own date tokens are the only thing in angle brackets.
    rest = re.sub(r"<!date\^\d+\^[^<>|]*?\^[^<>|]*?>|<!date\^\d+\^[^<>]*>", "", text)
    assert "<" not in rest
    assert ">" not in rest


def _mrkdwn(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "mrkdwn":
            yield node["text"]
        for value in node.values():
            yield from _mrkdwn(value)
    elif isinstance(node, list):
        for item in node:
            yield from _mrkdwn(item)


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            if key != "value":
                yield from _strings(value)
    elif isinstance(node, list):
        for item in node:
            yield from _strings(item)
