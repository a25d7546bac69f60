"""`celery_monitor.py`: the guide's names and flags, truthful exit codes, and nothing destroyed without a yes."""

import json

import pytest
from sqlalchemy import select

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT, CONFIRMATIONS
from tests.operations.place import Place
from tests.shell.conftest import Shell
from tests.waiting import wait_until


@pytest.mark.parametrize("words", ["stats", "active-tasks", "stuck-tasks", "stats --json"])
def test_a_question_is_answered_with_exit_code_0(shell: Shell, words: str) -> None:
    done = shell(words)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 worker answered" in done.stdout


def test_json_is_one_value_a_script_can_read(shell: Shell) -> None:
    answer = json.loads(shell("active-tasks --json").stdout)
    assert answer["succeeded"] is True
    assert answer["title"] == "Active tasks"


def test_help_names_every_operation_by_the_guides_name_and_explains_one(shell: Shell) -> None:
    overview = shell("--help")
    assert overview.returncode == 0
    for name in ("stats", "active-tasks", "stuck-tasks", "clear-old-tasks", "revoke-tasks"):
        assert name in overview.stdout
    one = shell("clear-old-tasks --help")
    assert "--older-than 24" in one.stdout
    assert one.returncode == 0


def test_words_that_are_not_understood_end_with_2_and_what_was_meant(shell: Shell) -> None:
    done = shell("stuck-taks")
    assert done.returncode == 2
    assert "Did you mean" in done.stderr
    assert "stuck-tasks" in done.stderr
    assert shell("clear-old-tasks --older-than soon").returncode == 2


@pytest.mark.parametrize("typed", ["n\n", "", "\n", "what?\n"])
def test_without_a_yes_nothing_is_cleared(here: Place, shell: Shell, typed: str) -> None:
    failed = here.send("fail", "x")
    here.site.row_in(failed, "FAILURE")
    done = shell("clear-old-tasks --older-than 0 --status FAILURE --reason test", typed)
    assert done.returncode == 1
    assert "Nothing was done" in done.stdout
    assert here.site.row(failed) is not None


def test_a_yes_clears_and_a_dry_run_only_shows(here: Place, shell: Shell) -> None:
    failed = here.send("fail", "x")
    here.site.row_in(failed, "FAILURE")
    dry = shell("clear-old-tasks --older-than 0 --status FAILURE --dry-run")
    assert dry.returncode == 0
    assert "Would clear" in dry.stdout
    assert here.site.row(failed) is not None
    done = shell("clear-old-tasks --older-than 0 --status FAILURE --reason test", "y\n")
    assert done.returncode == 0, done.stderr
    assert here.site.row(failed) is None


def test_the_help_names_the_words_that_are_everywhere(shell: Shell) -> None:
    """What a stranger would not guess: how to see it first, to mean it twice, and to confirm it from cron."""
    purge = shell("purge-queues --help").stdout
    assert [flag in purge for flag in ("--dry-run", "--repeat", "--yes", "--json")] == [True] * 4
    clear = shell("clear-old-tasks --help").stdout
    assert clear.count("\n  [--dry-run]") == 1, "it has one of its own"
    assert "--repeat" in shell("pause --help").stdout
    assert "--dry-run" not in shell("pause --help").stdout
    stats = shell("stats --help").stdout
    assert [flag in stats for flag in ("--repeat", "--dry-run", "--yes")] == [False] * 3
    typo = shell("purge-queues --dry-rum")
    assert typo.returncode == 2
    assert "Did you mean `--dry-run`?" in typo.stderr


def previews_kept(here: Place) -> int:
    with reading(here.deployment.engine) as connection:
        return len(connection.execute(select(CONFIRMATIONS.c.id)).all())


def test_whatever_destroys_can_be_looked_at_alone(here: Place, shell: Shell) -> None:
    """The whole deployment, at the top risk, with `--yes` behind it: the preview is all that happens."""
    here.site.app.send_task("history.add", (1, 2), queue="nobody")
    before = previews_kept(here)
    dry = shell("purge-queues --queue nobody --dry-run --yes")
    assert dry.returncode == 0, dry.stderr
    assert "1 message" in dry.stdout
    assert "Nothing was done" in dry.stdout
    assert "Really" not in dry.stderr
    assert here.deployment.fleet.queues.depths(Deadline.after(5)).named("nobody").ready == 1  # type: ignore[union-attr]
    assert previews_kept(here) == before, "there is nothing that anybody could confirm"
    assert shell("stats --dry-run").returncode == 2


def test_the_top_risk_wants_a_reason_which_the_audit_keeps(here: Place, shell: Shell) -> None:
    failed = here.send("fail", "x")
    here.site.row_in(failed, "FAILURE")
    refused = shell("clear-old-tasks --older-than 0 --status FAILURE --yes")
    assert refused.returncode == 1
    assert "of the top risk: it clears rows of any age. Say why, with --reason" in refused.stderr
    assert here.site.row(failed) is not None
    line = "clear-old-tasks --older-than 0 --status FAILURE --yes --reason"
    done = shell(f"{line} 'poisoned by deploy 42'")
    assert done.returncode == 0, done.stderr
    query = select(AUDIT.c.detail).where(AUDIT.c.kind == "confirmed").order_by(AUDIT.c.id.desc())
    with reading(here.deployment.engine) as connection:
        detail = str(connection.execute(query).scalars().first())
    assert "Of the top risk: it clears rows of any age. Reason: poisoned by deploy 42." in detail


def test_all_active_tasks_are_terminated_from_cron_and_it_is_audited(
    here: Place, shell: Shell
) -> None:
    running = here.send("sleep", 300)
    here.site.row_in(running, "STARTED")
    done = shell("revoke-tasks --all-active --terminate --yes --json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"]["fates"] == {running: "stopped"}
    with reading(here.deployment.engine) as connection:
        entries = connection.execute(AUDIT.select().where(AUDIT.c.operation == "revoke")).all()
    assert [entry.kind for entry in entries] == ["previewed", "confirmed", "started", "ended"]
    assert {entry.surface for entry in entries} == {"shell"}


def test_an_unknown_id_fails_and_a_reader_that_leaves_is_no_error(
    here: Place, shell: Shell
) -> None:
    done = shell("revoke-tasks --task-id no-such-id --yes")
    assert done.returncode == 1
    assert "found nowhere" in done.stderr


def test_with_the_broker_away_the_exit_code_is_1_and_the_cure_is_said(shell: Shell) -> None:
    done = shell("active-tasks", CELERY_BROKER_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert "broker does not answer" in done.stderr
    as_json = shell("active-tasks --json", CELERY_BROKER_URL="redis://127.0.0.1:1/0")
    assert json.loads(as_json.stdout)["succeeded"] is False


def test_a_wrong_setting_is_named(shell: Shell) -> None:
    done = shell("stats", CELERY_TASK_TIME_LIMIT="two hours")
    assert done.returncode == 1
    assert "CELERY_TASK_TIME_LIMIT" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_app_that_is_not_there_is_named(shell: Shell) -> None:
    done = shell("active-tasks", CELERY_APP="no.such.module")
    assert done.returncode == 1
    assert "no.such.module" in done.stderr


def test_questions_are_in_the_audit_too(here: Place, shell: Shell) -> None:
    shell("stats")

    def kinds() -> list[str]:
        with reading(here.deployment.engine) as connection:
            rows = connection.execute(AUDIT.select().where(AUDIT.c.operation == "stats")).all()
        return [row.kind for row in rows][-2:]

    wait_until(lambda: kinds() == ["requested", "answered"], what="both are recorded")
