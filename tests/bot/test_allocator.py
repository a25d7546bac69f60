"""Few arenas of the C library's allocator, however many threads there are."""

import subprocess
import sys

import pytest

THREADS = """
import ctypes, os, re, tempfile, threading
from bot.allocator import keep_few_arenas
if {few}:
    keep_few_arenas()
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype = ctypes.c_void_p
there = threading.Barrier(16)
def hold():
    there.wait()
    libc.malloc(100_000)
    there.wait()
threads = [threading.Thread(target=hold) for _ in range(16)]
for one in threads: one.start()
for one in threads: one.join()
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as told:
    stream = libc.fopen(told.name.encode(), b"w")
    libc.malloc_info(0, ctypes.c_void_p(stream))
    libc.fclose(ctypes.c_void_p(stream))
    print(len(re.findall(r"<heap nr=", told.read().decode())))
"""


def arenas(*, few: bool) -> int:
    """Return how many arenas glibc has in a fresh process in which sixteen threads asked for memory."""
    command = [sys.executable, "-c", THREADS.format(few=few)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return int(ended.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_sixteen_threads_share_two_arenas() -> None:
    assert arenas(few=True) <= 2
    assert arenas(few=False) > 2, "the test would pass without it"
