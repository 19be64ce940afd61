"""The scripts that are sent to nodes, each in one file: the shared modules and the node's end."""

from __future__ import annotations

import ast
from functools import cache
from importlib import resources


@cache
def node_source() -> str:
    """The relay's node end as source text; needs nothing but Python 3.9's standard library."""
    return _source_of("frames.py", "stream.py", "mux.py", "detach.py", "node_end.py")


@cache
def detour_source() -> str:
    """The detour's node end, likewise."""
    return _source_of("detach.py", "detour_end.py")


def _source_of(*modules: str) -> str:
    package = resources.files("golem_bridge.relay")
    parts = [_without_own_imports((package / name).read_text(encoding="utf-8")) for name in modules]
    return "from __future__ import annotations\n" + "\n".join(parts)


def _without_own_imports(source: str) -> str:
    """Drop imports between these modules, and docstrings, which the node has no use for."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [item for item in body if not _is_dropped(item)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _is_dropped(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__" or (statement.module or "").startswith("golem_bridge.")
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
