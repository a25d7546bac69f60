"""The environment is made once, by one of those who ask for it, and again when that was interrupted."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.dev.commands import ROOT, python
from tests.waiting import wait_until
from tools import installing
from tools.environment import LOCKS, Environment
from tools.refusal import Refusal

MAKE = """
import sys
from pathlib import Path
from tools.environment import Environment
print(Environment(root=Path(sys.argv[1])).ready(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that pins nothing, in a folder with a space, so that no network is needed."""
    folder = tmp_path_factory.mktemp("a project")
    for name in LOCKS["dev"]:
        (folder / name).write_text("# nothing\n")
    return folder


def start(root: Path, purpose: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        python(MAKE, str(root), purpose), stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_two_who_ask_at_once_mend_an_interrupted_environment_once(root: Path) -> None:
    with start(root, "demo") as interrupted:
        wait_until((root / "var/environment.unfinished").exists, what="it has begun")
        interrupted.kill()
    with start(root, "demo") as one, start(root, "demo") as other:
        said = one.communicate()[0] + other.communicate()[0]
    assert (one.returncode, other.returncode) == (0, 0)
    assert said.count("making .venv") == 1
    assert said.count(f"{root}/.venv/bin/python\n") == 2
    done = subprocess.run([root / ".venv/bin/python", "-c", "import pip"], check=False)
    assert done.returncode == 0


def test_where_nothing_changed_nothing_is_done(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.perf_counter()
    assert Environment(root=root).ready("demo") == root / ".venv/bin/python"
    assert time.perf_counter() - started < 0.2
    assert capsys.readouterr().out == ""


def test_a_missing_lock_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    with pytest.raises(Refusal, match=r"missing: get it back with `git checkout"):
        Environment(root=tmp_path).ready("demo")


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("Failed to establish a new connection: [Errno -3]", "look at your network"),
        ("error: invalid peer certificate: UnknownIssuer", "PIP_CERT"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that the lock names"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("Segmentation fault", "the installer failed: read "),
    ],
)
def test_what_an_installer_prints_becomes_a_sentence_with_a_cure(
    tmp_path: Path, printed: str, said: str
) -> None:
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\nexit 1\n")
    fake.chmod(0o755)
    with (tmp_path / "lock").open("w") as lock, pytest.raises(Refusal, match=said):
        installing.install(fake, [tmp_path / "x", tmp_path / "y"], tmp_path / "log", lock.fileno())
