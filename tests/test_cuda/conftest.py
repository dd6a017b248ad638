"""Tests for a GPU; `--device cpu` tries them without one.

`pytest tests/test_cuda -m cuda` is a part of tools/gpu_check.sh. Without a GPU they are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.datasets import FashionMNISTIdx
from mmtmix.models import SaliencySource
from mmtmix.models.augments import AUGMENTS, WITH_TEACHER, BatchAugment

STATS = dict(mean=[72.94], std=[90.02])


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the device."""
    parser.addoption(
        '--device', choices=['cuda', 'cpu'], default='cuda', help='of tests/test_cuda'
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a GPU where none is."""
    # the default serves where this file is found too late to add its option
    if config.getoption('device', 'cuda') == 'cpu' or torch.cuda.is_available():
        return
    reason = 'needs a GPU; --device cpu tries these tests without one'
    for item in items:
        if item.get_closest_marker('cuda'):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope='session')
def device(request: pytest.FixtureRequest) -> torch.device:
    """The device that is compared with the CPU."""
    return torch.device(request.config.getoption('device', 'cuda'))


@pytest.fixture(scope='session', autouse=True)
def _exact_products() -> Iterator[None]:
    """Compute in float32 what is float32: TF32 has ten bits of it."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


@pytest.fixture
def no_sync(device: torch.device) -> Callable[[], AbstractContextManager[None]]:
    """Make a context in which the host raises where it would wait for the GPU."""

    @contextmanager
    def forbid() -> Iterator[None]:
        if device.type != 'cuda':
            yield
            return
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode('error')
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode('default')

    return forbid


@pytest.fixture(scope='session')
def batch() -> tuple[Tensor, Tensor]:
    """Thirty-two images of the bundled set, normalised, and their scores."""
    samples = list(FashionMNISTIdx(indices=32, serialize_data=False))
    images = torch.stack([torch.from_numpy(sample['img'].copy()) for sample in samples])
    labels = torch.tensor([sample['gt_label'] for sample in samples])
    inputs = (images[:, None].float() - STATS['mean'][0]) / STATS['std'][0]
    return inputs, torch.nn.functional.one_hot(labels, 10).float()


class Brightness(SaliencySource):
    """Sees bright pixels, in the same steps on every device."""

    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        return batch_inputs.float().amax(dim=1, keepdim=True).exp()


@pytest.fixture
def make_augment(fitted_teacher: dict[str, Any]) -> Callable[..., BatchAugment]:
    """Make a mixer by its name: ``make_augment('TransformMix', num_mix=3)``.

    Two that are made by one call have the same weights.
    """

    def make(name: str, **settings: Any) -> BatchAugment:
        config = dict(AUGMENTS[name], **settings)
        if name in WITH_TEACHER:
            config.setdefault('teacher', dict(fitted_teacher, input_stats=dict(STATS)))
        if name in ('PuzzleMix', 'Co-Mixup'):
            pytest.importorskip('maxflow')
            config.setdefault('saliency', Brightness())
        if name == 'PuzzleMix':
            config.setdefault('block_num', 4)
        if name == 'TransformMix':
            module = dict(type='TransformMixer', cam_size=28, num_mix=config.get('num_mix', 2))
            config.setdefault('mixer', module)
        torch.manual_seed(0)
        augment = BATCH_AUGMENTS.build(config)
        augment.load()
        if name == 'TransformMix' and augment.mixer.stn is not None:
            torch.nn.init.normal_(augment.mixer.stn.fc.weight, std=0.1)
        return augment

    return make
