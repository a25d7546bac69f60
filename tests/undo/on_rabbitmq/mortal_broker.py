"""A RabbitMQ of the test's own, on a disk of its own, that may be killed and started again."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import absent, free_port
from tests.waiting import wait_until

_WITHIN = 90


@dataclass(kw_only=True)
class MortalBroker:
    """One node; guest may come in from this machine."""

    program: Path
    folder: Path
    port: int = field(default_factory=free_port)
    distribution_port: int = field(default_factory=free_port)
    name: str = field(default_factory=lambda: f"kbtest{secrets.token_hex(4)}@localhost")
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start it, with what is on its disk."""
        (self.folder / "plugins").write_text("[].")
        places = {
            "HOME": self.folder,
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_PORT": self.port,
            "RABBITMQ_DIST_PORT": self.distribution_port,
            "RABBITMQ_MNESIA_BASE": self.folder / "mnesia",
            "RABBITMQ_LOG_BASE": self.folder / "log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.folder / "plugins",
            "RABBITMQ_PID_FILE": self.folder / "pid",
            "RABBITMQ_CONF_ENV_FILE": self.folder / "none",
            "RABBITMQ_CONFIG_FILE": self.folder / "none",
        }
        with (self.folder / "said").open("ab") as said:
            said.truncate(0)
            self.process = subprocess.Popen(
                [str(self.program)],
                env=os.environ | {name: str(value) for name, value in places.items()},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        wait_until(self._is_up, what="RabbitMQ is up", within=_WITHIN)

    def _is_up(self) -> bool:
        return "Starting broker... completed" in (self.folder / "said").read_text()

    def kill(self) -> None:
        """Kill it, with SIGKILL."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def mortal_broker(folder: Path) -> Iterator[MortalBroker]:
    """Start one, and leave nothing of it behind."""
    control = shutil.which("rabbitmqctl")
    installed = Path(control).resolve().parent.parent if control else folder
    programs = sorted(installed.glob("lib/rabbitmq_server-*/sbin/rabbitmq-server"))
    if not programs:
        absent("the program of a RabbitMQ server")
    broker = MortalBroker(program=programs[-1], folder=folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
