"""Makes mutants of a file: copies in which one thing is changed. For mutants.py."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path(__file__).parents[2] / "python/clazar_auth"
SWAPS: dict[type, Any] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
SWAPS |= {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
SWAPS |= {ast.BitAnd: ast.BitOr}


def changes(node: Any, field: str) -> Iterator[ast.AST]:
    """What is put in the place of this node."""
    is_condition = isinstance(node, (ast.BoolOp, ast.Compare, ast.UnaryOp))
    # A part of another condition is left out of that.
    if (is_condition and field not in ("values", "operand")) or field in ("test", "ifs"):
        yield from (ast.Constant(True), ast.Constant(False))
    match node:
        case ast.Expr() | ast.Assign() | ast.AugAssign() | ast.AnnAssign(value=ast.AST()):
            yield ast.Pass()
        case ast.Raise() | ast.Continue() | ast.Break() | ast.Return(None):
            yield ast.Pass()
        case ast.Return():
            yield ast.Return()
        case ast.With():
            yield ast.If(ast.Constant(True), node.body, [])
        case ast.ExceptHandler():
            yield ast.ExceptHandler(node.type, node.name, [ast.Raise()])
        case ast.Lambda():
            yield ast.Lambda(node.args, ast.Constant(None))
        case ast.Compare(ops=[op]) if type(op) in SWAPS:
            yield ast.Compare(node.left, [SWAPS[type(op)]()], node.comparators)
        case ast.BinOp():
            yield ast.BinOp(node.left, SWAPS[type(node.op)](), node.right)
        case ast.BoolOp():
            yield from without_one(node, "values")
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(value=bytes() as value):
            yield ast.Constant(value + b"x")
        case ast.Constant(value=str() as value) if " " not in value:  # Else it is for people.
            yield ast.Constant(value + "x")
        case ast.Call(ast.Name("suppress")):
            yield from without_one(node, "args")
        case ast.Call():
            yield from list(without_one(node, "args"))[1:][-1:]  # Others are seldom optional.
            yield from without_one(node, "keywords")
        case ast.Dict():
            yield from without_one(node, "keys", "values")
        case ast.Tuple() | ast.List() if len(node.elts) > 1:
            yield from without_one(node, "elts")
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from without_one(node, "decorator_list")


def without_one(node: ast.AST, *fields: str) -> Iterator[ast.AST]:
    for index in range(len(getattr(node, fields[0]))):
        changed = copy(node)
        for field in fields:
            items = getattr(node, field)
            setattr(changed, field, items[:index] + items[index + 1 :])
        yield changed


def is_left_alone(node: Any, field: str) -> bool:
    """Types, docstrings, and what a module exports, for which there are other tests."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.If(test=ast.Name("TYPE_CHECKING")):
            return True
        case ast.Expr(ast.Constant()) | ast.Assign([ast.Name("__all__" | "TYPE_CHECKING")]):
            return True
    return field in ("annotation", "returns") or not isinstance(node, ast.AST)


class Mutant(NamedTuple):
    file: str
    name: str
    source: str
    lines: set[int]


def mutants(file: str) -> Iterator[Mutant]:
    """Each with a name of its own."""
    counts: Counter[str] = Counter()
    for mutant in changed_copies(file):
        counts[mutant.name] += 1
        count = counts[mutant.name]
        yield mutant if count == 1 else mutant._replace(name=f"{mutant.name} ({count})")


def changed_copies(file: str) -> Iterator[Mutant]:
    tree = ast.parse((PACKAGE / file).read_text())

    def visit(parent: ast.AST, function: str, first: int) -> Iterator[Mutant]:
        for field, value in ast.iter_fields(parent):
            items = value if isinstance(value, list) else [value]
            for index, node in enumerate(items):
                if is_left_alone(node, field):
                    continue
                inner, begin = function, first
                if isinstance(node, ast.stmt):
                    inner = f"{function}.{getattr(node, 'name', '')}".strip(".")
                if isinstance(node, (ast.stmt, ast.excepthandler)):
                    begin = node.lineno
                lines = {begin, *range(getattr(node, "lineno", 0), getattr(node, "end_lineno", 0))}
                for changed in changes(node, field):
                    if ast.dump(changed) == ast.dump(node):
                        continue
                    put(parent, field, index, changed)
                    name = f"{file} {inner or 'module'}: {change(node, changed)}"
                    yield Mutant(file, name, ast.unparse(tree), lines)
                put(parent, field, index, node)
                yield from visit(node, inner, begin)

    return visit(tree, "", 1)


def put(parent: ast.AST, field: str, index: int, node: ast.AST) -> None:
    value = getattr(parent, field)
    if isinstance(value, list):
        value[index] = node
    else:
        setattr(parent, field, node)


def change(node: ast.AST, changed: ast.AST) -> str:
    before, after = (ast.unparse(it).strip().splitlines() or [""] for it in (node, changed))
    return (
        f"{before[0]} -> {after[0]}" if before[0] != after[0] else " ".join(" ".join(after).split())
    )
