"""Whatever is away: a command is acknowledged within 1 s and answered within 5 s, saying what is not known."""

import contextlib
import resource
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.answering import ANSWERED_SECONDS, Ground, People, ground
from tests.faults.proxy import proxy_to
from tests.people import local_slack
from tests.servers import Valkey
from tests.waiting import await_until, wait_until

ALL = (
    "stats", "active", "reserved", "scheduled", "stuck", "workers", "failures", "alerts", "doctor",
    "find --state FAILURE", "task some-task", "logs some-task", "search retry", "help", "nonsense",
    "revoke some-task", "revoke --all-active", "purge --queue celery", "clear --older-than 1", "flush --all",
)  # fmt: skip
LOOKING = ALL[:15]
"""Those that change nothing."""
OF_ROWS = (
    "The rows know no failures",
    "The rows know no tasks in state FAILURE",
    "Nothing to clear",
)
OF_BROKER = ("No active tasks seen; no worker is listening", "Nothing to purge", "Nothing to flush")
OF_NOTHING = ("What you can ask", "I don't know “nonsense”")
OF_DOCUMENTS = "No document has all of “retry”"
CROWDED_SECONDS = 15.0
"""For two hundred at once: bot, Slack and this test share two cores, and draw, check and count each message."""
DEFECTS = ("this reference", "None", "Traceback")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Ground]:
    """A bot on SQLite and two Valkeys, each behind a proxy."""
    folder = tmp_path_factory.mktemp("answers")
    shutil.copyfile(migrated_file, folder / "kb.sqlite3")
    with ground(folder, f"sqlite:///{folder / 'kb.sqlite3'}") as found:
        yield found


@pytest.fixture
async def people(place: Ground) -> AsyncIterator[People]:
    """The people of its Slack; when a test is over, all is well again."""
    async with local_slack(place.slack_url) as slack:
        yield People(slack=slack)
        await healthy(People(slack=slack))


async def healthy(people: People) -> None:
    async def well() -> bool:
        shown = (await people.asks(("stats", "active"))).shown
        return "0 active tasks, no worker is listening" in shown and OF_BROKER[0] in shown

    await await_until(well, within=20, what="everything answers again")


@contextlib.contextmanager
def frozen(valkey: Valkey) -> Iterator[None]:
    """Stop a server in the middle of whatever it does."""
    valkey.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        valkey.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def broker_away(place: Ground, how: str) -> Iterator[None]:
    """Take the broker away, with progress and logs."""
    if how == "frozen":
        with frozen(place.main):
            yield
        return
    getattr(place.to_main, how)()
    try:
        yield
    finally:
        place.to_main.heal()


def tells(shown: str, *fragments: str) -> None:
    """Fail unless everything of these is there, and nothing that a defect would show."""
    for fragment in fragments:
        assert fragment in shown, f"{fragment!r} is not in:\n{shown}"
    for fragment in DEFECTS:
        assert fragment not in shown, f"{fragment!r} is in:\n{shown}"


async def test_with_everything_there_everything_is_answered(people: People) -> None:
    tells((await people.asks(ALL)).shown, *OF_ROWS, *OF_BROKER, *OF_NOTHING, OF_DOCUMENTS)


@pytest.mark.parametrize("how", ["refuse", "frozen", "black_hole"])
async def test_with_the_broker_away_each_answer_says_so_and_the_rows_are_told(
    place: Ground, people: People, how: str
) -> None:
    with broker_away(place, how):
        first, second = await people.asks(ALL), await people.asks(ALL)
    for asked in (first, second):
        tells(
            asked.shown,
            *OF_ROWS,
            *OF_NOTHING,
            OF_DOCUMENTS,
            "active tasks unknown",
            "Still works: stats",
        )
        assert "No active tasks" not in asked.shown
        assert "no worker is listening" not in asked.shown


async def test_with_the_result_backend_frozen_all_else_is_told(
    place: Ground, people: People
) -> None:
    with frozen(place.results):
        asked = await people.asks(ALL)
    tells(asked.shown, *OF_ROWS, *OF_BROKER, *OF_NOTHING)
    assert "result backend did not answer" in asked.shown


async def test_with_sqlite_locked_by_another_what_only_looks_is_answered_and_nothing_is_changed(
    place: Ground, people: People
) -> None:
    path = place.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        asked = await people.asks(ALL)
        other.execute("ROLLBACK")
    tells(asked.shown, *OF_ROWS, *OF_BROKER, *OF_NOTHING)


@contextlib.contextmanager
def filled_up(place: Ground) -> Iterator[int]:
    """Lend the size beyond which nothing of the database's may grow, and that its journal has reached already.

    A reader keeps the journal from beginning anew, where what earlier tests wrote would leave it room.
    """
    path = Path(place.database_url.removeprefix("sqlite:///"))
    with (
        contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as writer,
        contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as reader,
    ):
        begun_anew = "PRAGMA wal_checkpoint(TRUNCATE)"
        wait_until(lambda: writer.execute(begun_anew).fetchone()[0] == 0, what="nobody reads")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        writer.execute("CREATE TABLE ballast (weight)")
        writer.execute("INSERT INTO ballast VALUES (zeroblob(?))", [path.stat().st_size + 100_000])
        yield Path(f"{path}-wal").stat().st_size
        reader.execute("COMMIT")
        writer.execute("DROP TABLE ballast")


async def test_with_the_disk_full_what_only_looks_is_answered_and_a_change_says_why_not(
    place: Ground, people: People, tmp_path: Path
) -> None:
    (tmp_path / "page.md").write_text("# A page")
    before = resource.prlimit(place.bot.pid, resource.RLIMIT_FSIZE)
    with filled_up(place) as size:
        resource.prlimit(place.bot.pid, resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            asked = await people.asks((*ALL, f"run {tmp_path}"))
        finally:
            resource.prlimit(place.bot.pid, resource.RLIMIT_FSIZE, before)
    tells(
        asked.shown, *OF_ROWS, *OF_BROKER, *OF_NOTHING, "Look at the disk", "Nothing can be changed"
    )


@pytest.mark.parametrize("how", ["refuse", "black_hole"])
async def test_with_postgresql_away_the_workers_are_still_told_of(
    postgres_url: str, tmp_path: Path, how: str
) -> None:
    with (
        proxy_to(postgres_url) as proxy,
        ground(tmp_path, postgres_url, reached_by=proxy.url(postgres_url)) as place,
    ):
        async with local_slack(place.slack_url) as slack:
            people = People(slack=slack)
            tells((await people.asks(ALL)).shown, *OF_ROWS, *OF_BROKER, *OF_NOTHING, OF_DOCUMENTS)
            getattr(proxy, how)()
            for _ in range(2):
                asked = await people.asks(LOOKING)
                tells(asked.shown, OF_BROKER[0], *OF_NOTHING, "rows unknown")
            proxy.heal()
            await healthy(people)


@pytest.mark.parametrize("number", [10, 50, 200])
async def test_many_commands_at_once_are_all_answered(people: People, number: int) -> None:
    within = ANSWERED_SECONDS if number < 200 else CROWDED_SECONDS
    asked = await people.asks(["stats"] * number, people=("otto",), within=within)
    tells(asked.shown)
    told = asked.shown.count("0 active tasks, no worker is listening")
    # Of two hundred some may be told that so much is asked at once; of fifty none.
    assert told >= min(number, 50), f"{told} of {number} got what they asked for"


async def test_two_hundred_commands_with_the_broker_frozen_starve_nobody(
    place: Ground, people: People
) -> None:
    with broker_away(place, "frozen"):
        await people.asks(["active"] * 200, people=("otto",), within=CROWDED_SECONDS)
        asked = await people.asks(ALL)
    tells(asked.shown, *OF_ROWS, *OF_NOTHING)


async def test_a_slow_slack_and_one_that_limits_are_answered_in_time(people: People) -> None:
    await people.slack.fails("chat.postMessage", "429", times=3, retry_after=1)
    tells((await people.asks(("stats", "failures", "active"))).shown, OF_ROWS[0], OF_BROKER[0])


async def test_what_was_asked_while_the_socket_is_cut_is_answered_afterwards(
    people: People,
) -> None:
    await people.slack.do("disconnect", reason="refresh_requested", close=True)
    await people.slack.app_connects(within=20)
    tells((await people.asks(ALL)).shown, *OF_ROWS, *OF_BROKER, *OF_NOTHING, OF_DOCUMENTS)
