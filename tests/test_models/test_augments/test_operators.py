"""Bounds on the operators of a call, each of which costs a GPU a kernel or the host a dispatch."""

import pytest
from mmpretrain.registry import BATCH_AUGMENTS
from torch.utils._python_dispatch import TorchDispatchMode

from mmtmix.models.augments import AUGMENTS

pytestmark = pytest.mark.host

VIEWS = ('view', 'expand', 'slice', 'select', 'unsqueeze', 'detach', 'alias', 'unfold', 'permute')


class Operators(TorchDispatchMode):
    """Counts operators that compute or copy."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.__name__.partition('.')[0]
        if not any(view in name for view in VIEWS):
            self.names.append(name)
        return func(*args, **(kwargs or {}))


BOUNDS = dict(Mixup=25, CutMix=63, ResizeMix=84, GridMix=49, SmoothMix=57, FMix=53)


@pytest.mark.parametrize('name', BOUNDS)
def test_a_call_has_few_operators(make_batch, name):
    augment = BATCH_AUGMENTS.build(dict(AUGMENTS[name]))
    batch = make_batch(8, (3, 20, 20))
    augment(*batch)
    with Operators() as counted:
        augment(*batch)
    assert len(counted.names) <= BOUNDS[name], counted.names
    assert counted.names.count('lerp') == 1
