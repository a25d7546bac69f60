"""With any one guard taken out, the test that is named for it fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.trust.guards import GUARDS, Guard

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.function)
def test_without_its_guard_the_named_test_fails(guard: Guard) -> None:
    number = str(GUARDS.index(guard))
    ended = subprocess.run(
        [sys.executable, "-m", "tests.trust.guards", number],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    assert f"FAILED {guard.test}" in ended.stdout


def test_a_guard_that_is_not_there_any_more_is_not_passed_over() -> None:
    gone = Guard(
        name="gone",
        module="knowledge_base_agent.confirmations",
        function="_settle",
        line="what was written otherwise since",
        without="",
        test="",
    )
    with pytest.raises(ValueError, match="0 times"):
        gone.take_out()
