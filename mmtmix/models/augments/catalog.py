"""The mixers of pairs by the names that papers give them."""

from __future__ import annotations

from typing import Any

MIXERS: dict[str, dict[str, Any]] = {
    'Mixup': dict(type='SampleMixup'),
    'CutMix': dict(type='SampleCutMix'),
    'ResizeMix': dict(type='SampleResizeMix'),
    'GridMix': dict(type='GridMix'),
    'SmoothMix': dict(type='SmoothMix'),
    'FMix': dict(type='FMix'),
    'SaliencyMix': dict(type='SaliencyMix'),
    'AttentiveMix': dict(type='AttentiveMix'),
    'PuzzleMix': dict(type='PuzzleMix'),
    'Co-Mixup': dict(type='CoMixup'),
    'SuperMix': dict(type='SuperMix'),
    'TransformMix': dict(type='TransformMix'),
}
"""Their configs; those of ``WITH_TEACHER`` need a ``teacher``, and TransformMix a ``mixer``."""

BLIND = ('Mixup', 'CutMix', 'ResizeMix', 'GridMix', 'SmoothMix', 'FMix')
WITH_TEACHER = ('AttentiveMix', 'SuperMix', 'TransformMix')
