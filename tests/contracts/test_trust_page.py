"""`docs/trust.md` tells the figures that were kept, and each of its commands does something."""

import re

import pytest

from tests.trust.__main__ import main
from tests.trust.experiments import EXPERIMENTS, experiment_named
from tests.trust.page import PAGE, page

_COMMAND = re.compile(r"`\./dev test --full --only (\S+) --seed (\d+)`")


def test_the_page_tells_the_kept_figures() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.trust.page"


def test_every_promise_has_a_command_that_counts_it_again() -> None:
    commands = _COMMAND.findall(PAGE.read_text(encoding="utf-8"))
    assert [name for name, _ in commands] == [one.name for one in EXPERIMENTS]
    for name, _ in commands:
        assert experiment_named(name).count > 0


def test_an_experiment_that_there_is_not_is_refused_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    assert "kills" in capsys.readouterr().err
