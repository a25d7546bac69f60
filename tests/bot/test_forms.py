"""A filled-in form stands for words, and is understood as if they had been typed."""

from typing import Any

import pytest

from bot.blocks.form import has_form, label_of, understood_form, written
from knowledge_base_agent.operations import OPERATIONS, operation_named
from knowledge_base_agent.operations.describing import parameters
from knowledge_base_agent.operations.operation import Risk
from knowledge_base_agent.understand import Understood
from tests.bot.sample_operations import TIDY


def filled(**fields: object) -> dict[str, dict[str, Any]]:
    """What Slack says of fields: text as it is, chosen options as lists."""
    return {
        name: {
            "value": {"selected_options": [{"value": one} for one in said]}
            if isinstance(said, list)
            else {"value": said}
        }
        for name, said in fields.items()
    }


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("clear", filled(older_than="3h"), "clear --older-than 3h"),
        (
            "tidy",
            filled(older_than=" 7d ", status=["FAILURE", "SUCCESS"], flags=["dry_run"]),
            "tidy --older-than 7d --status FAILURE --status SUCCESS --dry-run",
        ),
        ("clear", filled(older_than=None), "clear"),
        ("revoke", filled(task_ids="a-1\u00a0b-2", flags=["kill"]), "revoke --kill a-1 b-2"),
        ("revoke", filled(task_ids="-1"), "revoke -- -1"),
        ("run", filled(source="my docs"), "run 'my docs'"),
    ],
)
def test_fields_become_the_words_that_would_have_been_typed(
    name: str, fields: dict[str, Any], words: str
) -> None:
    operation = TIDY if name == "tidy" else operation_named(name)
    understood = understood_form(operation, fields)
    assert isinstance(understood, Understood)
    assert understood.words == words


@pytest.mark.parametrize(
    ("name", "fields", "field", "why"),
    [
        ("clear", filled(older_than="soon"), "older_than", "“soon” is not allowed: a time is"),
        ("revoke", filled(task_ids="a *"), "task_ids", "no patterns"),
        ("revoke", filled(task_ids=""), "task_ids", "--all-active"),
        ("run", filled(source=""), "source", "needs a value"),
    ],
)
def test_what_is_wrong_is_said_under_its_field(
    name: str, fields: dict[str, Any], field: str, why: str
) -> None:
    wrong = understood_form(operation_named(name), fields)
    assert isinstance(wrong, dict)
    assert list(wrong) == [field]
    assert why in wrong[field]


def test_what_destroys_and_what_means_nothing_without_words_has_a_form() -> None:
    looks = {one.name for one in OPERATIONS if one.risk is Risk.READ and has_form(one)}
    assert looks == {"task", "logs", "search"}
    for operation in OPERATIONS:
        if operation.risk is Risk.DESTROY and parameters(operation):
            assert label_of(operation).endswith("…")
    older_than = next(
        one for one in parameters(operation_named("clear")) if one.name == "older_than"
    )
    assert written(older_than) == "24h"
