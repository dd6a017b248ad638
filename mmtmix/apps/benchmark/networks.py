"""Networks of random weights, which cost as much as trained ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmpretrain.registry import MODELS
from torch import nn

NETWORKS: dict[str, tuple[dict[str, Any], int]] = {
    'wrn16_1': (dict(type='WideResNet', depth=16, widen_factor=1), 64),
    'wrn40_2': (dict(type='WideResNet', depth=40, widen_factor=2), 128),
    'wrn28_10': (dict(type='WideResNet', depth=28, widen_factor=10, layout='puzzle'), 640),
    'resnet18_cifar': (dict(type='ResNet_CIFAR', depth=18), 512),
    'resnet18': (dict(type='ResNet', depth=18), 512),
    'resnet50': (dict(type='ResNet', depth=50), 2048),
}
"""Config of each backbone, and the number of channels of its features, by name."""


def build_network(name: str, num_classes: int) -> nn.Module:
    """Build a classifier of random weights.

    Args:
        name: Name in :data:`NETWORKS`.
        num_classes: Number of classes, >= 2.
    """
    backbone, channels = NETWORKS[name]
    config = dict(
        type='ImageClassifier',
        backbone=dict(backbone),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=num_classes, in_channels=channels),
        _scope_='mmpretrain',
    )
    return MODELS.build(config)


def network_name(backbone: Mapping[str, Any]) -> str | None:
    """Return the name of a backbone in :data:`NETWORKS`; None if it is none of them.

    Args:
        backbone: Config of a backbone, such as ``dict(type='WideResNet', depth=16, ...)``.
    """
    for name, (settings, _) in NETWORKS.items():
        if all(backbone.get(key) == value for key, value in settings.items()):
            return name
    return None
