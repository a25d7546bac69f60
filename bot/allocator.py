"""The C library's allocator, told to keep few arenas.

glibc gives a thread an arena of its own, up to eight for each core, and keeps what was freed in each. A bot has a
hundred threads that take turns with one interpreter lock, so that two arenas are as quick, and hold a part of it.
"""

import contextlib
import ctypes

_ARENA_MAX = -8
"""M_ARENA_MAX of `mallopt(3)`."""
_ARENAS = 2


def keep_few_arenas() -> None:
    """Limit the arenas, before the first thread starts. Does nothing where the C library is another one."""
    with contextlib.suppress(
        OSError, AttributeError
    ):  # no libc.so.6 (macOS), or one without mallopt (musl)
        ctypes.CDLL("libc.so.6").mallopt(_ARENA_MAX, _ARENAS)
