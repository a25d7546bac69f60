"""The guards of the road, each with the test that fails when it is taken out.

`python -m tests.road.test_guards` takes out each in a copy of the code, runs its test there, and prints what it did.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import update

from knowledge_base_agent import confirmations
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.problems import TooLate
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.runs import SILENT_AFTER, State, settle_interrupted
from tests.road.conftest import OLGA, OTTO, asked
from tests.road.ledger import WRITE

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A line of the code that something rests on, what stands there without it, and the test that must fail then."""

    name: str
    file: str
    line: str
    without: str
    test: str


GUARDS = (
    Guard(
        name="the conditional UPDATE",
        file="confirmations.py",
        line="        .where(CONFIRMATIONS.c.state == State.PENDING.value)\n",
        without="",
        test="test_guards.py::test_whoever_passed_every_check_still_takes_a_confirmation_only_once",
    ),
    Guard(
        name="the clicker's check",
        file="confirming.py",
        line="            authorise(actor, risk, self.deployment.settings)\n",
        without="            pass\n",
        test="test_runner.py::test_a_viewer_can_neither_preview_nor_confirm_and_both_are_recorded",
    ),
    Guard(
        name="the comparison of fingerprints",
        file="looking_again.py",
        line="    if preview.scope.fingerprint == found.fingerprint and",
        without="    if True or",
        test="test_looking_again.py::test_what_was_not_shown_is_a_new_preview_in_the_same_place_and_nothing_runs",
    ),
    Guard(
        name="the look for others in the place of what was shown",
        file="scope.py",
        line="        elif others > allowed:\n",
        without="        elif False:\n",
        test="test_scope.py::test_as_many_in_the_place_of_others_are_another_set",
    ),
    Guard(
        name="the record before the effect of what was confirmed",
        file="confirming.py",
        line="            write(connection, agreed, entry_of(actor, Kind.STARTED, taken.operation, **more))\n",
        without="            write(connection, agreed)\n",
        test="test_runner.py::test_a_preview_changes_nothing_and_a_confirmation_runs_it",
    ),
    Guard(
        name="the record before the effect of a change",
        file="runner.py",
        line="            write(connection, entry_about(request, Kind.REQUESTED), started)\n",
        without="            write(connection, entry_about(request, Kind.REQUESTED))\n",
        test="test_runner.py::test_a_change_is_recorded_before_its_effect",
    ),
    Guard(
        name="the look for the same run in the transaction that starts it",
        file="runner.py",
        line="            repeats.check(connection, actor, asked, repeat=request.repeat)\n",
        without="",
        test="test_repeats.py::test_two_bots_that_are_asked_for_the_same_change_at_once_do_it_once",
    ),
    Guard(
        name="the end of a run that broke off is decided once",
        file="runs.py",
        line="RUNS.c.number == number_of(run_id), RUNS.c.state == State.INTERRUPTED.value)",
        without="RUNS.c.number == number_of(run_id))",
        test="test_guards.py::test_what_becomes_of_an_interrupted_run_is_decided_once",
    ),
)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda one: one.name)
def test_a_guard_stands_where_it_is_said_to_and_has_a_test(guard: Guard) -> None:
    code = (ROOT / "knowledge_base_agent" / guard.file).read_text(encoding="utf-8")
    assert code.count(guard.line) == 1
    file, _, name = guard.test.partition("::")
    assert f"def {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")


def test_whoever_passed_every_check_still_takes_a_confirmation_only_once(
    runner: Runner, deployment: Deployment, ledger: Path
) -> None:
    pending = runner.ask(asked(WRITE, ledger))
    assert isinstance(pending, Pending)
    with writing(deployment.engine) as connection:
        confirmations.claim(connection, pending.confirmation_id, OTTO, target="{}")
    for late in (confirmations.cancel, confirmations.supersede):
        with pytest.raises(TooLate), writing(deployment.engine) as connection:
            late(connection, pending.confirmation_id, OLGA)
    with pytest.raises(TooLate, match="Otto confirmed"), writing(deployment.engine) as connection:
        confirmations.claim(connection, pending.confirmation_id, OLGA, target="{}")


def test_what_becomes_of_an_interrupted_run_is_decided_once(
    runner: Runner, deployment: Deployment, ledger: Path
) -> None:
    pending = runner.ask(asked(WRITE, ledger))
    assert isinstance(pending, Pending)
    run = runner.confirm(pending.confirmation_id, OTTO).run_id
    with pytest.raises(TooLate, match="started already"), writing(deployment.engine) as connection:
        settle_interrupted(connection, run, State.ABANDONED, "abandoned by Olga")
    with writing(deployment.engine) as connection:
        connection.execute(update(RUNS).values(beat_at=utc_now() - 2 * SILENT_AFTER))
    runner.declare_interrupted()
    with writing(deployment.engine) as connection:
        settle_interrupted(connection, run, State.RESUMED, "continued as op-2 by Olga")
    with pytest.raises(TooLate, match="resumed already"), writing(deployment.engine) as connection:
        settle_interrupted(connection, run, State.ABANDONED, "abandoned by Otto")


def taken_out(guard: Guard, folder: Path) -> bool:
    """Take a guard out of a copy of the code in `folder`, and tell whether its test fails there."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "var", "__pycache__"))
    code = folder / "knowledge_base_agent" / guard.file
    code.write_text(code.read_text(encoding="utf-8").replace(guard.line, guard.without))
    line = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        f"tests/road/{guard.test}",
    ]
    ended = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300)
    assert "rror" not in ended.stdout.splitlines()[-1], ended.stdout
    return ended.returncode == 1


if __name__ == "__main__":
    for each in GUARDS:
        with tempfile.TemporaryDirectory() as place:
            failed = taken_out(each, Path(place) / "copy")
        print(f"{'fails' if failed else 'PASSES'} without {each.name}: {each.test}", flush=True)
