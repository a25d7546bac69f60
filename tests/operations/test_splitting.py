"""Every worker or every queue, in parts, by one person in Slack: the last part needs a second one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from knowledge_base_agent.actors import Actor, Audience, Standing, Surface
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations.stated import Stated
from knowledge_base_agent.problems import Repeated
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import CONFIRMATIONS, RUNS
from knowledge_base_agent.requests import Changed, Pending, Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.runs import SILENT_AFTER
from knowledge_base_agent.understand import understand
from tests.operations.crew import Crew, crew
from tests.operations.test_clear import add_rows
from tests.servers import RedisSpaces

MEMBER = Standing(known=True, full_member=True, why_not="", audience=Audience.OURS)
OTTO = Actor(id="UOTTO", name="Otto", surface=Surface.SLACK, standing=MEMBER)


@pytest.fixture(scope="module")
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """Two workers of which none takes from the queues that hold messages."""
    with redis_spaces.one() as space, crew(space, tmp_path_factory.mktemp("split")) as found:
        found.site.start("one@here", "-c", "1", "-Q", "idle")
        found.site.start("two@here", "-c", "1", "-Q", "idle")
        found.site.await_workers(found.deployment.fleet, 2)
        yield found


@pytest.fixture
def slack(here: Crew) -> Runner:
    """The road for an operator in Slack, where more than four things need two people."""
    more = {"operators": ("UOTTO",), "two_person_above": 4}
    settings = here.deployment.settings.model_copy(update=more)
    deployment: Deployment = replace(here.deployment, settings=settings)
    return Runner(deployment)


def previews(runner: Runner, words: str) -> Pending:
    understood = understand(words)
    pending = runner.ask(
        Request(
            actor=OTTO, operation=understood.operation, arguments=understood.arguments,
            words=words, stated=Stated(reason="test"), place="C1",
        )
    )  # fmt: skip
    assert isinstance(pending, Pending)
    return pending


def test_purging_queue_after_queue_is_purging_every_queue(here: Crew, slack: Runner) -> None:
    here.send("add", 1, 1, queue="mail")
    here.send("add", 1, 1, queue="orders")
    mail, orders = (previews(slack, f"purge --queue {name}") for name in ("mail", "orders"))
    assert (mail.terms.why_two, orders.terms.why_two) == ("", "")
    slack.execute(slack.confirm(mail.confirmation_id, OTTO))
    with pytest.raises(
        Changed, match=r"two people by now: .*all that there is of the kind was touched"
    ) as caught:
        slack.confirm(orders.confirmation_id, OTTO)
    assert isinstance(caught.value.now, Pending)
    assert previews(slack, "purge --queue orders").terms.why_two
    here.send("add", 1, 1, queue="quiet")
    assert previews(slack, "purge --queue orders").terms.why_two == "", "something is left"


def test_a_resumed_clear_and_a_round_count_with_what_was_cleared(here: Crew, slack: Runner) -> None:
    engine = here.deployment.engine
    for state in ("FAILURE", "REVOKED", "SUCCESS"):
        add_rows(engine, state, utc_now() - timedelta(hours=200), 3)
    cleared = previews(slack, "clear --status failure")
    claimed = slack.confirm(cleared.confirmation_id, OTTO)
    with writing(engine) as connection:
        connection.execute(update(RUNS).values(beat_at=utc_now() - 2 * SILENT_AFTER))
    slack.declare_interrupted()
    resumed = previews(slack, f"ops resume {claimed.run_id}")
    assert resumed.terms.why_two == "", "what is left of it is not more"
    slack.execute(slack.confirm(resumed.confirmation_id, OTTO))
    with writing(engine) as connection:  # only what was resumed is within the window
        first = CONFIRMATIONS.c.id == cleared.confirmation_id
        long_ago = utc_now() - timedelta(minutes=10)
        connection.execute(update(CONFIRMATIONS).where(first).values(settled_at=long_ago))
    for words in ("clear --status revoked", "maintenance weekly"):
        assert "it touches 6, more than the 4" in previews(slack, words).terms.why_two


def test_the_last_worker_is_not_ended_while_the_look_still_sees_the_one_before_it(
    here: Crew, slack: Runner
) -> None:
    first, second = (
        previews(slack, f"workers shutdown {name}@here --wait 1s") for name in ("one", "two")
    )
    begun = slack.confirm(first.confirmation_id, OTTO)
    with pytest.raises(Repeated, match=r"is doing the same to others right now"):
        slack.confirm(second.confirmation_id, OTTO)
    slack.execute(begun)
    with pytest.raises(Changed, match="two people by now: it ends every worker"):
        slack.confirm(second.confirmation_id, OTTO)
    assert here.seen("two").name == "two@here"
