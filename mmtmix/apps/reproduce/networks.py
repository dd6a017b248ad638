"""The operations of a network, counted on the meta device."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmtmix.utils import load_config


class Network(NamedTuple):
    """What one forward pass of a network costs.

    Attributes:
        flops: Operations per image, >= 0; a multiplication and an addition are two.
        layers: Number of convolutions and linear layers.
    """

    flops: float
    layers: int


def count_network(model: Mapping[str, Any], size: int) -> Network:
    """Return what one forward pass of a classifier costs.

    Args:
        model: Config of the classifier.
        size: Side of an image in pixels, >= 1.
    """
    parts = {name: model[name] for name in ('backbone', 'neck', 'head') if model.get(name)}
    return _count(json.dumps(parts, default=str, sort_keys=True), size)


def teacher_network(settings: Mapping[str, Any], size: int) -> Network:
    """Return what one forward pass of a teacher costs.

    Args:
        settings: Config with a ``teacher``, which names a config.
        size: Side of an image in pixels, >= 1.
    """
    config = settings['teacher']['config']
    if not isinstance(config, str):
        return count_network(config['model'], size)
    variants = settings['teacher'].get('variants') or {}
    return count_network(_model_of(config, tuple(variants.items())), size)


@cache
def _model_of(config: str, variants: tuple[tuple[str, Any], ...]) -> Mapping[str, Any]:
    return load_config(config, variants=dict(variants)).model


@cache
def _count(parts: str, size: int) -> Network:
    """Count on the meta device, on which nothing is computed."""
    settings = json.loads(parts)
    channels = settings['backbone'].get('in_channels', 3)
    for part in settings.values():
        part.pop('init_cfg', None)
    with DefaultScope.overwrite_default_scope('mmpretrain'), torch.random.fork_rng(devices=[]):
        model = MODELS.build(dict(settings, type='ImageClassifier')).eval().to('meta')
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(torch.empty(1, channels, size, size, device='meta'), mode='tensor')
    kinds = (nn.Conv2d, nn.Linear)
    return Network(
        float(counter.get_total_flops()), sum(isinstance(m, kinds) for m in model.modules())
    )
