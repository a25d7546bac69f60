"""The list of operations names each as it names itself, since it is read without loading any."""

import pytest

from knowledge_base_agent.operations import LISTED, OPERATIONS, Listed, operation_named
from knowledge_base_agent.problems import NotFound


@pytest.mark.parametrize("listed", LISTED, ids=lambda listed: listed.names[0])
def test_the_list_has_an_operations_own_names(listed: Listed) -> None:
    operation = listed.load()
    assert listed.names == (operation.name, *operation.aliases)


def test_no_name_leads_to_two_operations() -> None:
    names = [name for listed in LISTED for name in listed.names]
    assert sorted(names) == sorted(set(names))


def test_an_operation_is_found_by_each_of_its_names_among_all_and_among_some() -> None:
    for operation in OPERATIONS:
        for name in (operation.name, *operation.aliases):
            assert operation_named(name) is operation
            assert operation_named(name, (operation,)) is operation
    with pytest.raises(NotFound):
        operation_named("stats", ())
