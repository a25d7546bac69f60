"""`logs ID --follow` in the shell: new lines as they come, until the task ends or Ctrl-C."""

import getpass
import json
import time
from collections.abc import Sequence

from msgspec.structs import replace
from rich.console import Console

from knowledge_base_agent.actors import shell_actor
from knowledge_base_agent.cli.rendering import show
from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.task_logs import KEPT_LINES
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import load_settings
from knowledge_base_agent.understand import Understood

EVERY_SECONDS = 1.0
Line = dict[str, str | None]


def follow(understood: Understood, out: Console, errors: Console, *, as_text: bool) -> int:
    """Print lines until the task has ended, or until Ctrl-C; return 0. Raises every `Problem` of the first look."""
    deployment = open_deployment(load_settings())
    try:
        request = Request(
            actor=shell_actor(getpass.getuser()),
            operation=understood.operation,
            arguments=understood.arguments,
            words=understood.words,
        )
        _follow(Runner(deployment), request, out, errors, as_text=as_text)
    except KeyboardInterrupt:
        errors.print("No longer followed.")
    finally:
        deployment.close()
    return 0


def _follow(
    runner: Runner, request: Request, out: Console, errors: Console, *, as_text: bool
) -> None:
    report = runner.ask(request)
    if not isinstance(report, Report):
        raise TypeError("logs answered with a preview")
    seen = lines_of(report)
    if as_text:
        show(out, report)
    else:
        _print(seen, out, as_text=False)
    # Whatever came between two looks must be in the second one, so that one asks for all that is kept.
    request = replace(request, arguments=request.arguments.model_copy(update={"lines": KEPT_LINES}))
    away = False
    while not report.data["ended"]:
        time.sleep(EVERY_SECONDS)
        try:
            report = runner.again(request)
        except Away as problem:
            if not away:
                errors.print(f"{problem.what} Trying on.", markup=False)
            away = True
            continue
        away = False
        lines = lines_of(report)
        _print(after(seen, lines), out, as_text=as_text)
        seen = lines
    if as_text:
        out.print(f"The task has ended: {report.data['state']}.", markup=False)


def _print(lines: Sequence[Line], out: Console, *, as_text: bool) -> None:
    for line in lines:
        if as_text:
            at = str(line["at"] or "")[11:19] or "--:--:--"
            out.print(f"{at} {line['level'] or '':<7} {line['text']}".rstrip(), markup=False)
        else:
            print(json.dumps(line, ensure_ascii=False), flush=True)


def lines_of(report: Report) -> list[Line]:
    """Return the lines of an answer of `logs`."""
    found = report.data["lines"]
    return list(found) if isinstance(found, list) else []


def after(seen: Sequence[Line], now: Sequence[Line]) -> list[Line]:
    """Return the lines that are new since `seen`. The store keeps a number of lines, so old ones may be gone."""
    for end in range(len(now), 0, -1):
        known = min(len(seen), end)
        if known and list(now[end - known : end]) == list(seen[-known:]):
            return list(now[end:])
    return list(now)
