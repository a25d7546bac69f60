"""Mutants of a function: the same function with one thing changed, as somebody might get it wrong.

What is changed: comparisons, boolean and set operations, negations, conditions, small constants, what is returned, what
is raised, and whether a call is made at all. Sentences and log lines are left alone: they guard nothing.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_LONGEST_WORD = 20
_SMALLEST_SIZE = 100
"""From here on, a number is how much of a text is kept, or of rows: one more or less guards nothing."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change to one function."""

    module: str
    function: str
    line: int
    change: str
    code: CodeType
    """The changed function's code, to be put in the place of the true one's."""

    @property
    def name(self) -> str:
        """Return what tells it from all others."""
        return f"{self.module}.{self.function}: {self.change}"


def function_in(module: ModuleType, name: str) -> FunctionType:
    """Return the function behind a name such as `Spool.add`, whatever decorates it."""
    found: Any = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
        found = getattr(found, "fget", None) or getattr(found, "__func__", found)
        found = inspect.unwrap(found)
    assert isinstance(found, FunctionType), f"{module.__name__}.{name} is no function"
    return found


def functions_of(module: ModuleType) -> list[str]:
    """Return the names of the functions and methods that a module defines, in their order."""
    tree = ast.parse(inspect.getsource(module))
    return [name for name, _ in _functions(tree, "")]


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def mutants_of(module: ModuleType, name: str) -> list[Mutant]:
    """Return every mutant of one function."""
    tree = ast.parse(inspect.getsource(module))
    function = dict(_functions(tree, ""))[name]
    made, seen = [], set()
    for number, (node, change, _) in enumerate(_changes(function)):
        copy = deepcopy(tree)
        _, _, apply = list(_changes(dict(_functions(copy, ""))[name]))[number]
        apply()
        compiled = compile(ast.fix_missing_locations(copy), module.__file__ or "", "exec")
        line = getattr(node, "lineno", function.lineno)
        told = f"{change} (line {line - function.lineno + 1})"
        if told not in seen:
            seen.add(told)
            code = _code_in(compiled, name)
            made.append(
                Mutant(module=module.__name__, function=name, line=line, change=told, code=code)
            )
    return made


def _code_in(compiled: CodeType, name: str) -> CodeType:
    for part in name.split("."):
        inner = [one for one in compiled.co_consts if isinstance(one, CodeType)]
        compiled = next(one for one in inner if one.co_name == part)
    return compiled


Change = tuple[ast.AST, str, Callable[[], None]]


def _changes(function: ast.FunctionDef) -> Iterator[Change]:
    """Yield each change that can be made to a function: where, what, and what makes it."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    for statement in body:
        for node in _guarding(statement):
            yield from _of_node(node)
    for parent in ast.walk(function):
        yield from _of_statements(parent)


def _guarding(node: ast.AST) -> Iterator[ast.AST]:
    if not (_is_log(node) or isinstance(node, ast.JoinedStr)):
        yield node
        for child in ast.iter_child_nodes(node):
            if not (isinstance(node, ast.AnnAssign) and child is node.annotation):
                yield from _guarding(child)


def _is_log(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith("log.")


def _of_node(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            if type(operator) in _SWAPS:
                yield _swap(node, node.ops, index)
    elif isinstance(node, ast.BoolOp | ast.BinOp | ast.AugAssign) and type(node.op) in _SWAPS:
        new: Any = _SWAPS[type(node.op)]()
        what = f"{type(new).__name__} for {type(node.op).__name__} in `{ast.unparse(node)}`"
        yield node, what, lambda: setattr(node, "op", new)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        operand = node.operand
        yield node, f"without the negation in `{ast.unparse(node)}`", lambda: _become(node, operand)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node)
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        yield from _of_condition(node)


def _swap(node: ast.Compare, ops: list[ast.cmpop], index: int) -> Change:
    new: Any = _SWAPS[type(ops[index])]()
    what = f"{type(new).__name__} for {type(ops[index]).__name__} in `{ast.unparse(node)}`"
    return node, what, lambda: ops.__setitem__(index, new)


def _become(node: ast.AST, other: ast.AST) -> None:
    """Let a node be another one, in its place."""
    node.__class__ = other.__class__
    node.__dict__.clear()
    node.__dict__.update(other.__dict__)


def _of_constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    new: bool | int | float | str | None = None
    if isinstance(value, bool):
        new = not value
    elif isinstance(value, int | float) and value < _SMALLEST_SIZE:
        new = value + 1
    elif isinstance(value, str) and value and " " not in value and len(value) < _LONGEST_WORD:
        new = f"{value}X"
    if new is not None:
        yield node, f"{new!r} for {value!r}", lambda: setattr(node, "value", new)


def _of_condition(node: ast.If | ast.While | ast.IfExp) -> Iterator[Change]:
    test = node.test
    for value in (True, False):
        if isinstance(node, ast.While) and value:
            continue  # for ever, which is found by its time and takes all of it
        what = f"{value} for the condition `{ast.unparse(test)}`"
        yield node, what, lambda value=value: setattr(node, "test", ast.Constant(value))  # type: ignore[misc]


def _of_statements(parent: ast.AST) -> Iterator[Change]:
    for field in ("body", "orelse", "finalbody"):
        statements = getattr(parent, field, None)
        if not isinstance(statements, list):
            continue
        for index, statement in enumerate(statements):
            yield from _of_statement(statements, index, statement)


def _of_statement(statements: list[ast.stmt], index: int, statement: ast.stmt) -> Iterator[Change]:
    shown = ast.unparse(statement).partition("\n")[0]
    if _is_log(statement):
        return
    if (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call | ast.Await)
    ) or isinstance(statement, ast.Raise):
        yield statement, f"without `{shown}`", lambda: statements.__setitem__(index, ast.Pass())
    elif isinstance(statement, ast.Return) and statement.value is not None:
        nothing = ast.Return(value=ast.Constant(None))
        if not (isinstance(statement.value, ast.Constant) and statement.value.value is None):
            yield statement, f"None for `{shown}`", lambda: statements.__setitem__(index, nothing)
