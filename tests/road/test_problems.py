"""A problem that is raised in a task comes back as the same problem."""

import pickle

import pytest

from knowledge_base_agent.problems import Away, Misunderstood, NotFound, Problem, Refused


@pytest.mark.parametrize(
    "problem",
    [
        NotFound("It is gone.", "Look elsewhere."),
        Refused("You may not.", "Ask Ada."),
        Away("The broker does not answer.", "Start it.", source="the broker"),
        Misunderstood("I don't know that.", "Try help.", suggestion="help"),
    ],
)
def test_a_problem_survives_the_way_through_a_result_backend(problem: Problem) -> None:
    again = pickle.loads(pickle.dumps(problem))
    assert str(again) == str(problem) == f"{problem.what} {problem.cure}"
    assert vars(again) == vars(problem)
    rebuilt = type(problem)(*problem.args)
    assert (rebuilt.what, rebuilt.cure) == (problem.what, problem.cure)
