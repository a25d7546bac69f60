"""Nothing that was started on a leash outlives the hand that holds it."""

import os
import subprocess
from pathlib import Path

from tests.dev.commands import gone, leashed, python
from tests.waiting import wait_until

STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: print("no", flush=True))
signal.signal(signal.SIGQUIT, signal.SIG_IGN)
child = os.fork()
with open(sys.argv[1], "a") as file:
    file.write(f"{'parent' if child else 'child'} {os.getpid()}\\n")
while True:
    time.sleep(1)
"""
ORDERLY = """
import os, signal, sys, time
def end(*_):
    os.write(1, b"ending\\n")  # the signal may come while `ready` is still being printed, and print can't be nested
    with open(sys.argv[1], "a") as file:
        file.write(sys.argv[2])
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    time.sleep(1)
"""
HOLDER = """
import subprocess, sys, time
leash = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
print(leash.pid, flush=True)
time.sleep(600)
"""


def family(path: Path) -> dict[str, int]:
    """Wait for the parent and the child of STUBBORN; return their process ids."""

    def written() -> dict[str, int]:
        lines = path.read_text().splitlines() if path.exists() else []
        return {line.split()[0]: int(line.split()[1]) for line in lines} if len(lines) == 2 else {}

    return wait_until(written, what="parent and child have written their ids")


def test_a_stubborn_child_and_grandchild_end_after_the_holder_was_killed(tmp_path: Path) -> None:
    command = leashed(*python(STUBBORN, str(tmp_path / "pids")))
    with subprocess.Popen(python(HOLDER, *command), stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        leash = int(holder.stdout.readline())
        started = family(tmp_path / "pids").values()
        holder.kill()
    wait_until(lambda: all(map(gone, (*started, leash))), what="all three have ended")


def test_children_that_a_dead_command_left_behind_end_too(tmp_path: Path) -> None:
    command = leashed(*python(STUBBORN, str(tmp_path / "pids")))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as leash:
        started = family(tmp_path / "pids")
        os.kill(started["parent"], 9)
        assert leash.wait(10) == 128 + 9
    wait_until(lambda: gone(started["child"]), what="the child has ended")


def test_an_orderly_end_is_waited_for_though_nobody_reads_what_it_prints(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    command = leashed(*python(ORDERLY, str(ledger), "ended in order"), warm=10)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as leash:
        assert leash.stdin is not None
        assert leash.stdout is not None
        assert leash.stdout.readline() == b"ready\n"
        leash.stdout.close()
        leash.stdin.close()
        assert leash.wait(10) == 3
    assert ledger.read_text() == "ended in order"


def test_what_others_need_ends_after_them(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    theirs, ours = os.pipe()
    needed = leashed(*python(ORDERLY, str(ledger), "store "), warm=10)
    needing = leashed(*python(ORDERLY, str(ledger), "worker "), warm=10)
    store = subprocess.Popen(needed, stdin=theirs, stdout=subprocess.PIPE)
    worker = subprocess.Popen(
        needing, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(ours,)
    )
    with store, worker:
        assert store.stdout is not None
        assert worker.stdout is not None
        assert (store.stdout.readline(), worker.stdout.readline()) == (b"ready\n", b"ready\n")
        os.close(ours)
        os.close(theirs)
        worker.communicate()
    assert ledger.read_text() == "worker store "


def test_a_told_leash_takes_the_next_step_at_once(tmp_path: Path) -> None:
    command = leashed(*python(STUBBORN, str(tmp_path / "pids")), warm=60, cold=60)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as leash:
        assert leash.stdout is not None
        family(tmp_path / "pids")
        leash.terminate()
        assert leash.stdout.readline() == b"no\n"
        leash.terminate()
        assert b"SIGQUIT" in leash.stdout.readline()
        leash.terminate()
        assert b"SIGKILL" in leash.stdout.readline()
        assert leash.wait(10) == 128 + 9


def test_the_leash_gives_back_what_the_command_gave() -> None:
    command = leashed(*python("print('done'); raise SystemExit(7)"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as leash:
        assert leash.stdout is not None
        assert leash.stdout.read() == b"done\n"
        assert leash.wait(10) == 7
