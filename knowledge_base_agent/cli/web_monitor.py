"""`… cli monitor`: Flower's web page for the Celery app looked after, seen by nobody else unless it asks who comes."""

import argparse
import ipaddress
import os
import re
import sys
from importlib.util import find_spec
from typing import NoReturn

from knowledge_base_agent.problems import Misconfigured
from knowledge_base_agent.settings import Settings, load_settings

LOOPBACK = "127.0.0.1"
PORT = 5555
_USER_AND_PASSWORD = re.compile(r"[^:,\s]+:[^,\s]+(?:,[^:,\s]+:[^,\s]+)*")


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `monitor`."""
    parser.add_argument("--port", type=int, default=PORT, help=f"where to listen ({PORT})")
    parser.add_argument(
        "--address", default=LOOPBACK, help=f"on which address ({LOOPBACK}: this machine alone)"
    )
    parser.add_argument(
        "--basic-auth",
        metavar="USER:PASSWORD",
        help="who may see it; better in KB_MONITOR_AUTH or FLOWER_BASIC_AUTH, which no process list shows",
    )


def take_over(arguments: argparse.Namespace, rest: list[str]) -> NoReturn:
    """Become Flower. Raises `Misconfigured` without Flower, or where anyone could look and press its buttons."""
    settings = load_settings()
    _refuse_without_flower()
    allowed = _allowed(settings, arguments.basic_auth, arguments.address)
    if allowed:
        os.putenv("FLOWER_BASIC_AUTH", allowed)  # not a flag: those are in everyone's process list
    flags = ["-A", settings.celery_app, "flower"]
    flags += [f"--port={arguments.port}", f"--address={arguments.address}"]
    os.execv(sys.executable, [sys.executable, "-m", "celery", *flags, *rest])  # noqa: S606 - no shell, our own flags


def _refuse_without_flower() -> None:
    if find_spec("flower") is None:
        raise Misconfigured(
            "Flower is not installed; it is an extra.",
            f"Install it: `{sys.executable} -m pip install --require-hashes -r requirements-monitor.lock`.",
        )


def _allowed(settings: Settings, given: str | None, address: str) -> str:
    """Return who may look, empty for everybody on this machine. Raises `Misconfigured`."""
    kept = settings.monitor_auth.get_secret_value() if settings.monitor_auth else ""
    allowed = given or kept
    if allowed and not _USER_AND_PASSWORD.fullmatch(allowed):
        raise Misconfigured(
            "Who may see the monitor is not written as user:password.",
            "Set KB_MONITOR_AUTH to, for example, oncall:a-long-password.",
        )
    if not allowed and not is_loopback(address):
        raise Misconfigured(
            f"The monitor on {address or 'every address'} would let everyone look, and revoke tasks.",
            "Set KB_MONITOR_AUTH (or --basic-auth) to user:password, or leave --address out.",
        )
    return allowed


def is_loopback(address: str) -> bool:
    """Tell whether only this machine can reach an address; a name other than localhost counts as reachable."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
