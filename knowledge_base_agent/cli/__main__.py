"""`python -m knowledge_base_agent.cli`: the processes of a deployment, and the agent's own words."""

import argparse
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

import structlog

from knowledge_base_agent.cli import monitor, web_monitor
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.process_log import configure_logs
from knowledge_base_agent.settings import load_settings

log = structlog.get_logger()


def main(argv: list[str] | None = None) -> int:
    """Run one of the processes, or pass `run` and `search` to the operations of these names."""
    parser = argparse.ArgumentParser(prog="python -m knowledge_base_agent.cli", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    worker = commands.add_parser("worker", help="run tasks; further flags go to `celery worker`")
    worker.add_argument("--concurrency", type=int, help="how many tasks at once (default: cores)")
    web_monitor.describe(
        commands.add_parser(
            "monitor", help="Flower's web page; further flags go to `celery flower`"
        )
    )
    commands.add_parser("recorder", help="write the history of tasks to the database")
    commands.add_parser("migrate", help="bring the database's schema up to date")
    commands.add_parser("run", help="build the knowledge base from a source", add_help=False)
    commands.add_parser("search", help="search the knowledge base", add_help=False)
    arguments, rest = parser.parse_known_args(argv)
    try:
        return _start(arguments, rest, parser)
    except Problem as problem:
        print(f"{problem.what} {problem.cure}", file=sys.stderr)
        return 1


def _start(arguments: argparse.Namespace, rest: list[str], parser: argparse.ArgumentParser) -> int:
    command = arguments.command
    if command in {"run", "search"}:
        return monitor.main([command, *rest])
    if command == "worker":
        _worker(arguments.concurrency, rest)
    if command == "monitor":
        web_monitor.take_over(arguments, rest)
    if rest:
        parser.error(f"{command} takes no further words: {' '.join(rest)}")
    configure_logs(load_settings().log_level)
    if command == "migrate":
        return _migrate()
    return _recorder()


def _worker(concurrency: int | None, rest: list[str]) -> NoReturn:
    settings = load_settings()
    flags = ["-A", settings.celery_app, "worker", "--loglevel", settings.log_level]
    flags += ["--concurrency", str(concurrency)] if concurrency else []
    # Celery takes this process over: signals reach it directly, and there is one process fewer to supervise.
    os.execv(sys.executable, [sys.executable, "-m", "celery", *flags, *rest])  # noqa: S606 - no shell, our own flags


def _migrate() -> int:
    from knowledge_base_agent.records.migrate import migrate

    migrate(load_settings().database_url)
    print("The database is up to date.")
    return 0


def _recorder() -> int:
    from knowledge_base_agent.records.database import open_engine
    from knowledge_base_agent.records.recorder import Recorder

    settings = load_settings()
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    engine = open_engine(settings.database_url)
    try:
        Recorder(settings, engine).run(stop)
    finally:
        engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
