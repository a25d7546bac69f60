"""The locks pin everything by hash, agree with one another, and name no address."""

from pathlib import Path

import pytest

from tests.dev.commands import ROOT
from tools.environment import LOCKS
from tools.locking import CONSTRAINED_BY, check
from tools.refusal import Refusal


def pins(name: str) -> set[str]:
    lines = (ROOT / f"{name}.lock").read_text().splitlines()
    return {line.removesuffix(" \\") for line in lines if "==" in line}


@pytest.mark.parametrize("name", CONSTRAINED_BY)
def test_a_lock_has_a_hash_for_each_package_and_no_address(name: str) -> None:
    assert check(ROOT / f"{name}.lock") == len(pins(name)) > 0


@pytest.mark.parametrize(("larger", "smaller"), CONSTRAINED_BY.items())
def test_a_larger_lock_has_the_same_pins_as_the_one_it_builds_on(
    larger: str, smaller: str | None
) -> None:
    assert smaller is None or pins(smaller) <= pins(larger)


def test_every_lock_that_an_environment_needs_is_made() -> None:
    needed = {name.removesuffix(".lock") for locks in LOCKS.values() for name in locks}
    assert needed <= set(CONSTRAINED_BY)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--index-url x", "names an address"),
        ("pkg @ https://host/pkg.whl \\", "names an address"),
        ("pkg==1.0", "no hash for pkg==1.0"),
    ],
)
def test_a_lock_with_an_address_or_without_a_hash_is_refused(
    tmp_path: Path, line: str, said: str
) -> None:
    (tmp_path / "x.lock").write_text(f"{line}\n")
    with pytest.raises(Refusal, match=said):
        check(tmp_path / "x.lock")
