"""Role × operation × kind of person: let through or denied as the table says, and each denied one is recorded."""

from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.settings import Settings
from tests.road.product import KINDS, NAMED, ROLES, count


def test_nobody_does_what_they_may_not_and_every_refusal_is_in_the_audit(sqlite_url: str) -> None:
    deployment = open_deployment(Settings.model_validate({"database_url": sqlite_url, **NAMED}))
    try:
        counted = count(deployment)
    finally:
        deployment.close()
    assert counted.wrong == []
    assert counted.asked >= len(OPERATIONS) * len(ROLES) * len(KINDS)
    assert counted.recorded == counted.denied > counted.asked / 2
