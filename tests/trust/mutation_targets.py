"""What guards the promises, and the tests that must notice when it is got wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Target:
    """One guard: its modules, its quick tests, and functions of those modules that guard nothing."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    left_out: tuple[str, ...] = ()


TARGETS = (
    Target(
        name="authorisation",
        modules=("knowledge_base_agent.policy",),
        tests=(
            "tests/road/test_policy.py",
            "tests/road/test_disclosure.py",
            "tests/road/test_runner.py",
        ),
    ),
    Target(
        name="claim",
        modules=("knowledge_base_agent.confirmations", "knowledge_base_agent.confirming"),
        tests=("tests/road/test_runner.py", "tests/road/test_looking_again.py"),
    ),
    Target(
        name="fingerprint",
        modules=("knowledge_base_agent.scope", "knowledge_base_agent.looking_again"),
        tests=("tests/road/test_scope.py", "tests/road/test_looking_again.py"),
    ),
    Target(
        name="audit",
        modules=(
            "knowledge_base_agent.audit",
            "knowledge_base_agent.records.audit_chain",
            "knowledge_base_agent.records.audit_verifying",
        ),
        tests=(
            "tests/records/test_audit_chain.py",
            "tests/records/test_audit_verify.py",
            "tests/road/test_runner.py",
        ),
    ),
)

EQUIVALENT: dict[str, str] = {}
"""Mutants that change nothing that anybody could notice, each with its reason."""
