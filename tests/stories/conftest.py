"""The system of the stories: started once a module, since a worker takes seconds."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.people import LocalSlack, slack_server
from tests.servers import RedisSpaces
from tests.stories.system import System, system, tokens_of


@pytest.fixture(scope="module")
def whole(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Workers, recorder, bot and a Slack, for the stories of one module."""
    folder = tmp_path_factory.mktemp("story")
    with (
        redis_spaces.one() as space,
        slack_server() as url,
        system(space, folder, url, tokens_of(url)) as place,
    ):
        yield place


@pytest.fixture
async def slack(whole: System) -> AsyncIterator[LocalSlack]:
    """That Slack, once the bot is connected to it."""
    async with whole.slack() as found:
        yield found
