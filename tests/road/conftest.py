"""A road with operations that leave a trace."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from knowledge_base_agent.actors import Actor, Audience, Standing, Surface
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.operations.operation import AnyOperation
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.requests import Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.road.ledger import ALL, LedgerArguments
from tests.waiting import wait_until

MEMBER = Standing(known=True, full_member=True, why_not="", audience=Audience.OURS)
OTTO = Actor(id="UOTTO", name="Otto", surface=Surface.SLACK, standing=MEMBER)
OLGA = Actor(id="UOLGA", name="Olga", surface=Surface.SLACK, standing=MEMBER)
VERA = Actor(id="UVERA", name="Vera", surface=Surface.SLACK, standing=MEMBER)
ADA = Actor(id="UADA", name="Ada", surface=Surface.SLACK, standing=MEMBER)
ANIKA = Actor(id="UANIKA", name="Anika", surface=Surface.SLACK, standing=MEMBER)


@pytest.fixture
def road_settings(database_url: str) -> Settings:
    """Settings with two operators and two admins, a channel that hears of it, and a database of its own."""
    return Settings(
        database_url=database_url,
        operators=("UOTTO", "UOLGA"),
        admins=("UADA", "UANIKA"),
        audit_channel="CAUDIT",
    )


@pytest.fixture
def deployment(road_settings: Settings) -> Iterator[Deployment]:
    """A deployment on that database."""
    opened = open_deployment(road_settings)
    yield opened
    opened.close()


@pytest.fixture
def runner(deployment: Deployment) -> Runner:
    """A runner that knows the ledger's operations."""
    return Runner(deployment, ALL)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The file that tells what really happened."""
    return tmp_path / "ledger"


@pytest.fixture
def grave(tmp_path: Path) -> Path:
    """A ledger whose writing is of the top risk."""
    return tmp_path / "grave"


def asked(operation: AnyOperation, path: Path | str, actor: Actor = OTTO) -> Request:
    """Return a request for one of the ledger's operations."""
    arguments = LedgerArguments(path=str(path))
    words = f"{operation.name} {Path(path).name}"
    return Request(actor=actor, operation=operation, arguments=arguments, words=words, place="C1")


@pytest.fixture
def audit_kinds(deployment: Deployment) -> Callable[..., list[str]]:
    """Waits until the audit holds these kinds, in this order, and returns them."""

    def kinds() -> list[str]:
        with reading(deployment.engine) as connection:
            return list(connection.execute(select(AUDIT.c.kind).order_by(AUDIT.c.id)).scalars())

    def wait_for(*wanted: str) -> list[str]:
        wait_until(lambda: kinds() == list(wanted), what=f"{wanted} in the audit, not {kinds()}")
        return kinds()

    return wait_for
