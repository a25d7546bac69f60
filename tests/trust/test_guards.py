"""With any one guard taken out, the test that is named for it fails, which passes with it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trust.guarding import FAILED, PASSED
from tests.trust.guards import GUARDS, Guard

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def outcomes() -> dict[tuple[Guard, bool], str]:
    """What became of each guard's test, with its guard (False) and without (True)."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.trust.guarding"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    sys.stderr.write(ended.stderr)  # shown beside the test that finds something wrong
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    return {(GUARDS[line["number"]], line["without"]): line["outcome"] for line in lines}


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.function)
def test_without_its_guard_the_named_test_fails(
    guard: Guard, outcomes: dict[tuple[Guard, bool], str]
) -> None:
    assert outcomes[guard, False] == PASSED, "the fork it runs in is not what fails it"
    assert outcomes[guard, True] == FAILED


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
