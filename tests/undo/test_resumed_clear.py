"""A killed clear is gone on with: what the tasks of rows that it had hidden left goes aside too, and comes back."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.task_history import counts
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.runner import Runner
from tests.closing import close_app
from tests.fleet.running import Site
from tests.operations.crew import Crew
from tests.operations.place import notes
from tests.records.deployment import settings_for
from tests.servers import RedisSpace
from tests.undo.seen import database
from tests.undo.test_cleared_rows import BY_AGE, aside, everything, fill
from tests.undo.test_killed_on_the_way import MOST, dying, newest, undo

STRIDE = 9


@pytest.fixture
def there(redis_space: RedisSpace, database_url: str, tmp_path: Path) -> Iterator[Crew]:
    """Somebody at the shell of a deployment on either database, where no worker runs."""
    site = Site.on(redis_space, tmp_path)
    deployment = open_deployment(settings_for(redis_space, database_url), site.app())
    yield Crew(deployment=deployment, site=site)
    deployment.close()
    close_app(deployment.app)


def left(space: RedisSpace) -> list[bytes]:
    """Return the keys that tasks left, but for those that are aside."""
    urls = (space.result_url, space.progress_url, space.logs_url)
    return [key for url in urls for key in database(url) if not key.startswith(b"kb:undo:")]


def seen(shell: Crew) -> dict[str, int]:
    with reading(shell.deployment.engine) as connection:
        return {state: number for state, number in counts(connection).items() if number}


def resumed(shell: Crew, run: str) -> tuple[str, str]:
    """Go on with a run if something of it is left; return what was shown, and what was said in the end."""
    Runner(shell.deployment).declare_interrupted()
    found = shell._ask(f"ops resume {run} --reason test")
    if not isinstance(found, Pending):
        return found.text, ""
    report = shell.confirms(found)
    assert report.succeeded
    return f"{found.report.text} {notes(found.report)}", f"{report.text} {notes(report)}"


@pytest.mark.timeout(300)
def test_a_clear_that_dies_anywhere_is_gone_on_with_to_its_end(
    there: Crew, redis_space: RedisSpace
) -> None:
    fill(there, redis_space)
    before = everything(there, redis_space)
    for moment in range(random.SystemRandom().randrange(1, STRIDE + 1), MOST, STRIDE):
        if not dying(there, lambda: there.previews(f"{BY_AGE} --repeat"), moment):
            break
        cleared = newest(there)
        hidden, stays = aside(there), left(redis_space)
        shown, said = resumed(there, cleared)
        assert (seen(there), left(redis_space)) == ({"STARTED": 1}, []), f"killed at {moment}"
        if hidden and stays:
            assert f"{hidden:,} rows had been cleared before it broke off" in shown
            assert f"`undo {cleared}` brings those rows back" in said
        for run in (newest(there), cleared):
            undo(there, run)
        assert everything(there, redis_space) == before, f"killed at moment {moment}"
    else:
        pytest.fail("it died at the last moment, too")
    undo(there, newest(there))


def test_a_round_that_dies_within_its_clear_is_gone_on_with_too(
    there: Crew, redis_space: RedisSpace
) -> None:
    fill(there, redis_space)
    before, words = everything(there, redis_space), "maintenance monthly --reason test"
    moment = 1
    while not (aside(there) and left(redis_space)):
        assert dying(there, lambda: there.previews(f"{words} --repeat"), moment)
        moment += 1
    hidden, first = aside(there), newest(there)
    shown, said = resumed(there, first)

    assert f"{hidden:,} rows had been cleared before it broke off" in shown
    assert f"`undo {first}` brings those rows back" in said
    assert (seen(there), left(redis_space)) == ({"STARTED": 1}, [])
    for run in (newest(there), first):
        undo(there, run)
    assert everything(there, redis_space) == before


def test_what_a_resumed_clear_that_is_killed_too_has_hidden_is_not_forgotten(
    there: Crew, redis_space: RedisSpace
) -> None:
    fill(there, redis_space)
    before = everything(there, redis_space)
    moment = 1
    while not (aside(there) and left(redis_space)):
        assert dying(there, lambda: there.previews(f"{BY_AGE} --repeat"), moment)
        moment += 1
    first, again = newest(there), f"ops resume {newest(there)} --reason test"
    Runner(there.deployment).declare_interrupted()
    # At the first moment of its own: what is left then is the same.
    assert dying(there, lambda: there.previews(again), 3)
    second = newest(there)
    assert second != first
    shown, _ = resumed(there, second)

    assert "had been cleared before it broke off" in shown
    assert (seen(there), left(redis_space)) == ({"STARTED": 1}, [])
    for run in (newest(there), second, first):
        undo(there, run)
    assert everything(there, redis_space) == before


@pytest.mark.timeout(180)
def test_what_a_killed_clear_left_goes_with_a_complete_reset(
    there: Crew, redis_space: RedisSpace
) -> None:
    fill(there, redis_space)
    before, moment = everything(there, redis_space), 1
    while not (aside(there) and left(redis_space)):
        assert dying(there, lambda: there.previews(f"{BY_AGE} --repeat"), moment)
        moment += 1
    cleared = newest(there)
    report = there.confirms(there.previews("reset --complete --reason test"))
    assert report.succeeded, report
    assert f"`undo {cleared}` brings those rows back" in notes(report) + str(report.parts)
    assert left(redis_space) == []
    for run in (newest(there), cleared):
        undo(there, run)
    assert everything(there, redis_space) == before
