"""Row 13: what a person waits for in the shell, where every word starts a new process."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial

from bench.crew import crew
from bench.grounds import space, sqlite
from bench.measuring import interleaved
from bench.rows import Outcome, Row, Scale, at_least, at_most, milliseconds
from knowledge_base_agent.fleet.fleet import Fleet
from tests.fleet.running import ROOT
from tests.fleet.tiny_app import tiny_app
from tests.records.deployment import environment, settings_for
from tests.servers import RedisSpace

_PING = "celery inspect ping"
_KEEPS_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
"""Where this is set, as in many containers, each start would compile our modules anew, and not the installed ones."""


def _run(command: list[str], variables: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=dict(variables), check=True, capture_output=True
    )


def _contestants(ground: RedisSpace, url: str) -> dict[str, Callable[[], object]]:
    variables = environment(settings_for(ground, url)) | {
        "CELERY_APP": "tests.fleet.tiny_app",
        "TINY_BROKER": ground.broker_url,
        "TINY_RESULTS": ground.result_url,
        "TINY_LEDGER": ground.progress_url,
    }
    variables.pop(_KEEPS_NO_BYTECODE, None)
    commands = {
        "--help": ["celery_monitor.py", "--help"],
        "stats": ["celery_monitor.py", "stats"],
        _PING: ["-m", "celery", "-A", "tests.fleet.tiny_app", "inspect", "ping"],
        "python -c pass": ["-c", "pass"],
        "import celery": ["-c", "import celery.app.base"],
    }
    return {name: partial(_run, command, variables) for name, command in commands.items()}


def _shell(scale: Scale) -> Outcome:
    with (
        space() as ground,
        sqlite() as url,
        tiny_app(ground.broker_url, ground.result_url) as app,
    ):
        fleet = Fleet(app)
        with crew(ground, 1, fleet):
            rounds, warm = scale.choose(15, 1), scale.choose(1, 0)
            found = interleaved(_contestants(ground, url), rounds=rounds, warm=warm)
        fleet.close()
    ratio = found[_PING].median / found["stats"].median
    return Outcome(
        figures=tuple(milliseconds(name, timing.median) for name, timing in found.items()),
        goals=(
            at_most("--help", found["--help"].median * 1000, 120, smoke=500, unit="ms"),
            at_least(f"stats: faster than {_PING}", ratio, 3, smoke=0.3),
        ),
    )


SHELL = Row(number=13, title="The shell: --help and stats", run=_shell)
