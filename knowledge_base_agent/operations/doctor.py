"""`doctor`: is everything set up so that the other operations can be trusted? Each finding comes with its cure."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from knowledge_base_agent.operations.doctor_findings import (
    Finding,
    Verdict,
    bad,
    fine,
    unknown,
)
from knowledge_base_agent.operations.doctor_readings import read_all
from knowledge_base_agent.operations.doctor_secrets import secret_findings
from knowledge_base_agent.operations.doctor_stores import store_findings
from knowledge_base_agent.operations.doctor_workers import worker_findings
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
)
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Column, Report, Row, Table, Tone

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_COLUMNS = (
    Column(key="verdict", label="Verdict"),
    Column(key="check", label="Check"),
    Column(key="found", label="Found"),
    Column(key="cure", label="Cure"),
)
_WORST_FIRST = (Verdict.BAD, Verdict.WARNING, Verdict.UNKNOWN, Verdict.OK)


class DoctorArguments(Arguments):
    """Nothing to say."""


def _answer(deployment: "Deployment", arguments: DoctorArguments, progress: Progress) -> Report:
    read = read_all(deployment)
    findings = [
        *store_findings(deployment, read),
        *worker_findings(read),
        *_slack(deployment),
        *secret_findings(deployment),
    ]
    findings.sort(key=lambda one: _WORST_FIRST.index(one.verdict))
    tally = Counter(one.verdict for one in findings)
    return Report(
        title="Doctor",
        text=_sentence(findings, tally),
        parts=(_table(findings),),
        tone=_tone(tally),
        taken_at=read.taken_at,
        succeeded=not tally[Verdict.BAD],
        data={"verdicts": {one.check: one.verdict.value for one in findings}},
    )


def _slack(deployment: "Deployment") -> Iterator[Finding]:
    check = "Slack's scopes"
    scopes = deployment.slack_scopes() if deployment.slack_scopes else None
    if scopes is None:
        why = "only the bot itself is told them by Slack"
        yield unknown(check, why, "Ask `/kb doctor` in Slack.")
        return
    missing = sorted(scopes.wanted - scopes.granted)
    if missing:
        cure = "Install the app again from app_manifest.yaml, and set the new SLACK_BOT_TOKEN."
        yield bad(check, f"not granted: {', '.join(missing)}", cure)
        return
    yield fine(check, "all that the bot uses are granted")


def _sentence(findings: list[Finding], tally: Counter[Verdict]) -> str:
    counts = ", ".join(f"{tally[one]} {one.value}" for one in _WORST_FIRST if tally[one])
    worst = findings[0]
    first = f" First: {worst.check}: {plain(worst.found, 200).rstrip('.')}." if worst.cure else ""
    return f"{len(findings)} checks: {counts}.{first}"


def _table(findings: list[Finding]) -> Table:
    rows = tuple(
        Row(
            cells=(one.verdict.value, one.check, plain(one.found, 300), one.cure),
            tone=one.verdict.tone,
        )
        for one in findings
    )
    return Table(caption="Checks", columns=_COLUMNS, rows=rows, total=len(rows))


def _tone(tally: Counter[Verdict]) -> Tone:
    if tally[Verdict.BAD]:
        return Tone.BAD
    # What could not be told is not fine: it gets no green mark.
    return Tone.WARNING if tally[Verdict.WARNING] or tally[Verdict.UNKNOWN] else Tone.GOOD


DOCTOR = Operation[DoctorArguments, Target](
    name="doctor",
    summary="Looks at connections, settings and stores, and says what is wrong and how to mend it.",
    risk=Risk.READ,
    arguments=DoctorArguments,
    answer=_answer,
)
