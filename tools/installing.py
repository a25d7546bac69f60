"""Putting hashed locks into the environment: by uv where it can be had, else by pip."""

import os
import subprocess
import time
from pathlib import Path

from tools.refusal import Refusal
from tools.terminal import say

_HARMFUL = {
    *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "VIRTUAL_ENV", "CONDA_PREFIX"),
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN"),
    *("PIP_REQUIREMENT", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_DEPS", "PIP_IGNORE_INSTALLED"),
    *("UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_EXCLUDE_NEWER"),
    *("UV_CONSTRAINT", "UV_OVERRIDE", "UV_BUILD_CONSTRAINT", "UV_REQUIRE_HASHES"),
}
"""Variables that would send an installation elsewhere or change what is installed."""

_CURES = (
    (("no space left",), "the disk is full", "free about 600 MB"),
    (
        ("certificate_verify_failed", "invalid peer certificate", "unknownissuer"),
        "the package index's certificate is not trusted here",
        "name your network's certificates in PIP_CERT and SSL_CERT_FILE",
    ),
    (
        ("do not match the hashes", "hash mismatch"),
        "a downloaded package is not the one that the lock names",
        "look at who changed it (a mirror?), or update the lock with `./dev lock`",
    ),
    (
        (
            *("failed to establish a new connection", "name resolution", "network is unreachable"),
            *("name or service not known", "nodename nor servname", "connection refused"),
            *("dns error", "error sending request", "timed out", "proxyerror", "connecttimeout"),
        ),
        "the package index can't be reached",
        "look at your network (behind a proxy: HTTPS_PROXY; with a mirror: PIP_INDEX_URL)",
    ),
)
"""What installers print, lower case; what it means; what to do."""

_AS_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


def install(python: Path, locks: list[Path], log: Path, lock: int) -> None:
    """Bring the environment to exactly the locks; `lock` is a descriptor that installers keep open.

    Raises `Refusal` with the cause in one sentence; everything that was printed is in `log`.
    """
    started = time.monotonic()
    log.write_text("", encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if key not in _HARMFUL}
    environment |= {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    run = _Installer(log=log, lock=lock, environment=environment)
    pip = [str(python), "-m", "pip", "install", "--require-hashes", "--no-warn-script-location"]
    uv_came = run(*pip, "-r", str(locks[0]))
    if not uv_came and run.cause() is not None:
        raise run.refusal()
    if not (uv_came and _with_uv(run, python, locks)):
        everything = [part for path in locks[1:] for part in ("-r", str(path))]
        if everything and not run(*pip, *everything):
            raise run.refusal()
    say(f"dev: .venv has all it needs, in {time.monotonic() - started:.1f} s")


def _with_uv(run: "_Installer", python: Path, locks: list[Path]) -> bool:
    uv = python.parent / "uv"
    if not uv.exists():
        return False
    run.environment |= _for_uv(python, run.environment)
    command = [str(uv), "pip", "sync", "--python", str(python)]
    return run(*command, "--require-hashes", "--compile-bytecode", *map(str, locks))


def _for_uv(python: Path, environment: dict[str, str]) -> dict[str, str]:
    """Tell uv what pip was told of indexes, files and certificates: uv does not read that."""
    command = [str(python), "-m", "pip", "config", "list"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    settings: dict[str, str] = {}
    for line in sorted(told.stdout.splitlines(), reverse=True):  # `global.` first, `:env:.` last
        key, _, value = line.partition("=")
        name = _AS_UV.get(key.rpartition(".")[2])
        if name and name not in environment:
            settings[name] = value.strip("'\"").replace("\\n", " ").strip()
    if "UV_FIND_LINKS" in settings:
        settings["UV_FIND_LINKS"] = settings["UV_FIND_LINKS"].replace(" ", ",")
    # as pip does: take the best of all indexes (safe, since every file is named by its hash)
    return {"UV_INDEX_STRATEGY": "unsafe-best-match"} | settings


class _Installer:
    """Runs installers and keeps what they print in a log."""

    def __init__(self, *, log: Path, lock: int, environment: dict[str, str]) -> None:
        self.environment = environment
        self._log, self._lock = log, lock

    def __call__(self, *command: str) -> bool:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            done = subprocess.run(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._lock,),
                check=False,
            )
        return done.returncode == 0

    def cause(self) -> tuple[str, str] | None:
        printed = self._log.read_text(encoding="utf-8", errors="replace").lower()
        causes = (
            (cause, cure) for signs, cause, cure in _CURES if any(s in printed for s in signs)
        )
        return next(causes, None)

    def refusal(self) -> Refusal:
        cause, cure = self.cause() or ("the installer failed", f"read {self._log}")
        return Refusal(f"The packages could not be installed, {cause}: {cure}; then start again.")
