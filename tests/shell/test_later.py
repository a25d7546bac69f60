"""What waits to be executed behaves as if it had been imported, from the first moment that somebody asks for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from knowledge_base_agent.cli.later import LATER
from tests.records.deployment import ROOT

_INSTALL = "import sys; from knowledge_base_agent.cli import later; later.install()\n"


def _said(code: str, *paths: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {[str(one) for one in paths]}\n{code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("name", sorted(LATER))
def test_each_module_holds_in_the_end_what_a_plain_import_gives(name: str) -> None:
    tell = (
        f"import {name} as module; module.__doc__, getattr(module, 'no such', None)\n"
        "print(sorted(set(vars(module)) - {'__builtins__'}), module.__spec__.loader.name)"
    )
    assert _said(_INSTALL + tell) == _said(tell)


def test_yaml_is_read_and_written_by_kombu_though_it_is_executed_then() -> None:
    told = (
        "from kombu import serialization as kombu\n"
        "print('yaml.loader' in sys.modules)\n"
        "kind, coding, text = kombu.dumps({'a': [1]}, serializer='yaml')\n"
        "print(kombu.loads(text, kind, coding, accept=['application/x-yaml']), 'yaml.loader' in sys.modules)"
    )
    assert _said(_INSTALL + told).split("\n") == ["False", "{'a': [1]} True"]


def test_redis_lets_its_asyncio_part_wait_until_it_is_used() -> None:
    told = (
        "import redis\nprint('redis.asyncio.client' in sys.modules)\n"
        "from redis.asyncio import Redis\nprint(Redis is redis.asyncio.Redis, Redis.__module__)"
    )
    assert _said(_INSTALL + told).split("\n") == ["False", "True redis.asyncio.client"]


_SLOW = """
import time
print("executed")
first = 1
time.sleep(0.1)
import slow
try:
    slow.last
except AttributeError:
    print("not there yet")
last = 2
"""


def test_many_threads_that_ask_at_once_all_get_it_and_it_is_executed_once(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(_SLOW, encoding="utf-8")
    told = (
        "import sys, threading; from concurrent.futures import ThreadPoolExecutor\n"
        "from knowledge_base_agent.cli import later; later.install({'slow': ()})\n"
        "import slow; print('imported'); together = threading.Barrier(8)\n"
        "def ask(n):\n    together.wait()\n    return slow.last\n"
        "with ThreadPoolExecutor(8) as pool: print(set(pool.map(ask, range(8))))\n"
        "print(hasattr(slow, 'missing'))"
    )
    said = _said(told, tmp_path).split("\n")
    assert said == ["imported", "executed", "not there yet", "{2}", "False"]


def test_one_that_can_not_be_executed_says_so_to_everyone_who_asks(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import there_is_no_such_module", encoding="utf-8")
    told = (
        "from knowledge_base_agent.cli import later; later.install({'broken': ()})\nimport broken\n"
        "for _ in range(2):\n"
        "    try:\n        broken.value\n"
        "    except ImportError as error:\n        print(error.name)"
    )
    assert _said(told, tmp_path).split("\n") == ["there_is_no_such_module"] * 2


def test_one_that_is_not_installed_is_missing_as_ever() -> None:
    told = (
        "from knowledge_base_agent.cli import later; later.install({'there_is_no_such_module': ()})\n"
        "try:\n    import there_is_no_such_module\nexcept ModuleNotFoundError:\n    print('missing')"
    )
    assert _said(told) == "missing"
