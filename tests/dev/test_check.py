"""`./dev check` runs what it says it runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.dev.commands import ROOT
from tools import checking

BROKEN = """
[tool.importlinter]
root_packages = ["upper", "lower"]
[[tool.importlinter.contracts]]
name = "Down only"
type = "layers"
layers = ["upper", "lower"]
"""


def test_a_broken_import_contract_fails(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(BROKEN)
    for name, text in {"upper": "", "lower": "import upper"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    command = checking.steps(tmp_path, Path(sys.executable))["contracts"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "lower is not allowed to import upper" in done.stdout


def test_every_python_file_of_the_project_is_type_checked() -> None:
    outside = {path.name for path in ROOT.glob("*.py")} | {
        path.parent.name for path in ROOT.glob("[a-z]*/*.py")
    }
    assert outside - {"var"} <= set(checking.TYPED)


def test_only_what_failed_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def steps(root: Path, python: Path) -> dict[str, list[str]]:
        programs = {"lint": "print('all well')", "types": "print('no!'); raise SystemExit(1)"}
        return {name: [str(python), "-c", program] for name, program in programs.items()}

    monkeypatch.setattr(checking, "steps", steps)
    assert checking.check(ROOT, Path(sys.executable)) == 1
    said = capsys.readouterr().out
    assert "lint       ok" in said
    assert "types      FAILED" in said
    assert "no!" in said
    assert "all well" not in said
