"""Mixers beside torchvision's in a collate function: the recipe of docs/mixers.md."""

import re
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from mmtmix.models import SaliencyMix, SampleMixup, TransformMix, TransformMixer

pytestmark = pytest.mark.host

DOCS = Path(__file__).parents[3] / 'docs' / 'mixers.md'


@pytest.fixture(scope='module')
def recipe():
    blocks = re.findall(r'```python\n(.*?)```', DOCS.read_text(), re.DOTALL)
    (code,) = (block for block in blocks if 'RandomChoice' in block)
    names = {}
    exec(code, names)
    return names


def batches(recipe, num_workers, seed=0):
    torch.manual_seed(seed)
    dataset, collate = recipe['loader'].dataset, recipe['collate']
    loader = DataLoader(
        dataset, batch_size=8, num_workers=num_workers, collate_fn=collate, shuffle=True
    )
    return list(loader)


@pytest.mark.parametrize('num_workers', [0, 2])
def test_the_recipe_mixes_images_and_labels(recipe, num_workers):
    assert {type(one).__name__ for one in recipe['mix'].transforms} == {
        'CutMix',
        'SampleMixup',
        'FMix',
    }
    found = batches(recipe, num_workers)
    assert len(found) == 8
    for images, targets in found:
        assert images.shape == (8, 3, 32, 32) and targets.shape == (8, 10)
        torch.testing.assert_close(targets.sum(dim=1), torch.ones(8))
    shares = torch.cat([targets.max(dim=1).values for _, targets in found])
    assert (shares < 1).float().mean() > 0.5
    repeated, other = batches(recipe, num_workers), batches(recipe, num_workers, seed=1)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(found, repeated, strict=True))
    assert not torch.equal(found[0][0], other[0][0])


class Draws(torch.utils.data.Dataset):
    """The same two images in each batch; what differs is what a mixer draws."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.full((1, 4, 4), float(index % 2)), index % 2


def mixup_of(items):
    mixer = SampleMixup(num_classes=2)
    return mixer(*torch.utils.data.default_collate(items))[1]


def test_each_worker_and_epoch_draws_its_own():
    torch.manual_seed(0)
    loader = DataLoader(Draws(), batch_size=2, num_workers=2, collate_fn=mixup_of)
    shares = torch.stack([targets[0, 0] for _ in range(2) for targets in loader])
    assert len(shares.unique()) == 8


def test_integer_labels_give_mixup_of_the_same_shares_as_torchvisions():
    """Both mix neighbours of a shuffled batch; with one share the targets are the same."""
    images, labels = torch.rand(4, 1, 2, 2), torch.tensor([0, 1, 2, 2])
    even = 1e6  # a Beta distribution that is 1/2
    _, theirs = v2.MixUp(alpha=even, num_classes=3)(images[:2], labels[:2])
    _, ours = SampleMixup(alpha=even, num_classes=3)(images[:2], labels[:2])
    torch.testing.assert_close(ours, theirs, atol=5e-3, rtol=0)


def refused_in(mixer):
    def collate(items):
        images, labels = torch.utils.data.default_collate(items)
        return mixer(images.expand(-1, 3, -1, -1), labels)

    return list(DataLoader(Draws(), batch_size=2, num_workers=1, collate_fn=collate))


def test_a_mixer_that_needs_a_network_is_refused_in_a_worker(make_teacher):
    learned = TransformMix(make_teacher(num_classes=2), TransformMixer(), num_classes=2)
    gradient = SaliencyMix('InputGradient', num_classes=2)
    for mixer in (learned, gradient):
        with pytest.raises(RuntimeError, match='needs a network.*worker.*main process'):
            refused_in(mixer)
