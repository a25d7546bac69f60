"""What `./dev` itself says, and in which colour."""

import os
import sys
from typing import TextIO

RED, GREEN = "31", "32"


def colourful(stream: TextIO) -> bool:
    """Tell whether colours are welcome (no-color.org: any non-empty NO_COLOR means no)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, *, wanted: bool) -> str:
    """Return the text in an ANSI colour if that is wanted."""
    return f"\033[{colour}m{text}\033[0m" if wanted else text


def say(text: str, colour: str = "") -> None:
    """Print one line at once."""
    wanted = bool(colour) and colourful(sys.stdout)
    sys.stdout.write(paint(text, colour, wanted=wanted) + "\n")
    sys.stdout.flush()
