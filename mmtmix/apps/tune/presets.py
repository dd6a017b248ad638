"""Spaces of parameters that fit any search.

| part | range | source |
|---|---|---|
| learning rate | a tenth to tenfold of the config's | TransformMix 5e-4 (SGD), ours 1e-3 (Adam) |
| length | a quarter to twice the config's | docs/evidence.md has a quarter to fourfold |
| `saliency_noise` | 0 to 1 | docs/evidence.md has 0 (as published), 0.5 and 1 |
| `noise_size` | 1, 4 | TransformMix, section 3.1, and ours |
| `padding_mode` | zeros, border, reflection | TransformMix's own, and docs/evidence.md |
| `anchored`, `random_orientation` | no, yes | TransformMix's own, and docs/evidence.md |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.config import Config

from mmtmix.functional import PADDING_MODES

LENGTH, RATE = 'train_cfg.max_epochs', 'optim_wrapper.optimizer.lr'


def _schedule(cfg: Config) -> dict[str, Any]:
    """Return the space of the optimization: its rate and its length."""
    rate, epochs = cfg.optim_wrapper.optimizer.lr, cfg.train_cfg.max_epochs
    lengths = sorted({max(1, epochs // 4), max(1, epochs // 2), epochs, 2 * epochs})
    return {RATE: dict(low=rate / 10, high=rate * 10, log=True), LENGTH: lengths}


def _module(cfg: Config) -> dict[str, Any]:
    """Return the space of the mixing module: its noise, and what surrounds warped images."""
    space: dict[str, Any] = {
        'saliency_noise': dict(low=0.0, high=1.0),
        'noise_size': [1, 4],
        'anchored': [False, True],
        'random_orientation': [False, True],
    }
    if cfg.model.mixer.get('transform', 'stn') != 'none':  # else nothing is warped
        space['padding_mode'] = list(PADDING_MODES)
    return {f'model.mixer.{name}': values for name, values in space.items()}


PRESETS: dict[str, Callable[[Config], dict[str, Any]]] = {
    'schedule': _schedule,
    'module': _module,
    'all': lambda cfg: _schedule(cfg) | _module(cfg),
}
"""Functions that return the space for a search's config, by name."""
