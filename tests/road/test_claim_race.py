"""Eight processes confirm the same preview at the same moment, and one of them runs it.

Check-then-act ran twice in 300 of 300 rounds (field notes); the conditional UPDATE must never.
"""

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.problems import TooLate
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.road.conftest import OTTO, asked
from tests.road.ledger import ALL, WRITE

PROCESSES = 8
ROUNDS = 12


def confirm_each(settings: Settings, ids: list[str], together: Barrier) -> None:
    opened = open_deployment(settings)
    runner = Runner(opened, ALL)
    for confirmation_id in ids:
        together.wait(timeout=60)
        try:
            claimed = runner.confirm(confirmation_id, OTTO)
        except TooLate:
            continue
        runner.execute(claimed)
    opened.close()


def test_two_people_two_bots_or_eight_processes_run_a_confirmation_once(
    runner: Runner, road_settings: Settings, ledger: Path
) -> None:
    previews = [runner.ask(asked(WRITE, f"{ledger}-{number}")) for number in range(ROUNDS)]
    ids = [one.confirmation_id for one in previews if isinstance(one, Pending)]
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(PROCESSES)
    processes = [
        spawn.Process(target=confirm_each, args=(road_settings, ids, together))
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    lines = [len(Path(f"{ledger}-{n}").read_text().splitlines()) for n in range(ROUNDS)]
    assert lines == [1] * ROUNDS
