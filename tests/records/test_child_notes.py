"""What a pool's child puts is not lost with it, nor kept back by a body that never lets go of the interpreter."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from knowledge_base_agent.records import states
from knowledge_base_agent.records.child_notes import ChildrensNotes, Notes
from knowledge_base_agent.records.outbox import Outbox
from knowledge_base_agent.records.stream import HISTORY_KEY, decode
from tests.records.entries import entry
from tests.records.test_an_outage_of_the_history import CAP, arrived
from tests.servers import Valkey, free_port, valkey_server
from tests.waiting import wait_until

# A worker forks its children with our thread running, which is what these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
PAYLOAD = b"x" * 1_000


@pytest.fixture(scope="module")
def stream() -> Iterator[Valkey]:
    """A Valkey of their own."""
    with valkey_server() as server:
        yield server


def forked(work: Callable[[], object]) -> int:
    """Return the process id of a child that does the work, and is not seen to end until it is waited for."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    return child


def told_by(children: ChildrensNotes, told: list[bytes], many: int) -> list[bytes]:
    wait_until(lambda: children.look() is None or len(told) >= many, what=f"{many} are told")
    return told


def test_what_a_killed_child_had_not_sent_is_told_by_its_parent(stream: Valkey) -> None:
    box = Outbox(stream.url(1), key=HISTORY_KEY, cap=CAP)
    away = Outbox(f"redis://127.0.0.1:{free_port()}/0", key=HISTORY_KEY, cap=CAP)
    children = ChildrensNotes(box.put_encoded)

    def work() -> None:
        away.note_in(children.of_this_process())
        away.put(entry(states.SUCCESS, "before"))
        away.put(entry(states.STARTED, "killed"), urgent=True)
        os.kill(os.getpid(), signal.SIGKILL)

    children.expect()
    os.waitpid(forked(work), 0)

    expected = [("before", "SUCCESS"), ("killed", "STARTED")]
    wait_until(lambda: [(e.id, e.state) for e in arrived(stream, 1)] == expected)
    wait_until(lambda: not children.look(), what="nothing is kept of a child that is gone")
    assert box.flush(2)
    assert len(arrived(stream, 1)) == 2


def test_what_a_child_notes_just_before_it_is_found_gone_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[bytes] = []
    children = ChildrensNotes(told.append)
    (began, begins), (may_end, lets_end) = os.pipe(), os.pipe()

    def work() -> None:
        notes = children.of_this_process()
        assert notes is not None
        os.write(begins, b".")
        os.read(may_end, 1)
        notes.add(b"its last")

    children.expect()
    child, is_there = forked(work), os.kill
    os.read(began, 1)

    def ends_when_asked_after(process_id: int, number: int) -> None:
        if process_id == child:
            monkeypatch.undo()
            os.write(lets_end, b".")
            os.waitpid(child, 0)
        is_there(process_id, number)

    monkeypatch.setattr(os, "kill", ends_when_asked_after)
    wait_until(lambda: not children.look(), what="nothing is kept of a child that is gone")
    for end in (began, begins, may_end, lets_end):
        os.close(end)
    assert told == [b"its last"]


def test_all_of_a_child_arrives_though_its_notes_have_no_room_for_it(stream: Valkey) -> None:
    told: list[bytes] = []
    children = ChildrensNotes(told.append)

    def work() -> None:
        box = Outbox(stream.url(2), key=HISTORY_KEY, cap=CAP)
        box.open()
        box.note_in(children.of_this_process())
        for number in range(3_000):
            box.put(entry(states.STARTED, f"task-{number}"), urgent=True)
        os.kill(os.getpid(), signal.SIGKILL)

    children.expect()
    os.waitpid(forked(work), 0)

    def known() -> set[str]:
        return {one.id for one in (*arrived(stream, 2), *map(decode, told))}

    wait_until(lambda: len(known()) == 3_000, what="each start is sent, or told by the parent")


def test_notes_that_are_cleared_are_told_no_more_and_those_that_stand_are_told_once() -> None:
    told: list[bytes] = []
    children = ChildrensNotes(told.append)
    children.expect()
    notes = children.of_this_process()
    assert notes is not None

    notes.add(b"sent in time")
    children.look()
    notes.clear()
    children.look()
    notes.add(b"first")
    told_by(children, told, 1)
    notes.add(b"second")
    told_by(children, told, 2)
    for _ in range(3):
        children.look()

    assert told == [b"first", b"second"]


def test_notes_without_room_say_so_and_keep_what_they_have() -> None:
    notes = Notes()
    assert notes.take()
    kept = 0
    while notes.add(PAYLOAD):
        kept += 1

    _, cleared, used = notes.state()
    assert 60 <= kept <= 65
    assert notes.read(cleared, 0) == ([PAYLOAD] * kept, used)
    notes.clear()
    assert notes.add(PAYLOAD)


def test_notes_that_are_being_written_are_not_read_until_they_are() -> None:
    notes = Notes()
    assert notes.take()
    notes.add(b"whole")
    whole = bytes(notes._memory[:])
    notes._memory[24:28] = b"half"

    _, cleared, _ = notes.state()
    assert notes.read(cleared, 0) == ([], 0)
    assert notes.read(cleared + 1, 0) == ([], 0)
    notes._memory[: len(whole)] = whole
    assert notes.read(cleared, 0)[0] == [b"whole"]


def test_two_children_never_write_into_the_same_notes() -> None:
    notes = Notes()
    first = forked(lambda: os._exit(0 if notes.take() else 1))
    assert os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) == 0
    assert not notes.take()
