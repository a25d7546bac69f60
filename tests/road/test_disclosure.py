"""Raw values: a role of its own, recorded before anybody sees them, and for the one who asked alone."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from knowledge_base_agent.actors import Actor, shell_actor
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.operations.operation import Operation, Progress, Risk, Target
from knowledge_base_agent.operations.raw_values import MayShowArguments
from knowledge_base_agent.problems import Away, Refused
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.redaction import HIDDEN, Raw, plain, shown
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.road.conftest import MEMBER, OLGA, OTTO, VERA

Kinds = Callable[..., list[str]]
IDS = tuple(f"task-{number}" for number in range(45))


def _answer(deployment: Deployment, arguments: MayShowArguments, progress: Progress) -> Report:
    return Report(title="peek", text="seen", raw_of=IDS if arguments.arguments else ())


PEEK = Operation[MayShowArguments, Target](
    name="peek", summary="Peeks.", risk=Risk.READ, arguments=MayShowArguments, answer=_answer
)


@pytest.fixture
def road_settings(database_url: str) -> Settings:
    """Olga may see raw values though she is no admin; Otto is an admin, and may not."""
    return Settings(database_url=database_url, admins=("UOTTO",), raw_readers=("UOLGA", "SRAW"))


def peek(runner: Runner, actor: Actor, *, raw: bool = True) -> Report:
    words = "peek --arguments" if raw else "peek"
    arguments = MayShowArguments(arguments=raw)
    outcome = runner.ask(Request(actor=actor, operation=PEEK, arguments=arguments, words=words))
    assert isinstance(outcome, Report)
    return outcome


def test_whose_arguments_were_shown_to_whom_is_recorded_in_full(
    runner: Runner, deployment: Deployment, audit_kinds: Kinds
) -> None:
    report = peek(runner, OLGA)
    assert report.private, "though the operation itself did not say so"
    with reading(deployment.engine) as connection:
        query = select(AUDIT.c.actor_id, AUDIT.c.detail).where(AUDIT.c.kind == "shown")
        rows = connection.execute(query).all()
    assert {row.actor_id for row in rows} == {"UOLGA"}
    said = " ".join(row.detail for row in rows).replace(",", " ").split()
    assert set(IDS) <= set(said)
    assert not peek(runner, OLGA, raw=False).private


def test_in_the_chain_the_question_stands_before_what_was_shown(
    runner: Runner, audit_kinds: Kinds
) -> None:
    """Other questions are written when there is time for it; what was shown is written before it is."""
    peek(runner, OLGA)
    audit_kinds("requested", "shown", "shown", "shown", "answered")


@pytest.mark.parametrize("actor", [OTTO, VERA])
def test_an_admin_and_a_viewer_who_are_not_named_are_refused_and_recorded(
    runner: Runner, actor: Actor, audit_kinds: Kinds
) -> None:
    with pytest.raises(Refused, match="KB_RAW_READERS"):
        peek(runner, actor)
    audit_kinds("refused")


def test_a_named_guest_and_a_named_person_who_could_not_be_looked_up_are_refused(
    runner: Runner,
) -> None:
    for standing in (
        type(MEMBER)(),
        type(MEMBER)(known=True, full_member=False, why_not="a guest"),
    ):
        with pytest.raises(Refused):
            peek(runner, Actor(id="UOLGA", name="Olga", surface=OLGA.surface, standing=standing))


def test_a_member_of_a_named_group_and_the_shell_may(runner: Runner) -> None:
    member = type(MEMBER)(known=True, full_member=True, groups=frozenset({"SRAW"}))
    in_group = Actor(id="UANY", name="Any", surface=OTTO.surface, standing=member)
    assert peek(runner, in_group).raw_of == IDS
    assert peek(runner, shell_actor("root")).raw_of == IDS


def test_what_cannot_be_recorded_is_not_shown(runner: Runner, deployment: Deployment) -> None:
    with writing(deployment.engine) as connection:
        connection.execute(text(f"ALTER TABLE {AUDIT.name} RENAME TO gone"))
    try:
        with pytest.raises((Away, ProgrammingError)):
            peek(runner, OLGA)
    finally:
        with writing(deployment.engine) as connection:
            connection.execute(text(f"ALTER TABLE gone RENAME TO {AUDIT.name}"))


def test_raw_values_cannot_be_followed(runner: Runner) -> None:
    request = Request(
        actor=OLGA, operation=PEEK, arguments=MayShowArguments(arguments=True), words="peek"
    )
    with pytest.raises(TypeError, match="followed"):
        runner.again(request)


def test_only_what_looks_can_show_raw_values() -> None:
    showing = [one for one in OPERATIONS if issubclass(one.arguments, MayShowArguments)]
    assert {one.name for one in showing} == {"active", "scheduled", "reserved", "task"}
    assert all(one.risk is Risk.READ for one in showing)


def test_what_is_made_of_a_raw_text_is_redacted_again() -> None:
    secret = Raw("password=hunter2\x1b[0m")
    assert shown(secret) == "password=hunter2[0m"
    assert plain(secret) == f"password={HIDDEN}"
    assert shown(f"{secret} and more") == f"password={HIDDEN} and more"
    assert shown(secret[:16]) == f"password={HIDDEN}"
