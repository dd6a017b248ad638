"""Settings, sources, losses and functions that are in no registry refuse bad arguments by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mmtmix.apps.generate import GenerationSettings
from mmtmix.apps.generate.sampling import draw_sources
from mmtmix.apps.reproduce.paired import paired_difference
from mmtmix.apps.reproduce.power import detectable_difference, paired_power
from mmtmix.apps.reproduce.table_statistics import (
    share_of_gain,
)
from mmtmix.datasets.mixed_shards import ShardReader
from mmtmix.datasets.mixed_shards.mixed_set import MixedSet
from mmtmix.functional import SuperMixSettings
from mmtmix.functional.co_mixup_costs import CoMixupSettings
from mmtmix.models import FrozenTeacher
from mmtmix.models.classifiers.head_use import HeadUse
from mmtmix.models.mixers.mask_network import MaskNetwork
from mmtmix.models.mixers.spatial_transformer import SpatialTransformer
from mmtmix.utils import choose_dtype, scale_epochs
from mmtmix.utils.timing import time_in_turns
from mmtmix.visualization.grid import Group, image_grid

pytestmark = pytest.mark.host

NET = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))

SUBJECTS: dict[Any, dict[str, Any]] = {
    SuperMixSettings: {},
    CoMixupSettings: {},
    GenerationSettings: dict(num=4),
    FrozenTeacher: dict(model=NET, mean=0, std=255),
    HeadUse: {},
    MaskNetwork: dict(num_mix=2),
    SpatialTransformer: dict(num_mix=2, cam_size=18),
    detectable_difference: dict(deviation=0.4, pairs=10),
    paired_power: dict(effect=1.0, pairs=10),
    share_of_gain: dict(gain={0: 1.0}, whole={0: 2.0}),
    choose_dtype: dict(dtype='float32', device_type='cpu'),
    draw_sources: dict(num=2, num_mix=2, num_images=4, generator=torch.Generator()),
    image_grid: dict(columns=[Group(['a'])], rows=[Group(['b'])], aspect=1.0),
    paired_difference: dict(a={0: 1.0}, b={0: 2.0}),
    scale_epochs: dict(epochs=100, num_clean=50, num_images=100),
    time_in_turns: dict(calls={'nothing': int}, repeats=1, device='cpu', row_seconds=0.0),
}
TEXTS = {FrozenTeacher: ['cam_layer']}
LEFT_OUT = {choose_dtype: ['device_type'], draw_sources: ['num_images']}


@pytest.mark.parametrize('subject', SUBJECTS)
def test_bad_arguments_are_refused_by_name(subject, count_refused):
    good = SUBJECTS[subject]
    subject(**good)
    count = count_refused(
        subject,
        lambda given: subject(**given),
        good,
        texts=TEXTS.get(subject, ()),
        left_out=LEFT_OUT.get(subject, ()),
    )
    assert count


@pytest.mark.parametrize('subject', [ShardReader, MixedSet])
def test_bad_arguments_are_refused_before_a_file_is_opened(subject, count_refused):
    good = {next(iter(subject.__init__.__annotations__)): Path('nowhere')}
    with pytest.raises(FileNotFoundError, match='nowhere'):
        subject(**good)
    assert count_refused(subject, lambda given: subject(**given), good, texts=['settings_digest'])
