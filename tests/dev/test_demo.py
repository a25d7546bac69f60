"""`./dev demo` as a whole: it comes up, it keeps its data, and nothing of it stays behind."""

import contextlib
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dev.commands import ROOT, python
from tests.servers import free_port
from tests.waiting import wait_until

# Whoever starts the tests in the background leaves SIGINT ignored, and a demo keeps to what it inherits.
DEMO = """
import signal
import sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from tools.demo import run_demo
root, python, port, data = sys.argv[1:]
sys.exit(run_demo(Path(root), Path(python), port=int(port), data=Path(data), fresh=False))
"""


@contextlib.contextmanager
def demo(port: int, data: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a demo; the test ends it."""
    words = python(DEMO)
    command = [*words, str(ROOT), words[0], str(port), str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: "subprocess.Popen[str]", sign: str) -> str:
    """Read what the demo prints up to a line with this sign; return all of it."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if sign in line:
            return "".join(lines)
    pytest.fail(f"the demo ended before it said {sign!r}:\n{''.join(lines)}")


def processes_of(data: Path) -> dict[int, str]:
    """Return the command line of every process that has the demo's folder in its environment or its words."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            if os.fsencode(data) in words + (entry / "environ").read_bytes():
                found[int(entry.name)] = words.replace(b"\0", b" ").decode()
    return found


def shell_settings(data: Path) -> str:
    """Return what a shell reads to use the demo's parts."""
    return (data / "environment.sh").read_text()


@pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="only Linux shows all processes"
)
def test_a_killed_demo_leaves_nothing_behind_and_the_next_one_goes_on_with_its_data(
    tmp_path: Path,
) -> None:
    port, data = free_port(), tmp_path / "demo"
    with demo(port, data) as process:
        said(process, "dev: ready after")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            assert page.status == 200
        assert len(processes_of(data)) > 12, "each of seven parts on a leash, and the pools"
        process.kill()
    assert f"export SLACK_API_URL=http://127.0.0.1:{port}/api/\n" in shell_settings(data)
    valkey_port = (data / "valkey.port").read_text()
    with demo(port, data) as process:
        said(process, "dev: ready after")
        assert (data / "valkey.port").read_text() == valkey_port
        process.send_signal(signal.SIGINT)
        end = said(process, "everything has ended")
        assert "dev: ending " in end
        assert process.wait(10) == 0
    wait_until(lambda: not processes_of(data), within=5, what="no process of the demo is left")
