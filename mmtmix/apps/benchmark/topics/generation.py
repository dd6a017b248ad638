"""Making a set of mixed images."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.report import Row
from mmtmix.apps.generate import generate
from mmtmix.utils import load_config, seconds_of

from .calls import Calls

_CONFIG = 'mmtmix::simple/wrn16_fashionmnist_mini.py'
AUGMENTS: dict[str, dict[str, Any]] = {
    'CutMix': dict(type='SampleCutMix'),
    'TransformMix': dict(type='TransformMix', mixer=dict(type='TransformMixer', cam_size=28)),
}
_SIZES = (256, 768)  # the difference leaves out what a set takes however small it is
_IMAGES = 128


def generation(bench: Bench) -> Calls:
    """Return the time per 128 images of sets that are made from the bundled Fashion-MNIST.

    The teacher is a WRN-16-1 of random weights, which labels the images.

    Args:
        bench: Bench, whose device generates.
    """
    calls = Calls(images=_IMAGES)
    for name, augment in AUGMENTS.items():
        calls.once[f'generation by {name}'] = partial(_generation_row, augment, bench.device)
    return calls


def _generation_row(augment: dict[str, Any], device: str) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        cfg = _config(augment, Path(folder, 'teacher.pth'))
        taken = []
        for num in _SIZES:
            cfg.generation.num = num
            make = partial(generate, cfg, Path(folder, str(num)), device=device)
            taken.append(seconds_of(make, device))
    batches = (_SIZES[1] - _SIZES[0]) / _IMAGES
    return Row((taken[1] - taken[0]) / batches, images=_IMAGES)


def _config(augment: dict[str, Any], checkpoint: Path) -> Config:
    """Return the config of a generation, and write the weights of its teacher."""
    cfg = load_config(_CONFIG)
    model = MODELS.build(dict(cfg.model, _scope_='mmpretrain'))
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    plain = dict(model=cfg.model.to_dict(), data_preprocessor=cfg.data_preprocessor.to_dict())
    teacher = dict(config=plain, checkpoint=str(checkpoint))
    cfg.generation = dict(keep='all')
    if augment['type'] == 'TransformMix':
        augment = dict(augment, teacher=teacher)
    else:
        cfg.generation.teacher = teacher
    cfg.model.train_cfg = dict(augments=augment)
    return cfg
