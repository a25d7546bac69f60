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
        tests=(
            "tests/road/test_runner.py",
            "tests/road/test_looking_again.py",
            "tests/road/test_settling.py",
            "tests/road/test_repeats.py",
        ),
        left_out=("of_run",),
    ),
    Target(
        name="fingerprint",
        modules=("knowledge_base_agent.scope", "knowledge_base_agent.looking_again"),
        tests=(
            "tests/road/test_scope.py",
            "tests/road/test_looking_again.py",
            "tests/road/test_settling.py",
        ),
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
            "tests/records/test_audit_spool.py",
            "tests/road/test_runner.py",
        ),
    ),
)

_THE_LOG = "differs only in how often the log says that entries wait"
_THE_MOMENT = "differs in the one microsecond in which it expires"
EQUIVALENT: dict[str, str] = {
    "knowledge_base_agent.audit.Spool._persist: False for True": _THE_LOG,
    "knowledge_base_agent.audit.Spool._persist: True for False": _THE_LOG,
    "knowledge_base_agent.audit.Spool._persist: False for the condition `not warned`": _THE_LOG,
    "knowledge_base_agent.audit.Spool._persist: True for the condition `not warned`": _THE_LOG,
    "knowledge_base_agent.audit.Spool._persist: without the negation in `not warned`": _THE_LOG,
    "knowledge_base_agent.records.audit_chain.read_head: True for the condition `hold`": (
        "a row that is only read is locked as well: slower, and nothing else"
    ),
    "knowledge_base_agent.confirmations.check_pending: Lt for LtE in `found.expires_at <= utc_now()`": _THE_MOMENT,
    "knowledge_base_agent.confirmations.overdue: Lt for LtE in `CONFIRMATIONS.c.expires_at <= utc_now()`": _THE_MOMENT,
    "knowledge_base_agent.confirmations._settle: GtE for Gt in `CONFIRMATIONS.c.expires_at > now`": _THE_MOMENT,
    "knowledge_base_agent.confirmations._too_late: True for the condition `found.settled_at`": (
        "whatever is settled has its time: the condition is there for the type checker"
    ),
    "knowledge_base_agent.confirmations.keep: 19 for 18": "one more byte that cannot be guessed",
    "knowledge_base_agent.looking_again.look_again: False for the condition "
    "`preview.scope.fingerprint == found.fingerprint and preview.scope.flows == shown.flows`": (
        "a short cut: of what is equal, the difference is empty"
    ),
}
"""Mutants that change nothing that anybody could notice (by name, without the line), each with its reason."""
