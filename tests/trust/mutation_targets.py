"""What guards the promises, and the tests that must notice when it is got wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Target:
    """One guard: its modules, its quick tests, and functions of those modules that guard nothing.

    Of tests that need PostgreSQL, those alone are run that are named one by one.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    left_out: tuple[str, ...] = ()


_BESIDE = "test_what_must_leave_something_does_not_start_beside_another_that_the_look_did_not_see"
_MEANWHILE = "test_entries_that_come_while_it_looks_are_no_damage"
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
            "tests/road/test_confirming.py",
            "tests/road/test_repeats.py",
            f"tests/road/test_splitting.py::{_BESIDE}[sqlite-other0]",
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
            "knowledge_base_agent.audit_spool",
            "knowledge_base_agent.records.audit_chain",
            "knowledge_base_agent.records.audit_verifying",
        ),
        tests=(
            "tests/records/test_audit_chain.py",
            "tests/records/test_audit_chain.py::test_eight_threads_write_one_chain[postgresql]",
            "tests/records/test_audit_verify.py",
            f"tests/records/test_audit_verify.py::{_MEANWHILE}[postgresql]",
            "tests/records/test_audit_spool.py",
            "tests/road/test_runner.py",
        ),
    ),
)

_THE_LOG = "differs only in how often the log says that entries wait"
_THE_MOMENT = "differs in the one microsecond in which it expires"
EQUIVALENT: dict[str, str] = {
    "knowledge_base_agent.audit_spool.Spool._persisted: False for True": _THE_LOG,
    "knowledge_base_agent.audit_spool.Spool._persisted: True for False": _THE_LOG,
    "knowledge_base_agent.audit_spool.Spool._persisted: False for the condition `not warned`": _THE_LOG,
    "knowledge_base_agent.audit_spool.Spool._persisted: True for the condition `not warned`": _THE_LOG,
    "knowledge_base_agent.audit_spool.Spool._persisted: without the negation in `not warned`": _THE_LOG,
    "knowledge_base_agent.records.audit_chain.read_head: True for the condition `hold`": (
        "a row that is only read is locked as well: slower, and nothing else"
    ),
    "knowledge_base_agent.records.audit_verifying.verify: Gt for GtE in `time.monotonic() >= until`": (
        "differs in the one tick of the clock in which the time is over"
    ),
    "knowledge_base_agent.records.audit_verifying._pages: 2 for 1": "one more row is read, and left alone",
    "knowledge_base_agent.confirmations.check_pending: Lt for LtE in `found.expires_at <= utc_now()`": _THE_MOMENT,
    "knowledge_base_agent.confirmations.overdue: Lt for LtE in `CONFIRMATIONS.c.expires_at <= utc_now()`": _THE_MOMENT,
    "knowledge_base_agent.confirmations._settle: GtE for Gt in `CONFIRMATIONS.c.expires_at > now`": _THE_MOMENT,
    "knowledge_base_agent.confirmations._too_late: True for the condition `found.settled_at`": (
        "whatever is settled has its time: the condition is there for the type checker"
    ),
    "knowledge_base_agent.confirmations.keep: 19 for 18": "one more byte that cannot be guessed",
    "knowledge_base_agent.looking_again.look_again: False for the condition "
    "`preview.scope.fingerprint == found.fingerprint and still`": (
        "a short cut: of what is equal, the difference is empty"
    ),
}
"""Mutants that change nothing that anybody could notice (by name, without the line), each with its reason."""
