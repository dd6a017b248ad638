"""Text on how a converted checkpoint is used."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mmtmix.utils import resolve_config

from .convert import count_classes
from .layouts import ARCHS

_EXPERIMENTS = ('distill/teacher_*.py', 'simple/*.py')  # configs that train one network


def describe_use(target: str | os.PathLike, arch: str, num_classes: int) -> str:
    """Return the settings with which a checkpoint is a teacher, and the config that it needs.

    A teacher needs a ``data_preprocessor`` beside its model, so a whole config.

    Args:
        target: Path of the checkpoint.
        arch: Name in ``ARCHS``.
        num_classes: Number of its classes.

    Returns:
        A text of one to three lines.
    """
    network = ARCHS[arch]
    bases = [f'models/{network.config}.py', f'datasets/{network.images}.py']
    is_usual = num_classes == count_classes(network)
    experiment = _find_experiment(bases) if is_usual else None
    config = repr(experiment) if experiment else '...'
    lines = [f'as a teacher: dict(config={config}, checkpoint={str(target)!r})']
    if experiment is None:
        listed = ', '.join(repr(f'configs/_base_/{base}') for base in bases)
        lines.append(f'with a config of _base_ = [{listed}]')
    if not is_usual:
        part = network.classifier.split('.')[0]
        lines.append(
            f'that sets num_classes={num_classes} in model.{part} and in data_preprocessor, and '
            'there mean and std as in its training'
        )
    return '\n'.join(lines)


def _find_experiment(bases: Sequence[str]) -> str | None:
    """Return the path of a config with these files of ``configs/_base_``, or None."""
    folder = resolve_config(f'configs/_base_/{bases[0]}').parents[2]
    for pattern in _EXPERIMENTS:
        for path in sorted(folder.glob(pattern)):
            text = path.read_text(encoding='utf-8')
            if all(f"/_base_/{base}'" in text for base in bases):
                return f'configs/{path.relative_to(folder).as_posix()}'
    return None
