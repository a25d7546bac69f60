"""What several processes print, line by line on one screen: a prefix each, a colour each, no line torn."""

import codecs
from collections import deque
from collections.abc import Callable
from typing import TextIO

from tools.terminal import colourful, paint

_COLOURS = ("36", "33", "35", "32", "34", "96", "93", "95", "92", "94")
_LONGEST = 65536
"""Characters after which a line without an end is shown as it is."""
_KEPT = 15
"""Lines of each process that are kept for telling why it died."""


class Transcript:
    """The screen that all processes share."""

    def __init__(self, stream: TextIO, names: list[str]) -> None:
        self._stream = stream
        self._colourful = colourful(stream)
        self._width = max((len(name) for name in names), default=0)
        self._colours = {name: _COLOURS[at % len(_COLOURS)] for at, name in enumerate(names)}
        self._broken = False
        self.when_broken: Callable[[], None] = lambda: None
        """Is called once when the screen went away: a closed terminal, or a reader that had enough."""

    def line(self, name: str, text: str) -> None:
        """Print one line of a process, in one write."""
        prefix = paint(
            f"{name:<{self._width}} │", self._colours.get(name, "0"), wanted=self._colourful
        )
        self.say(f"{prefix} {text}")

    def say(self, text: str) -> None:
        """Print a line of our own."""
        if self._broken:
            return
        try:
            self._stream.write(f"{text}\n")
            self._stream.flush()
        except OSError:  # the terminal was closed (EIO), or the pipe's reader went (EPIPE)
            self._broken = True
            self.when_broken()


class Lines:
    """Makes whole lines of what one process prints in pieces."""

    def __init__(self) -> None:
        self.last: deque[str] = deque(maxlen=_KEPT)
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """Take a piece, or b"" at the end; return the lines that are complete with it."""
        text = self._rest + self._decode(data, final=not data)
        *lines, self._rest = text.split("\n")
        if self._rest and (not data or len(self._rest) > _LONGEST):
            lines.append(self._rest)
            self._rest = ""
        lines = [line.rstrip("\r") for line in lines]
        self.last.extend(lines)
        return lines
