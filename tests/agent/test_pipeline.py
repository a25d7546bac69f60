"""The agent at work: a real worker, real documents, both databases."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge_base_agent.agent.build import Counts
from knowledge_base_agent.agent.starting import start
from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.problems import Away, Refused
from knowledge_base_agent.records.migrate import migrate
from tests.agent.deployment import Running, running
from tests.agent.material import handbook
from tests.agent.site import Site, serving_site
from tests.servers import RedisSpaces, free_port, postgres_database
from tests.waiting import wait_until


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def deployed_on(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A migrated database for this file."""
    if request.param == "postgresql":
        with postgres_database() as url:
            migrate(url)
            yield url
        return
    url = f"sqlite:///{tmp_path_factory.mktemp('records') / 'kb.sqlite3'}"
    migrate(url)
    yield url


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A web site."""
    with serving_site() as served:
        yield served


@pytest.fixture(scope="module")
def deployment(
    deployed_on: str,
    site: Site,
    redis_spaces: RedisSpaces,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """A worker for this file; the site closes after it."""
    folder = tmp_path_factory.mktemp("agent")
    with redis_spaces.one() as space, running(deployed_on, space, folder) as deployed:
        yield deployed


def counts(planned: int, *, read: int, failed: int) -> Counts:
    return Counts(planned=planned, done=read, failed=failed, phase="README")


def test_a_folder_becomes_a_knowledge_base_and_one_broken_file_costs_nothing_but_itself(
    deployment: Running, tmp_path: Path
) -> None:
    folder = handbook(tmp_path / "book")
    assert deployment.build(folder) == counts(5, read=4, failed=1)
    assert "[Installing](documents/install-" in deployment.readme()
    assert "## Could not be read (1)\n\n- book/broken.pdf: Pdf" in deployment.readme()
    assert "## book/guide (2)" in deployment.readme()
    pages = [name for name in deployment.files() if name.startswith("documents/")]
    assert len(pages) == 4
    assert deployment.found("boiler manual") == ["The boiler manual"]
    assert deployment.found("strasse OL") == ["Ventil: Öl prüfen, die Straße hinunter."]


def test_the_same_documents_again_change_no_byte_and_what_has_changed_or_gone_does(
    deployment: Running, tmp_path: Path
) -> None:
    folder = handbook(tmp_path / "twice", turned="lever")
    deployment.build(folder)
    before = deployment.files()
    assert deployment.build(folder) == counts(5, read=4, failed=1)
    assert deployment.files() == before, "the same documents again must change nothing"

    (folder / "guide" / "install.md").write_text("# Installing\n\nTurn the *tap* slowly.\n")
    (folder / "manual.pdf").unlink()
    assert deployment.build(folder) == counts(4, read=3, failed=1)
    after = deployment.files()
    changed = {name for name in before if after.get(name) != before[name]}
    assert {name.rpartition("-")[0] for name in changed} == {
        "documents/install",
        "documents/manual",
        "",
    }
    assert deployment.found("lever") == []
    assert deployment.found("tap") == ["Installing"]

    shutil.rmtree(folder / "guide")
    (folder / "broken.pdf").unlink()
    assert deployment.build(folder) == counts(1, read=1, failed=0)
    assert "twice/broken" not in deployment.readme()


def test_a_knowledge_base_that_was_deleted_is_built_anew_by_the_workers_that_are_there(
    deployment: Running, tmp_path: Path
) -> None:
    folder = handbook(tmp_path / "anew", turned="crank")
    deployment.build(folder)
    # In one step: the run's own task may still look into the folder, and a removal file by file would race with it.
    deployment.settings.knowledge_base_dir.rename(tmp_path / "deleted")
    assert deployment.build(folder) == counts(5, read=4, failed=1)
    assert len([name for name in deployment.files() if name.startswith("documents/")]) == 4
    assert deployment.found("crank") == ["Installing"]


def test_a_site_is_asked_whether_a_page_has_changed_and_again_when_it_was_busy(
    deployment: Running, site: Site, tmp_path: Path
) -> None:
    site.asked.clear()
    paths = ("/article", "/flaky", "/none", "/picture", "/round", "/inside")
    addresses = tmp_path / "sites.urls"
    addresses.write_text("".join(f"{site.root}{path}\n" for path in paths))
    assert deployment.build(addresses) == counts(6, read=2, failed=4)
    readme = deployment.readme()
    assert "/none: Unreadable: Its site answered 404" in readme
    assert "/picture: Unreadable: It is image/png" in readme
    assert "/round: Unreadable: It redirects more than 5 times" in readme
    assert "/inside: Unreadable: It is, or leads to, an address that is not http or https" in readme

    before = deployment.files()
    deployment.build(f"{site.root}/article")
    assert ("/article", site.etag) in site.asked
    assert deployment.files() == before
    site.article = site.article.replace("sings", "hums softly")
    deployment.build(f"{site.root}/article")
    assert deployment.found("boiler hums") == ["Boilers"]


def test_what_never_ends_holds_up_nothing_else_and_is_told_when_it_was_revoked_or_killed(
    deployment: Running, site: Site, tmp_path: Path
) -> None:
    site.asked.clear()
    addresses = tmp_path / "slow.urls"
    drips = [f"{site.root}/drip/{name}" for name in ("revoked", "killed")]
    addresses.write_text("\n".join([*drips, f"{site.root}/article"]))
    started = deployment.start(addresses)
    wait_until(lambda: len(site.asked) == 3, within=30, what="all three are being read")
    wait_until(
        lambda: "## Still to come (2)" in deployment.readme(), within=30, what="the README says so"
    )
    assert "/drip/killed" in deployment.readme()
    state = deployment.state()
    assert (state.status, state.task_id) == ("running", started.task_id)
    wait_until(lambda: deployment.progress(started.task_id) == (1, 3), what="one of three")
    with pytest.raises(Refused, match="being read already"):
        deployment.start(addresses)

    revoked, killed = (deployment.task_of(started, drip) for drip in drips)
    deployment.app.control.revoke(revoked, terminate=True)
    os.kill(deployment.app.AsyncResult(killed).info["pid"], signal.SIGKILL)
    said = deployment.app.AsyncResult(started.task_id).get(timeout=60)
    assert said == {"planned": 3, "read": 1, "failed": 2}
    wait_until(lambda: deployment.progress(started.task_id) == (3, 3), what="three of three")
    wait_until(lambda: "3 of 3 documents have ended" in deployment.logs(started.task_id))
    assert "/drip/revoked: its task was revoked" in deployment.readme()
    assert "/drip/killed: WorkerLostError" in deployment.readme()
    assert "Still to come" not in deployment.readme()
    wait_until(lambda: deployment.state().status == "idle", what="the agent is idle again")


def test_a_run_that_the_broker_did_not_take_can_be_asked_for_again(
    deployment: Running, tmp_path: Path
) -> None:
    folder = handbook(tmp_path / "again")
    broken = f"redis://127.0.0.1:{free_port()}/0"
    settings = deployment.settings.model_copy(update={"broker_url": broken})
    with make_app(settings) as app, pytest.raises(Away, match="broker"):
        start(app, settings, str(folder))
    assert deployment.build(folder).planned == 5
