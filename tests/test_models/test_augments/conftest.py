"""A TransformMix whose mixing module moves and masks at random."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mmtmix.models import TransformMix, TransformMixer


@pytest.fixture
def make_mixer() -> Callable[..., TransformMixer]:
    """Make a mixing module of random weights: ``make_mixer(num_mix=2, cam_size=18)``."""

    def make(num_mix: int = 2, cam_size: int = 18, **settings) -> TransformMixer:
        torch.manual_seed(0)
        mixer = TransformMixer(num_mix=num_mix, cam_size=cam_size, **settings)
        if mixer.stn is not None:
            torch.nn.init.normal_(mixer.stn.fc.weight, std=0.1)
            torch.nn.init.normal_(mixer.stn.fc.bias, std=0.1)
        return mixer

    return make


@pytest.fixture
def make_augment(make_teacher, make_mixer) -> Callable[..., TransformMix]:
    """Make an augment: ``make_augment(num_mix=2, in_channels=3, num_classes=10)``."""

    def make(
        num_mix: int = 2, in_channels: int = 3, num_classes: int = 10, **settings
    ) -> TransformMix:
        teacher = make_teacher(num_classes=num_classes, in_channels=in_channels)
        return TransformMix(teacher, make_mixer(num_mix), num_mix=num_mix, **settings)

    return make
