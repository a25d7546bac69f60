"""The agent's tasks: `run_agent` lists a source's documents and sends one task for each, then watches over them.

No task waits for another in a worker's slot. Documents count themselves, and the last one sends the finishing task; so
one that fails costs nothing but itself. One that is stuck, killed or revoked is what `run_agent` is still there for: it
comes back by `retry`, with the same id, until the build is over, at most a quarter of a minute apart.

Messages are acknowledged early. All of this could be run twice without harm, but a late acknowledgement is not waited
for longer than the broker's visibility timeout: a stuck fetch would be started again and again, in one slot after
another. A document that dies with its worker is found by `settling` instead, and said.
"""

from typing import Any
from uuid import uuid4

from celery import Task, shared_task

from knowledge_base_agent.agent.build import Counts
from knowledge_base_agent.agent.finishing import bring_up_to_date, finish, say_reached
from knowledge_base_agent.agent.library import Library, library_of_this_process
from knowledge_base_agent.agent.reading import read_document
from knowledge_base_agent.agent.settling import settle
from knowledge_base_agent.agent.sources import list_documents, understand_source
from knowledge_base_agent.agent.starting import AGENT_QUEUE, RUN_AGENT
from knowledge_base_agent.agent.unreadable import NotAnswering
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.reporting import log_line, report_progress
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.settings import load_settings

PROCESS_DOCUMENT = "knowledge_base_agent.agent.process_document"
FINISH_KNOWLEDGE_BASE = "knowledge_base_agent.agent.finish_knowledge_base"
_STEPS = ("fetch", "parse", "index")
_LOOK_AGAIN_AT_MOST = 15
"""Seconds between the looks of `run_agent` at what is left; also how much later than its build it may end."""
_ASK_AGAIN = (2, 8)
"""Seconds until a site that does not answer is asked again."""


class StillReading(Exception):
    """Some documents have not ended yet."""


@shared_task(bind=True, name=RUN_AGENT, max_retries=None)
def run_agent(self: "Task[Any, Any]", source: str) -> dict[str, int]:
    """Build the knowledge base from a source, and return how many documents were planned, read and failed.

    Raises `Unreadable` when the source is not there (on the worker's machine) or has nothing to read, and `Refused`
    while another run of the same source is under way.
    """
    build_id = str(self.request.id)
    try:
        library = library_of_this_process(load_settings())
        if self.request.retries == 0:
            _begin(library, build_id, source)
        left = settle(self.app, library.builds, build_id)
        if left:
            bring_up_to_date(library)
        else:
            finish(library, build_id)
        counts = library.builds.counts(build_id)
    except Away as problem:
        if self.request.retries == 0:
            raise
        # The watch goes on when the catalogue is back.
        raise self.retry(exc=problem, countdown=_LOOK_AGAIN_AT_MOST) from problem
    _report(counts)
    if left:
        reason = StillReading(f"{left} of {counts.planned} documents have not ended yet")
        raise self.retry(exc=reason, countdown=min(2**self.request.retries, _LOOK_AGAIN_AT_MOST))
    return {"planned": counts.planned, "read": counts.done, "failed": counts.failed}


def _begin(library: Library, build_id: str, source: str) -> None:
    builds = library.builds
    try:
        understood = understand_source(source)
        builds.begin(build_id, understood.name)
        say_reached(library, build_id)
        report_progress(phase="fetch", note="listing documents")
        planned = [(document, str(uuid4())) for document in list_documents(understood)]
        builds.plan(build_id, planned)
        log_line(f"{len(planned)} documents in {plain(understood.name)}")
        for document, task_id in planned:
            arguments = (build_id, document.location, document.heading)
            process_document.apply_async(arguments, task_id=task_id)
    except Exception as error:  # nobody else would ever end this build
        builds.give_up(build_id, f"it was not sent to a worker: {error}")
        finish(library, build_id)
        raise


def _report(counts: Counts) -> None:
    note = f"{counts.failed} could not be read" if counts.failed else ""
    ended = counts.done + counts.failed
    report_progress(done=ended, total=counts.planned, phase=counts.phase, note=note)
    log_line(f"{ended} of {counts.planned} documents have ended")


@shared_task(bind=True, name=PROCESS_DOCUMENT, max_retries=len(_ASK_AGAIN))
def process_document(self: "Task[Any, Any]", build_id: str, location: str, heading: str) -> str:
    """Read one document; return "read" or "unchanged". What it raises is also told in the README."""
    library = library_of_this_process(load_settings())
    library.builds.began(build_id, location)
    log_line(f"reading {plain(location)}")

    def reached(step: str) -> None:
        report_progress(done=_STEPS.index(step), total=len(_STEPS), phase=step)
        if library.builds.reach(build_id, step):
            say_reached(library, build_id)

    try:
        changed = read_document(library, location, heading, reached)
    except NotAnswering as error:
        if self.request.retries < len(_ASK_AGAIN):
            raise self.retry(exc=error, countdown=_ASK_AGAIN[self.request.retries]) from error
        _note_failure(library, build_id, location, error)
        raise
    except Exception as error:
        _note_failure(library, build_id, location, error)
        raise
    report_progress(done=len(_STEPS))
    _finish_after_last(library.builds.done(build_id, location), build_id)
    return "read" if changed else "unchanged"


def _note_failure(library: Library, build_id: str, location: str, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}"
    log_line(text, level="ERROR")
    _finish_after_last(library.builds.failed(build_id, location, text), build_id)


def _finish_after_last(left: int, build_id: str) -> None:
    if left == 0:
        finish_knowledge_base.apply_async((build_id,), queue=AGENT_QUEUE)


@shared_task(name=FINISH_KNOWLEDGE_BASE)
def finish_knowledge_base(build_id: str) -> None:
    """End a build whose documents have all ended; again, or too early, does no harm."""
    report_progress(phase="README")
    library = library_of_this_process(load_settings())
    if not library.builds.left(build_id):
        finish(library, build_id)
