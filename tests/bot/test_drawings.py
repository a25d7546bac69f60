"""Drawing: the very same report once for all who get it, and nobody gets what was drawn for another moment."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot import drawings as module
from bot.blocks.help import for_person
from bot.drawings import Drawings
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations import operation_named
from knowledge_base_agent.policy import Role
from tests.bot import samples


async def test_the_same_report_is_drawn_once_for_all_who_get_it_at_the_same_time() -> None:
    drawings, report = Drawings(), replace(samples.stats(), taken_at=utc_now())
    found = await asyncio.gather(*(drawings.report(report) for _ in range(50)))
    assert len(set(map(id, found))) == 1
    another = replace(report, title="Another")
    assert (await drawings.report(another)).blocks != found[0].blocks


async def test_what_has_become_old_meanwhile_says_how_old_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawings, report = Drawings(), replace(samples.stats(), taken_at=utc_now())
    assert "Read 3" not in str((await drawings.report(report)).blocks)
    monkeypatch.setattr(module, "utc_now", lambda: utc_now() + timedelta(minutes=3))
    assert "Read 3 min ago" in str((await drawings.report(report)).blocks)


def test_help_is_the_same_for_all_of_a_role() -> None:
    help_ = operation_named("help")
    assert help_ is not None
    assert help_.answer is not None
    report = help_.answer(None, help_.arguments(), lambda *_: None)  # type: ignore[arg-type]
    again = help_.answer(None, help_.arguments(), lambda *_: None)  # type: ignore[arg-type]
    assert for_person(report, Role.VIEWER) is for_person(again, Role.VIEWER)
    assert for_person(report, Role.ADMIN) is not for_person(report, Role.VIEWER)
