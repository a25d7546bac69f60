"""The shell's front door: the list of operations is shown before anything heavy is loaded.

At night `--help` is what a person types first, and importing Celery, SQLAlchemy and the rest takes most of a second.
"""

import atexit
import gc
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

OVERVIEW = Path(__file__).with_name("overview.txt")
"""Written by `python -m knowledge_base_agent.cli.pages` from the operations; a test holds it against them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Do one operation and return the exit code: see `monitor.main`."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help"}:
        print(OVERVIEW.read_text(encoding="utf-8"), end="")
        return 0
    # Importing makes hundreds of thousands of objects that stay: looking for garbage among them is a tenth of the time.
    gc.disable()
    from knowledge_base_agent.cli import later

    later.install()
    from knowledge_base_agent.cli import monitor

    # Nor at the end: looking through them all once more, to take apart what ends anyway, took a third of a second.
    gc.freeze()
    gc.enable()
    return monitor.main(words)


def sole_work(work: Callable[[], int]) -> NoReturn:
    """Do what this process was started for, and exit with the code that it returns."""
    codes: list[int] = []
    # What is registered first is called last: threads have been waited for, and all else that ends at the exit has.
    atexit.register(_leave, codes)
    codes.append(work())
    sys.exit(codes[0])


def _leave(codes: Sequence[int]) -> None:
    """End here, where all is done: taking apart what was imported, object by object, takes longer than most answers."""
    unread = False
    for stream in (sys.stdout, sys.stderr):
        if stream is None:  # it was closed when this process began
            continue
        try:
            stream.flush()
        except BrokenPipeError:
            # Whoever read it has closed it (`| head`): else the interpreter tries once more, and complains.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            unread = True
        except (OSError, ValueError):
            # A full disk: the interpreter finds the same in a moment, and says so as it always does.
            return
    if codes:
        os._exit(codes[0] or int(unread))
