"""What the parameters of a method mean: the strings under its fields."""

from __future__ import annotations

import ast
import inspect
import textwrap

from rootward.methods.base import Method


def descriptions(kind: type[Method]) -> dict[str, str]:
    """The string under each field of the class, by the field's name."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for statement, below in zip(tree.body, tree.body[1:], strict=False):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[statement.target.id] = " ".join(str(below.value.value).split())
    return found
