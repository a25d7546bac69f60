"""A command that is repeated by hand is answered with what became of the first one, and done once."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from knowledge_base_agent.actors import Actor
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.problems import NotFound, Repeated
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.repeats import WITHIN
from knowledge_base_agent.requests import Claimed, Pending
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.runs import SILENT_AFTER
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.understand import understand
from tests.road.conftest import OLGA, OTTO, asked
from tests.road.ledger import ALL, CHANGE, WRITE

Kinds = Callable[..., list[str]]
PROCESSES = 4


def lines(ledger: Path) -> int:
    return len(ledger.read_text().splitlines()) if ledger.exists() else 0


def begun(runner: Runner, ledger: Path, actor: Actor = OTTO) -> Claimed:
    pending = runner.ask(asked(WRITE, ledger, actor))
    assert isinstance(pending, Pending)
    return runner.confirm(pending.confirmation_id, actor)


def rewind(deployment: Deployment, **columns: object) -> None:
    with writing(deployment.engine) as connection:
        connection.execute(update(RUNS).values(columns))


def test_while_it_runs_whoever_asks_for_the_same_is_told_whose_run_it_is(
    runner: Runner, ledger: Path, audit_kinds: Kinds
) -> None:
    claimed = begun(runner, ledger)
    for actor in (OTTO, OLGA):
        with pytest.raises(Repeated, match=r"already running as op-1, by Otto, since .*UTC"):
            runner.ask(asked(WRITE, ledger, actor))
        with pytest.raises(Repeated, match="already running as op-1"):
            runner.ask(replace(asked(WRITE, ledger, actor), repeat=True))
    audit_kinds("previewed", "confirmed", "started", *["repeated"] * 4)
    runner.execute(claimed)
    assert lines(ledger) == 1


def test_two_previews_of_the_same_do_not_run_side_by_side(
    runner: Runner, ledger: Path, audit_kinds: Kinds
) -> None:
    first, second = (runner.ask(asked(WRITE, ledger, one)) for one in (OTTO, OLGA))
    assert isinstance(first, Pending)
    assert isinstance(second, Pending)
    claimed = runner.confirm(first.confirmation_id, OTTO)
    with pytest.raises(Repeated, match="already running as op-1, by Otto"):
        runner.confirm(second.confirmation_id, OLGA)
    audit_kinds("previewed", "previewed", "confirmed", "started", "repeated")
    runner.execute(claimed)
    runner.execute(
        runner.confirm(second.confirmation_id, OLGA)
    )  # it stayed, and what it says is true again
    assert lines(ledger) == 2


def test_a_change_repeated_within_a_minute_is_told_what_came_of_it(
    runner: Runner, ledger: Path, audit_kinds: Kinds
) -> None:
    runner.ask(asked(CHANGE, ledger))
    with pytest.raises(Repeated, match=r"op-1 did this .* s ago: wrote one line.*add `--repeat`"):
        runner.ask(asked(CHANGE, ledger))
    assert lines(ledger) == 1
    audit_kinds("requested", "started", "ended", "repeated")


def test_whoever_means_it_has_it_done_again(runner: Runner, ledger: Path) -> None:
    runner.ask(asked(CHANGE, ledger))
    runner.ask(replace(asked(CHANGE, ledger), repeat=True))
    assert lines(ledger) == 2


def test_after_a_minute_it_is_no_repetition(
    runner: Runner, ledger: Path, deployment: Deployment
) -> None:
    runner.ask(asked(CHANGE, ledger))
    rewind(deployment, started_at=utc_now() - WITHIN)
    runner.ask(asked(CHANGE, ledger))
    assert lines(ledger) == 2


def test_another_person_or_another_argument_is_no_repetition(runner: Runner, ledger: Path) -> None:
    runner.ask(asked(CHANGE, ledger))
    runner.ask(asked(CHANGE, ledger, OLGA))
    runner.ask(asked(CHANGE, f"{ledger}-2"))
    assert lines(ledger) == 2


def test_what_was_done_in_between_makes_it_no_repetition(runner: Runner, ledger: Path) -> None:
    """Pause, resume, pause: the third is meant."""
    for path in (ledger, f"{ledger}-2", ledger):
        runner.ask(asked(CHANGE, path))
    assert lines(ledger) == 2


def test_what_failed_may_be_asked_for_again_at_once(runner: Runner, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            runner.ask(asked(CHANGE, tmp_path / "problem"))


def test_a_confirmed_run_repeated_on_the_very_same_set_is_told_what_came_of_it(
    runner: Runner, ledger: Path
) -> None:
    runner.execute(begun(runner, ledger))
    with pytest.raises(Repeated, match=r"op-1 did this .* ago: wrote one line"):
        runner.ask(asked(WRITE, ledger))
    again = runner.ask(replace(asked(WRITE, ledger), repeat=True))
    assert isinstance(again, Pending)
    assert isinstance(runner.ask(asked(WRITE, ledger, OLGA)), Pending), "she has not done it"


def test_a_run_whose_process_is_gone_keeps_nobody_from_asking_again(
    runner: Runner, ledger: Path, deployment: Deployment
) -> None:
    begun(runner, ledger)
    rewind(deployment, beat_at=utc_now() - 2 * SILENT_AFTER)
    assert isinstance(runner.ask(asked(WRITE, ledger, OLGA)), Pending)


def test_repeat_is_a_word_of_everything_that_changes_something() -> None:
    understood = understand("pause celery —repeat")
    assert understood.repeat
    assert understood.arguments == understand("pause celery").arguments
    assert not understand("pause celery").repeat


def ask_each(settings: Settings, paths: list[str], together: Barrier) -> None:
    opened = open_deployment(settings)
    runner = Runner(opened, ALL)
    for path in paths:
        together.wait(timeout=60)
        try:
            runner.ask(asked(CHANGE, path))
        except Repeated:
            continue
    opened.close()


def test_two_bots_that_are_asked_for_the_same_change_at_once_do_it_once(
    runner: Runner, road_settings: Settings, ledger: Path
) -> None:
    rounds = 6
    paths = [f"{ledger}-{number}" for number in range(rounds)]
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(PROCESSES)
    processes = [
        spawn.Process(target=ask_each, args=(road_settings, paths, together))
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert [lines(Path(path)) for path in paths] == [1] * rounds
