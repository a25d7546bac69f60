"""Guards that are taken out one at a time, and the test that fails then: each is a line of the product."""

import inspect
import textwrap
from dataclasses import dataclass
from importlib import import_module
from types import CodeType

from tests.trust.mutants import function_in


@dataclass(frozen=True, kw_only=True)
class Guard:
    """One line that guards a promise. `without` is what stands in its place when it is taken out."""

    name: str
    module: str
    function: str
    line: str
    """A part of the source that occurs once in the function."""
    without: str
    test: str

    def take_out(self) -> None:
        """Take it out of this process. Raises `ValueError` where the line is not, or not once."""
        function = function_in(import_module(self.module), self.function)
        source = textwrap.dedent(inspect.getsource(function))
        if source.count(self.line) != 1:
            raise ValueError(
                f"{self.function} has this {source.count(self.line)} times: {self.line}"
            )
        changed = compile(source.replace(self.line, self.without), self.module, "exec")
        function.__code__ = _code_of(changed, function.__name__)


def _code_of(module: CodeType, name: str) -> CodeType:
    codes = [one for one in module.co_consts if isinstance(one, CodeType)]
    return next(one for one in codes if one.co_name == name)


GUARDS = (
    Guard(
        name="The conditional UPDATE: only a pending confirmation can be taken",
        module="knowledge_base_agent.confirmations",
        function="_settle",
        line=".where(CONFIRMATIONS.c.state == State.PENDING.value)",
        without="",
        test="tests/road/test_second_person.py::"
        "test_two_admins_who_approve_at_the_same_moment_start_one_run",
    ),
    Guard(
        name="The clicker's check: whoever confirms is authorised afresh",
        module="knowledge_base_agent.confirming",
        function="Confirming._allowed",
        line="authorise(actor, risk, self.deployment.settings)",
        without="pass",
        test="tests/road/test_runner.py::"
        "test_a_viewer_can_neither_preview_nor_confirm_and_both_are_recorded",
    ),
    Guard(
        name="The fingerprint: what is not what was shown is not run",
        module="knowledge_base_agent.looking_again",
        function="look_again",
        line="preview.scope.fingerprint == found.fingerprint",
        without="True",
        test="tests/road/test_looking_again.py::"
        "test_as_many_as_before_but_others_are_not_what_was_seen",
    ),
    Guard(
        name="The record before the effect of what was confirmed",
        module="knowledge_base_agent.confirming",
        function="Confirming._claimed",
        line="write(connection, agreed, entry_of(actor, Kind.STARTED, taken.operation, **more))",
        without="pass",
        test="tests/road/test_runner.py::test_a_preview_changes_nothing_and_a_confirmation_runs_it",
    ),
    Guard(
        name="The record before the effect of what needs no confirmation",
        module="knowledge_base_agent.runner",
        function="Runner._started",
        line="write(connection, entry_about(request, Kind.REQUESTED), started)",
        without="pass",
        test="tests/road/test_runner.py::test_a_change_is_recorded_before_its_effect",
    ),
    Guard(
        name="The second person: who asked can't approve",
        module="knowledge_base_agent.confirming",
        function="Confirming._agreed",
        line="why=found.why_two,",
        without='why="",',
        test="tests/road/test_confirming.py::"
        "test_who_is_no_second_person_is_refused_and_recorded_and_nothing_runs",
    ),
    Guard(
        name="Slack's signature",
        module="bot.signatures",
        function="Signatures.accept",
        line="if not hmac.compare_digest(",
        without="if False and not hmac.compare_digest(",
        test="tests/bot/test_http_mode.py::"
        "test_what_slack_did_not_sign_is_refused_and_breaks_nothing",
    ),
    Guard(
        name="The memory of signatures: a request counts once",
        module="bot.signatures",
        function="Signatures._first_use",
        line="if mark in self._used or any(_holds(marks, mark) for _, marks in self._used_before):",
        without="if False:",
        test="tests/bot/test_http_mode.py::"
        "test_a_request_that_comes_again_word_for_word_is_refused",
    ),
    Guard(
        name="Redaction of what is recorded",
        module="knowledge_base_agent.redaction",
        function="plain",
        line="visible if harmless(visible) else searched(visible)",
        without="visible",
        test="tests/road/test_runner.py::test_words_with_a_secret_are_redacted_in_the_audit",
    ),
)
