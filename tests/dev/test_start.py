"""`./dev` tells an unfit Python what to do, and needs nothing but the standard library."""

import ast
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from tests.dev.commands import ROOT, python

Complaint = Callable[[tuple[int, ...], str], str | None]


@pytest.fixture
def complaint() -> Complaint:
    return cast("Complaint", runpy.run_path(str(ROOT / "dev"))["complaint"])


def test_an_old_python_is_told_which_one_to_use(
    complaint: Complaint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python3.12").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert complaint((3, 9, 2), "demo") == (
        "./dev needs Python 3.11 or newer and was started by 3.9.2: start it as `python3.12 dev demo`."
    )


def test_where_there_is_no_newer_python_the_sentence_says_how_to_get_one(
    complaint: Complaint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install python3 python3-venv" in str(complaint((3, 9, 2), "demo"))


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 1), (3, 13, 0)])
def test_a_fit_python_is_told_nothing(complaint: Complaint, version: tuple[int, ...]) -> None:
    assert complaint(version, "demo") is None


def test_the_script_itself_parses_on_the_pythons_that_it_refuses() -> None:
    tree = ast.parse((ROOT / "dev").read_text(), feature_version=(3, 6))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.NamedExpr)]
    imported = {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }
    assert "__future__" not in imported, "3.6 has no `annotations` there"


def test_the_tools_import_nothing_that_is_not_in_the_standard_library() -> None:
    known = sys.stdlib_module_names | {"tools"}
    for path in (ROOT / "dev", *(ROOT / "tools").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {name.partition(".")[0] for name in names} <= known, path


def test_help_names_every_command_from_any_folder(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, str(ROOT / "dev"), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(f"\n    {name} " in told.stdout for name in ("demo", "test", "check", "lock"))


def test_a_port_that_is_none_is_refused_before_anything_starts() -> None:
    told = subprocess.run(
        [sys.executable, str(ROOT / "dev"), "demo", "--port", "99999"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    assert "99999 is not a port: give a number from 1 to 65535" in told.stderr


def test_a_python_without_ensurepip_is_told_which_package_has_it(tmp_path: Path) -> None:
    for lock in ROOT.glob("requirements*.lock"):
        (tmp_path / lock.name).write_bytes(lock.read_bytes())
    program = """
import sys
from pathlib import Path
sys.modules["ensurepip"] = None  # as Debian's python3 has it without python3-venv
from tools.environment import Environment
from tools.refusal import Refusal
try:
    Environment(root=Path(sys.argv[1])).ready("demo")
except Refusal as refusal:
    print(refusal)
"""
    done = subprocess.run(
        python(program, str(tmp_path)), capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "This Python has no ensurepip" in done.stdout
    assert "apt install python3-venv" in done.stdout
    assert not (tmp_path / ".venv").exists()
