"""Sources whose decorated functions a mutation tool can change."""

from __future__ import annotations

import ast

KEPT = ('staticmethod', 'classmethod', 'overload', 'abstractmethod')


def undecorate(source: str) -> str:
    """Apply the decorators of functions after their definition.

    mutmut leaves decorated functions alone, and many of the mixers' are. ``@d def f(): ...``
    becomes ``def f(): ...; f = d(f)``, which is the same.

    Args:
        source: Python source text.

    Returns:
        The text with decorators moved, but for those of ``KEPT``, which mutmut handles.
    """
    lines = source.split('\n')
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    # from the last, so that the lines before keep their numbers
    for node in sorted(functions, key=lambda node: node.lineno, reverse=True):
        texts = [ast.unparse(decorator) for decorator in node.decorator_list]
        # a property's setter needs the property in its place
        if not texts or any(text.split('.')[-1] in (*KEPT, 'setter') for text in texts):
            continue
        indent = ' ' * node.col_offset
        applied = node.name
        for text in reversed(texts):
            applied = f'{text}({applied})'
        assert node.end_lineno is not None
        lines.insert(node.end_lineno, f'{indent}{node.name} = {applied}')
        first = node.decorator_list[0].lineno
        del lines[first - 1 : node.lineno - 1]
    return '\n'.join(lines)
