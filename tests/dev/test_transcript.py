"""What the demo's processes print comes out whole, and names who printed it."""

import io

import pytest

from tools.transcript import Lines, Transcript


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_a_line_that_comes_in_pieces_is_shown_once_and_whole() -> None:
    lines = Lines()
    pieces = [b"one li", "ne\nüber".encode()[:-4], "über".encode()[-4:], b"\nlast"]
    shown = [line for piece in (*pieces, b"") for line in lines.feed(piece)]
    assert shown == ["one line", "über", "last"]


def test_a_character_cut_in_two_is_not_garbled() -> None:
    lines = Lines()
    cut = "…\n".encode()
    assert [*lines.feed(cut[:1]), *lines.feed(cut[1:])] == ["…"]


def test_an_endless_line_is_shown_before_it_fills_the_memory() -> None:
    lines = Lines()
    assert lines.feed(b"x" * 200_000) == ["x" * 200_000]


def test_each_line_names_its_process_in_a_column_of_one_width() -> None:
    screen = io.StringIO()
    transcript = Transcript(screen, ["bot", "recorder"])
    transcript.line("bot", "hello")
    transcript.line("recorder", "world")
    assert screen.getvalue() == "bot      │ hello\nrecorder │ world\n"


def test_a_terminal_gets_colours_unless_they_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    colourful, plain = Screen(), Screen()
    Transcript(colourful, ["bot"]).line("bot", "hello")
    monkeypatch.setenv("NO_COLOR", "1")
    Transcript(plain, ["bot"]).line("bot", "hello")
    assert colourful.getvalue() == "\033[36mbot │\033[0m hello\n"
    assert plain.getvalue() == "bot │ hello\n"


def test_a_closed_terminal_is_told_once_and_breaks_nothing() -> None:
    told: list[str] = []
    transcript = Transcript(Gone(), ["bot"])
    transcript.when_broken = lambda: told.append("broken")
    transcript.line("bot", "hello")
    transcript.line("bot", "still there?")
    assert told == ["broken"]
