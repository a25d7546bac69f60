"""What is too long is found, and what is excepted may only shrink."""

from pathlib import Path

import pytest

from tools import ratchet

LONG_FUNCTION = "class Bot:\n    def stuck(self):\n" + "        pass\n" * 30
"""Its method has 31 lines."""


def project(root: Path, files: dict[str, str], exceptions: str = "") -> Path:
    (root / "tools").mkdir()
    (root / ratchet.EXCEPTIONS).write_text(exceptions)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize("name", ["bot/app.py", "page/main.js", "page/dark.css"])
def test_a_file_of_251_lines_is_too_long_and_one_of_250_is_not(tmp_path: Path, name: str) -> None:
    files = {name: "\n" * 251, f"fine/{name}": "\n" * 250, ".venv/x.py": "\n" * 999}
    assert ratchet.findings(project(tmp_path, files)) == [
        f"{name}: 251 lines, a file has at most 250"
    ]


def test_a_function_of_31_lines_is_named_with_its_class(tmp_path: Path) -> None:
    assert ratchet.findings(project(tmp_path, {"bot.py": LONG_FUNCTION})) == [
        "bot.py:Bot.stuck: 31 lines, a function has at most 30"
    ]


def test_the_script_without_a_suffix_is_measured_too(tmp_path: Path) -> None:
    assert ratchet.findings(project(tmp_path, {"dev": LONG_FUNCTION})) == [
        "dev:Bot.stuck: 31 lines, a function has at most 30"
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("bot.py:Bot.stuck 31  # a table reads best whole", []),
        ("bot.py:Bot.stuck 31", ["has no reason", "31 lines"]),
        ("bot.py:Bot.stuck 31  #", ["has no reason", "31 lines"]),
        ("bot.py:Bot.stuck 40  # a reason", ["lower its entry from 40 to 31"]),
        ("bot.py:Bot.stuck thirty  # a reason", ["not of the form", "31 lines"]),
        ("bot.py:Bot.gone 31  # a reason\nbot.py:Bot.stuck 31  # a reason", ["does not exist"]),
        ("bot.py 300  # a reason\nbot.py:Bot.stuck 31  # a reason", ["needs no exception"]),
    ],
)
def test_an_exception_has_a_reason_and_the_present_size(
    tmp_path: Path, entry: str, said: list[str]
) -> None:
    findings = ratchet.findings(project(tmp_path, {"bot.py": LONG_FUNCTION}, entry))
    assert len(findings) == len(said)
    assert all(part in finding for part, finding in zip(said, findings, strict=True))


def test_an_excepted_function_may_not_grow(tmp_path: Path) -> None:
    grown = project(
        tmp_path, {"bot.py": LONG_FUNCTION + "        pass\n"}, "bot.py:Bot.stuck 31  # a reason"
    )
    assert ratchet.findings(grown) == ["bot.py:Bot.stuck: 32 lines, a function has at most 31"]
