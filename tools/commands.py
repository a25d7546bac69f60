"""The commands of `./dev`, and how their arguments are read."""

import argparse
import os
import sys
from pathlib import Path

from tools import checking, demo, locking
from tools.environment import Environment
from tools.refusal import Refusal

ROOT = Path(__file__).resolve().parent.parent
_TWO_CORES = ("-n", "2", "--dist", "loadscope")
"""How the whole suite runs: a file's tests stay together, as they share what is dear to start."""

_PLAIN = {
    "test": "run every test, or with --full count what is promised",
    "bench": "measure us, the peers and the floor; `bench --help` says more",
    "check": "format, lint, types, import contracts and the size ratchet",
}


def run(arguments: list[str]) -> int:
    """Run a command; a `Refusal` is printed as one sentence and gives 2."""
    try:
        if arguments[:1] == ["test"]:
            return _test(arguments[1:])
        if arguments[:1] == ["bench"]:
            return _become("bench", *arguments[1:])
        asked = _parser().parse_args(arguments)
        if asked.command == "lock":
            uv = Environment(root=ROOT).ready("locking").parent / "uv"
            locking.lock(ROOT, uv, ["--upgrade"] if asked.upgrade else [])
            return 0
        if asked.command == "demo":
            return demo.demo(ROOT, port=asked.port, data=asked.data, fresh=asked.fresh)
        return checking.check(ROOT, Environment(root=ROOT).ready("dev"))
    except Refusal as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev",
        description="Everything this project needs, from Python alone. Each command first makes .venv.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demonstration = commands.add_parser(
        "demo", help="start everything and print the page's address"
    )
    demonstration.add_argument(
        "--port", type=_port, default=demo.PORT, help="of the page (%(default)s)"
    )
    demonstration.add_argument(
        "--data",
        type=Path,
        default=ROOT / "var" / "demo",
        help="the folder that keeps it (var/demo)",
    )
    demonstration.add_argument(
        "--fresh", action="store_true", help="forget what an earlier demo kept"
    )
    for name, help_ in _PLAIN.items():
        commands.add_parser(name, help=help_)
    lock = commands.add_parser(
        "lock", help="make the hashed requirements*.lock from their .in files"
    )
    lock.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    return parser


def _test(arguments: list[str]) -> int:
    if "--full" in arguments:
        return _become("tests.trust", *(word for word in arguments if word != "--full"))
    return _become("pytest", *(arguments or _TWO_CORES))


def _become(module: str, *arguments: str) -> int:
    python = Environment(root=ROOT).ready("dev")
    command = [str(python), "-m", module, *arguments]
    # the tests' servers are on this machine, and some clients would ask the proxy for those too
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    os.chdir(ROOT)
    os.execve(command[0], command, kept)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port: give a number from 1 to 65535")
    return int(text)
