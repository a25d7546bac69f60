"""A text too long for a message: its last lines stay, and all of it goes into a file. Pure."""

import re
from dataclasses import dataclass

from msgspec.structs import replace

from bot.blocks.text import lines
from knowledge_base_agent.report import Note, Part, Preformatted, Report, Tone

LONG = 2_500
"""Characters beyond which a text is a file: more of it would be scrolled over on a phone."""
_MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class WholeText:
    """What goes into the file."""

    name: str
    content: str


def shortened(report: Report) -> tuple[Report, WholeText | None]:
    """Return the report with the last lines of its first long text, and the whole of that text; or as it is."""
    for at, part in enumerate(report.parts):
        if isinstance(part, Preformatted) and len(part.text) > LONG:
            whole = lines(part.text, _MOST)
            last = _last_lines(whole)
            said = f"The last {last.count(chr(10)) + 1} of {whole.count(chr(10)) + 1} lines."
            note = Note(
                text=f"{said} All of them are in the file below this message, in its thread."
            )
            parts: tuple[Part, ...] = (
                *report.parts[:at], replace(part, text=last), note, *report.parts[at + 1 :]
            )  # fmt: skip
            return replace(report, parts=parts), WholeText(name=_file_name(report), content=whole)
    return report, None


def without_file(report: Report, why: str) -> Report:
    """Return a shortened report that says why there is no file after all."""
    told = Note(text=f"The file could not be sent: {why}.", tone=Tone.WARNING)
    return replace(report, parts=(*report.parts, told))


def _last_lines(text: str) -> str:
    tail = text[-LONG:]
    first, newline, rest = tail.partition("\n")
    return rest if newline else first


def _file_name(report: Report) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", report.title).strip("-").lower()[:100] + ".txt"
