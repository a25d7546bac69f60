"""The shell ends at once when all is done, and not before: what other code does at the end of a process is done too."""

import os
import subprocess
import sys

import pytest

from tests.records.deployment import ROOT

_WORK = """
import atexit, sys, threading, time
from knowledge_base_agent.cli.front import sole_work

class Taken:
    def __del__(self):
        sys.stderr.write("taken apart ")

kept = [Taken()]
sys.modules["of_this_test"] = Taken()

def work():
    atexit.register(lambda: print("at exit", end=" "))
    ends = threading.Event()
    def finish():
        ends.wait()
        print("thread ended", end=" ")
    threading.Thread(target=finish).start()
    print("answer", end=" ")
    ends.set()
    return 3

%s
"""


def _ended(
    how: str,
    *,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    closed: bool = False,
) -> "subprocess.CompletedProcess[str]":
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", _WORK % how]
    if closed:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=buffered,
        text=True,
        timeout=60,
        check=False,
        stdout=stdout,
        stderr=stderr,
    )


def test_what_others_do_at_the_end_is_done_and_nothing_is_taken_apart() -> None:
    said = _ended("sole_work(work)")
    assert (said.stdout, said.stderr, said.returncode) == ("answer thread ended at exit ", "", 3)


@pytest.mark.parametrize("raised", ["SystemExit(5)", "KeyError('of ours')"])
def test_what_the_work_raises_ends_the_process_as_ever(raised: str) -> None:
    raises = f"def work():\n    print('answer', end=' ')\n    raise {raised}\n"
    ends = [_ended(raises + how) for how in ("sole_work(work)", "sys.exit(work())")]
    assert ends[0].returncode == ends[1].returncode != 0
    assert ends[0].stdout == ends[1].stdout == "answer "


def test_an_answer_that_nobody_could_be_given_is_no_success() -> None:
    answers = "def work():\n    print('answer', end=' ')\n    return 3\n"
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123 - a device
        ends = [
            _ended(answers + how, stdout=full.fileno(), stderr=subprocess.DEVNULL)
            for how in ("sole_work(work)", "sys.exit(work())")
        ]
    assert ends[0].returncode == ends[1].returncode != 3


@pytest.mark.parametrize(("code", "ends_with"), [(0, 1), (3, 3)])
def test_a_reader_that_leaves_hears_no_complaint_and_the_answer_is_no_success(
    code: int, ends_with: int
) -> None:
    read, write = os.pipe()
    os.close(read)
    answers = f"def work():\n    print('answer')\n    return {code}\n"
    said = _ended(answers + "sole_work(work)", stdout=write)
    os.close(write)
    assert (said.stderr, said.returncode) == ("", ends_with)


def test_with_no_output_at_all_there_is_nothing_to_complain_of() -> None:
    said = _ended("sole_work(work)", closed=True)
    assert (said.stderr, said.returncode) == ("", 3)


@pytest.mark.parametrize("words", ["[]", "['stats', '--help']"])
def test_a_word_of_the_shells_without_any_output_is_no_defect_of_ours(words: str) -> None:
    main = f"from knowledge_base_agent.cli.front import main\nsole_work(lambda: main({words}))"
    said = _ended(main, closed=True)
    assert (said.stderr, said.returncode) == ("", 0)
