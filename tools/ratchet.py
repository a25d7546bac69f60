"""The size ratchet: files and functions stay small, and what is too long may only shrink.

Files (Python, JavaScript, CSS) have at most 250 lines and Python functions at most 30, from `def` to
their last line. An exception is a line of `ratchet-exceptions.txt`:

    path[:function] lines  # reason

`function` is qualified (`Class.method`). An entry above the present size must be lowered, and one
that is no longer needed must go. Functions of JavaScript are not counted, only its files.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES, FUNCTION_LINES = 250, 30
EXCEPTIONS = "tools/ratchet-exceptions.txt"
SUFFIXES = {".py", ".js", ".css"}
_ELSEWHERE = {"var", "node_modules", "__pycache__"}
_ENTRY = re.compile(r"(?P<name>\S+)\s+(?P<lines>\d+)\s*(?:#\s*(?P<reason>\S.*)?)?")


def findings(root: Path) -> list[str]:
    """Return a sentence for each breach under `root`."""
    sizes = measure(root)
    allowed, said = _exceptions(root / EXCEPTIONS)
    for name, lines in sorted(sizes.items()):
        kind, limit = ("function", FUNCTION_LINES) if ":" in name else ("file", FILE_LINES)
        if lines > allowed.get(name, limit):
            said.append(f"{name}: {lines} lines, a {kind} has at most {allowed.get(name, limit)}")
    return said + [entry for name in allowed for entry in _unneeded(name, allowed[name], sizes)]


def _unneeded(name: str, allowed: int, sizes: dict[str, int]) -> Iterator[str]:
    lines = sizes.get(name)
    limit = FUNCTION_LINES if ":" in name else FILE_LINES
    if lines is None:
        yield f"{EXCEPTIONS}: {name} does not exist any more: remove its entry"
    elif lines <= limit:
        yield f"{EXCEPTIONS}: {name} has {lines} lines and needs no exception: remove its entry"
    elif lines < allowed:
        yield f"{EXCEPTIONS}: {name} has shrunk: lower its entry from {allowed} to {lines}"


def _exceptions(path: Path) -> tuple[dict[str, int], list[str]]:
    allowed: dict[str, int] = {}
    said: list[str] = []
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _ENTRY.fullmatch(line.strip())
        if entry is None:
            said.append(f"{EXCEPTIONS}:{number}: not of the form `path[:function] lines  # reason`")
        elif not entry["reason"]:
            said.append(f"{EXCEPTIONS}:{number}: {entry['name']} has no reason beside it")
        else:
            allowed[entry["name"]] = int(entry["lines"])
    return allowed, said


def measure(root: Path) -> dict[str, int]:
    """Return the lines of each file (`path`) and function (`path:Class.method`) under `root`."""
    sizes: dict[str, int] = {}
    for path in _sources(root):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        sizes[name] = len(text.splitlines())
        if path.suffix in {".py", ""}:
            sizes |= {f"{name}:{function}": lines for function, lines in _functions(text)}
    return sizes


def _sources(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        if path.name.startswith(".") or path.name in _ELSEWHERE or path.is_symlink():
            continue
        if path.is_dir():
            yield from _sources(path)
        elif path.suffix in SUFFIXES or path.name == "dev":
            yield path


def _functions(text: str) -> Iterator[tuple[str, int]]:
    def within(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            name = prefix
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{prefix}{child.name}."
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name[:-1], (child.end_lineno or child.lineno) - child.lineno + 1
            yield from within(child, name)

    yield from within(ast.parse(text), "")


def main() -> int:
    """Print the breaches of the project; return 1 if there is one."""
    said = findings(Path(__file__).resolve().parent.parent)
    sys.stdout.writelines(f"{line}\n" for line in said)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
