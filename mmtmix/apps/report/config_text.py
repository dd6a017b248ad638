"""Read the config that MMEngine wrote into a work dir, without running it."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any


def read_config_text(path: str | os.PathLike) -> dict[str, Any]:
    """Return the content of a config that holds values alone, as MMEngine writes it.

    The file is parsed, and nothing of it is run, so that a work dir of a stranger is safe. A value
    that is neither a literal nor ``dict(...)`` becomes its source text.

    Args:
        path: File such as ``vis_data/config.py``.

    Returns:
        The values by name. Methods, imports and other statements are left out.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no Python.
    """
    try:
        tree = ast.parse(Path(path).read_text(encoding='utf-8'))
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ValueError(f'{path} is no config: {error}') from error
    found: dict[str, Any] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found[statement.targets[0].id] = _value(statement.value)
    return found


def _value(node: ast.expr) -> Any:
    """Return the value of an expression of literals, or else its source text."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
        return {item.arg: _value(item.value) for item in node.keywords if item.arg}
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {str(_value(key)): _value(value) for key, value in pairs if key is not None}
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [_value(item) for item in node.elts]
        return tuple(items) if isinstance(node, ast.Tuple) else items
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ast.unparse(node)
