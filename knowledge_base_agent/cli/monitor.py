"""`celery_monitor.py`: every operation from the shell, with the guide's names and flags."""

import getpass
import json
import os
import shlex
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace
from rich.console import Console

from knowledge_base_agent.actors import shell_actor
from knowledge_base_agent.cli.front import OVERVIEW
from knowledge_base_agent.cli.json_form import as_json
from knowledge_base_agent.cli.rendering import show
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.operations.describing import every_parameter, usage
from knowledge_base_agent.operations.operation import AnyOperation, Risk
from knowledge_base_agent.operations.stated import STATED, Stated, read_reason
from knowledge_base_agent.phone_text import straighten
from knowledge_base_agent.problems import Misunderstood, Problem, ReasonNeeded
from knowledge_base_agent.process_log import configure_logs, lines
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Changed, Claimed, Ended, Pending, Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import load_settings
from knowledge_base_agent.understand import Understood, operation_of, understand_arguments

DONE, FAILED, MISUNDERSTOOD, INTERRUPTED = 0, 1, 2, 130
_LOOKS = 5
"""How often a preview is shown anew because something came; a set that changes faster is not confirmed by anybody."""
_PROMPT = "python celery_monitor.py "
log = lines()


def main(argv: Sequence[str] | None = None) -> int:
    """Do one operation and return the exit code: 0 done, 1 failed or declined, 2 not understood."""
    # Bytes that are no text come as halves of surrogate pairs, which can be neither stored nor printed.
    words = [
        one.encode(errors="replace").decode() for one in (sys.argv[1:] if argv is None else argv)
    ]
    as_text, sure, words = _own_flags(words)
    errors = Console(stderr=True, highlight=False, emoji=False)
    configure_logs("ERROR", later=True)
    try:
        return _do(words, errors, as_text=as_text, sure=sure)
    except Problem as problem:
        return _problem(problem, errors, as_text=as_text)
    except BrokenPipeError:
        # Whoever read our output has closed it (`| head`): that is no defect, and there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        errors.print("Interrupted. What was begun may go on; look before you ask again.")
        return INTERRUPTED
    except Exception:
        # The one handler of the shell: everything that is not a Problem is a defect of ours.
        reference = uuid.uuid4().hex[:8]
        log.exception("unexpected error", reference=reference)
        errors.print(f"Something went wrong in this program itself (reference {reference}, above).")
        return FAILED


def _do(words: list[str], errors: Console, *, as_text: bool, sure: bool) -> int:
    # A pipe has no width: lines there must not break in the middle of an id.
    out = Console(highlight=False, emoji=False, width=None if _on_a_terminal() else 200)
    if not words or words[0] in {"-h", "--help"}:
        out.print(OVERVIEW.read_text(encoding="utf-8").rstrip(), markup=False)
        return DONE
    operation, name, rest = operation_of([straighten(words[0]), *words[1:]], prompt=_PROMPT)
    if any(word in {"-h", "--help"} for word in rest):
        out.print(_explained(operation), markup=False)
        return DONE
    rest = [_straightened(word) for word in rest]
    understood = understand_arguments(operation, rest, prompt=_PROMPT, name=name)
    if understood.operation.name == "logs" and getattr(understood.arguments, "follow", False):
        from knowledge_base_agent.cli.following import follow

        return follow(understood, out, errors, as_text=as_text)
    if understood.operation.name == "audit export":
        from knowledge_base_agent.cli.exporting import export

        return export(understood, errors)
    with _deployment(errors) as deployment:
        # Told before anything is closed: what is away can hold that up, and nobody may wait for what is known.
        try:
            report = _asked(deployment, _request(understood), sure=sure, console=errors)
        except Problem as problem:
            return _problem(problem, errors, as_text=as_text)
        _print(report, out, as_text=as_text)
    return DONE if report.succeeded else FAILED


def _on_a_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()  # None where it was closed


def _straightened(word: str) -> str:
    """Return a flag as it was meant. Other words come through a shell, and a reason is kept as it was written."""
    flag, equals, value = word.partition("=")
    if word[:1] not in {"-", "—", "–"}:
        return word
    stated = straighten(flag).lstrip("-").replace("-", "_") in STATED
    return straighten(flag) + equals + value if stated else straighten(word)


def _own_flags(words: list[str]) -> tuple[bool, bool, list[str]]:
    """Take out the flags that belong to the shell alone, wherever they stand."""
    as_text = "--json" not in words
    sure = any(word in {"--yes", "-y"} for word in words)
    return as_text, sure, [word for word in words if word not in {"--json", "--yes", "-y"}]


def _request(understood: Understood) -> Request:
    return Request(
        actor=shell_actor(getpass.getuser()),
        operation=understood.operation,
        arguments=understood.arguments,
        words=understood.words,
        repeat=understood.repeat,
        only_shown=understood.only_shown,
        stated=understood.stated,
    )


@contextmanager
def _deployment(console: Console) -> Iterator[Deployment]:
    """Lend the deployment of the settings; says at its end what could not be written to the audit."""
    deployment = open_deployment(load_settings())
    try:
        yield deployment
    finally:
        if not deployment.close():
            why = deployment.spool.trouble
            console.print(f"This could not be written to the audit: {why}", markup=False)


def _asked(deployment: Deployment, request: Request, *, sure: bool, console: Console) -> Report:
    runner, actor = Runner(deployment), request.actor
    outcome = _answered(runner, request, sure=sure, console=console)
    looks = 0
    while isinstance(outcome, Pending):
        looks += 1
        show(console, outcome.report)
        if looks > _LOOKS or not (sure or _says_yes(outcome, console)):
            runner.cancel(outcome.confirmation_id, actor)
            return Report(title="Cancelled", text="Nothing was done.", succeeded=False)
        try:
            claimed = runner.confirm(outcome.confirmation_id, actor)
        except Changed as changed:
            # Nobody may run what they have not seen: what it would touch now is shown, and asked about anew.
            outcome = changed.now
        else:
            return _executed(runner, claimed, console).report
    return outcome


def _answered(
    runner: Runner, request: Request, *, sure: bool, console: Console
) -> Report | Pending:
    """Ask, and where a reason is needed and none was written, ask for it: the guide's lines name none."""
    try:
        return runner.ask(request)
    except ReasonNeeded as needed:
        reason = "" if sure else _says_why(needed, console)
        if not reason:
            raise
    words = f"{request.words} --reason={shlex.quote(reason)}"
    return runner.ask(replace(request, words=words, stated=Stated(reason=reason)))


def _executed(runner: Runner, claimed: Claimed, console: Console) -> Ended:
    with console.status(f"{claimed.run_id} is running") as status:

        def progress(done: int, total: int | None, note: str = "") -> None:
            of = f" of {total:,}" if total is not None else ""
            status.update(f"{claimed.run_id}: {done:,}{of} {note}")

        return runner.execute(claimed, progress)


def _says_why(needed: ReasonNeeded, console: Console) -> str:
    """Return the reason that was typed; empty at the end of input, and for a yes or no that answers no question."""
    console.print(f"{needed.what} Why? It is kept in the audit: ", markup=False, end="")
    try:
        answer = read_reason(input())
    except EOFError:
        answer = ""
    except ValueError as error:
        console.print(f"Give {error}.", markup=False)
        return ""
    console.print()
    return "" if answer.lower() in {"y", "yes", "n", "no"} else answer


def _says_yes(pending: Pending, console: Console) -> bool:
    console.print(f"Really {pending.operation.name}? [y/N] ", markup=False, end="")
    try:
        answer = input()
    except EOFError:
        console.print()
        return False
    return answer.strip().lower() in {"y", "yes"}


def _print(report: Report, out: Console, *, as_text: bool) -> None:
    if as_text:
        show(out, report)
    else:
        print(json.dumps(as_json(report), ensure_ascii=False), flush=True)


def _problem(problem: Problem, errors: Console, *, as_text: bool) -> int:
    """Tell it, and return the exit code that it ends with."""
    if not as_text:
        told = {"succeeded": False, "problem": problem.what, "cure": problem.cure}
        print(json.dumps(told), flush=True)
    errors.print(f"{problem.what} {problem.cure}", markup=False)
    return MISUNDERSTOOD if isinstance(problem, Misunderstood) else FAILED


def _explained(operation: AnyOperation) -> str:
    lines = [f"usage: {_PROMPT}{usage(operation, operation.shell_name)}", "", operation.summary]
    found = every_parameter(operation)
    width = max((len(one.usage) for one in found), default=0)
    lines += ["", *(f"  {one.usage:<{width}}  {one.word.help}" for one in found)] if found else []
    also = [name for name in (operation.name, *operation.aliases) if name != operation.shell_name]
    sure = "; --yes confirms it (for cron)" if operation.risk is Risk.DESTROY else ""
    lines += ["", f"--json prints values for scripts{sure}."]
    return "\n".join([*lines, *(["", f"Also: {', '.join(also)}"] if also else [])])
