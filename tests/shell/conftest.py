"""A shell beside a running deployment."""

import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.operations.place import Place, place
from tests.records.deployment import ROOT, environment
from tests.servers import RedisSpaces

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A deployment with a worker of two slots and a recorder."""
    with redis_spaces.one() as space, place(space, tmp_path_factory.mktemp("place")) as found:
        yield found


@pytest.fixture(scope="module")
def shell(here: Place) -> Shell:
    """Runs `python celery_monitor.py …` as a person would, with what they type as its input."""
    variables = environment(here.site.settings) | {"CELERY_APP": "tests.records.history_app"}

    def run(words: str, typed: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "celery_monitor.py", *shlex.split(words)],
            input=typed or "",
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=variables | more,
            timeout=60,
            check=False,
        )

    return run
