"""Row 13: what a person waits for in the shell, where every word starts a new process."""

import subprocess
import sys
from collections.abc import Mapping

from bench.crew import crew
from bench.grounds import space, sqlite
from bench.measuring import interleaved
from bench.rows import Outcome, Row, Scale, at_least, at_most, milliseconds
from knowledge_base_agent.fleet.fleet import Fleet
from tests.fleet.running import ROOT
from tests.fleet.tiny_app import tiny_app
from tests.records.deployment import environment, settings_for

_PYTHON = [sys.executable]


def _run(command: list[str], variables: Mapping[str, str]) -> None:
    subprocess.run(
        [*_PYTHON, *command], cwd=ROOT, env=dict(variables), check=True, capture_output=True
    )


def _shell(scale: Scale) -> Outcome:
    with (
        space() as ground,
        sqlite() as url,
        tiny_app(ground.broker_url, ground.result_url) as app,
    ):
        fleet = Fleet(app)
        variables = environment(settings_for(ground, url)) | {
            "CELERY_APP": "tests.fleet.tiny_app",
            "TINY_BROKER": ground.broker_url,
            "TINY_RESULTS": ground.result_url,
            "TINY_LEDGER": ground.progress_url,
        }
        ping = ["-m", "celery", "-A", "tests.fleet.tiny_app", "inspect", "ping"]
        contestants = {
            "--help": lambda: _run(["celery_monitor.py", "--help"], variables),
            "stats": lambda: _run(["celery_monitor.py", "stats"], variables),
            "celery inspect ping": lambda: _run(ping, variables),
            "python -c pass": lambda: _run(["-c", "pass"], variables),
            "import celery": lambda: _run(["-c", "import celery.app.base"], variables),
        }
        with crew(ground, 1, fleet):
            found = interleaved(contestants, rounds=scale.choose(15, 3))
        fleet.close()
    figures = tuple(milliseconds(name, timing.median) for name, timing in found.items())
    ratio = found["celery inspect ping"].median / found["stats"].median
    return Outcome(
        figures=figures,
        goals=(
            at_most("--help", found["--help"].median * 1000, 120, smoke=500, unit="ms"),
            at_least("stats: faster than celery inspect ping", ratio, 3, smoke=1),
        ),
    )


SHELL = Row(number=13, title="The shell: --help and stats", run=_shell)
