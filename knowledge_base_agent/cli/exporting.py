"""`audit export`: the entries of the audit as JSON lines or CSV, streamed, so that an audit of any length fits."""

import csv
import getpass
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

from knowledge_base_agent.actors import shell_actor
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.operations.audit import ExportArguments
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.audit_chain import SEALED, stamp
from knowledge_base_agent.records.audit_search import every_entry
from knowledge_base_agent.requests import Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import load_settings
from knowledge_base_agent.understand import Understood
from knowledge_base_agent.wording import counted

COLUMNS = (*SEALED, "seal", "posted_at")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(understood: Understood, errors: Console) -> int:
    """Write the entries, say on `errors` how many there were, and return 0. Raises every `Problem`."""
    arguments = understood.arguments
    if not isinstance(arguments, ExportArguments):
        raise TypeError(f"{understood.operation.name} exports nothing")
    deployment = open_deployment(load_settings())
    try:
        Runner(deployment).ask(
            Request(
                actor=shell_actor(getpass.getuser()),
                operation=understood.operation,
                arguments=arguments,
                words=understood.words,
            )
        )
        entries = every_entry(deployment.engine, arguments.chosen(utc_now()))
        with _opened(arguments.output) as out:
            number = _written(entries, arguments.format, out)
        errors.print(f"{counted(number, 'entry', 'entries')} exported.", markup=False)
    finally:
        deployment.close()
    return 0


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    """Open standard output, or a file that takes its name only once everything is in it."""
    if not path:
        yield sys.stdout
        return
    wanted = Path(path)
    try:
        number, name = tempfile.mkstemp(dir=wanted.parent, prefix=f".{wanted.name}.")
    except OSError as error:
        raise NotFound(
            f"{path} can't be written: {error.strerror}.", "Name another file."
        ) from error
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as out:
            yield out
        Path(name).replace(wanted)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _written(entries: Iterable[Mapping[str, Any]], form: str, out: TextIO) -> int:
    table = csv.writer(out, lineterminator="\n") if form == "csv" else None
    if table is not None:
        table.writerow(COLUMNS)
    written = 0
    for entry in entries:
        line = {name: _plain(entry[name]) for name in COLUMNS}
        if table is not None:
            table.writerow([_cell(value) for value in line.values()])
        else:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
        written += 1
    return written


def _plain(value: object) -> object:
    return stamp(value) if isinstance(value, datetime) else value


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula, which somebody may have typed to be run there."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
