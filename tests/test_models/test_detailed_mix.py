"""Details of a mix by any augment, and an unchanged run."""

import random

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain.models import CutMix, Mixup, RandomBatchAugment, ResizeMix

from mmtmix.models import SampleCutMix, mix_with_details
from mmtmix.models.augments import build_batch_augments
from mmtmix.models.foreign_mix import mix_foreign

pytestmark = pytest.mark.host

AUGMENTS = {
    'mixup': Mixup(alpha=1.0),
    'cutmix': CutMix(alpha=1.0),
    'cutmix_uncorrected': CutMix(alpha=1.0, correct_lam=False),
    'cutmix_minmax': CutMix(alpha=1.0, cutmix_minmax=[0.2, 0.8]),
    'resizemix': ResizeMix(alpha=1.0),
    'bicubic': ResizeMix(alpha=1.0, interpolation='bicubic'),
    'sample': SampleCutMix(num_mix=3),
}


class ThreeMix:
    """An augment of another library: three images, random shares on each row of pixels."""

    def __call__(self, images, scores):
        parts = [torch.arange(len(images)).roll(shift) for shift in range(3)]
        bands = torch.rand(3, 1, 1, images.size(-2), 1).softmax(dim=0)
        shares = bands.mean(dim=(1, 2, 3, 4))
        mixed = sum(band * images[part] for band, part in zip(bands, parts, strict=True))
        return mixed, sum(w * scores[part] for w, part in zip(shares, parts, strict=True))


class Noisy(Mixup):
    def __call__(self, images, scores):
        mixed, targets = super().__call__(images, scores)
        return mixed + 0.1 * torch.randn_like(mixed), targets


class Smoothed(Mixup):
    def __call__(self, images, scores):
        mixed, targets = super().__call__(images, scores)
        return mixed, 0.9 * targets + 0.01


class OwnRandomness(Mixup):
    """An augment with a generator of its own, which counts its calls."""

    calls = 0

    def __init__(self):
        super().__init__(alpha=1.0)
        self.rng = np.random.default_rng(0)

    def mix(self, images, scores):
        self.calls += 1
        share, order = self.rng.beta(1, 1), self.rng.permutation(len(images))
        return (
            share * images + (1 - share) * images[order],
            share * scores + (1 - share) * scores[order],
        )


def seed():
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)


def drawn():
    """What each generator draws next."""
    return random.random(), np.random.rand(), torch.rand(()).item()  # noqa: NPY002


def batch(num=7, channels=3, size=(12, 10)):
    generator = torch.Generator().manual_seed(num)
    images = torch.randn(num, channels, *size, generator=generator)
    return images, torch.eye(10)[torch.randperm(10, generator=generator)[:num]]


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('name', AUGMENTS)
def test_mixes_and_streams_are_those_of_a_plain_call(name, channels):
    augment, (images, scores) = AUGMENTS[name], batch(channels=channels)
    seed()
    mixed, targets = augment(images.clone(), scores)
    after = drawn()
    kept = images.clone()
    seed()
    found = mix_with_details(augment, images, scores)
    assert drawn() == after
    assert torch.equal(found.mixed, mixed) and torch.equal(found.targets, targets)
    assert torch.equal(images, kept) and found.augment is augment


def test_an_augment_with_its_own_generator_is_called_once():
    (images, scores), plain, augment = batch(), OwnRandomness(), OwnRandomness()
    for calls in (1, 2):
        mixed, targets = plain(images, scores)
        found = mix_with_details(augment, images, scores)
        assert torch.equal(found.mixed, mixed) and torch.equal(found.targets, targets)
        assert augment.calls == calls


@pytest.mark.parametrize('name', AUGMENTS)
def test_masks_and_images_explain_the_mix_and_weights_its_label(name):
    images, scores = batch()
    seed()
    found = mix_with_details(AUGMENTS[name], images, scores)
    weights, index = found.details['weights'], found.details['index']
    explained = (found.details['masks'] * found.details['warped']).sum(dim=1)
    torch.testing.assert_close(explained, found.mixed, atol=1e-5, rtol=1e-5)
    labels = (weights[..., None] * scores[index]).sum(dim=1)
    torch.testing.assert_close(labels, found.targets, atol=1e-6, rtol=1e-5)
    assert index[:, 0].tolist() == list(range(len(images)))


def test_partners_weights_and_box_are_those_that_mmpretrain_drew():
    images, scores = batch()
    augment = CutMix(alpha=1.0)
    seed()
    lam = np.random.beta(1.0, 1.0)  # noqa: NPY002
    partners = torch.randperm(len(images))
    (y1, y2, x1, x2), lam = augment.cutmix_bbox_and_lam(images.shape[-2:], lam)
    seed()
    details = mix_with_details(augment, images, scores).details
    box = torch.zeros(images.shape[-2:])
    box[y1:y2, x1:x2] = 1
    assert 0 < box.mean() < 1
    for row, partner in enumerate(partners.tolist()):
        own = partner == row
        assert details['index'][row].tolist() == [row, partner]
        share = 0 if own else 1 - lam
        assert details['weights'][row].tolist() == pytest.approx([1 - share, share])
        assert torch.equal(details['masks'][row, 1, 0], torch.zeros_like(box) if own else box)
        assert torch.equal(details['masks'][row, 0, 0], torch.ones_like(box) if own else 1 - box)


def test_the_pasted_image_of_resizemix_is_the_small_partner():
    images, scores = batch()
    seed()
    details = mix_with_details(ResizeMix(alpha=1.0), images, scores).details
    row = next(i for i in range(len(images)) if details['index'][i, 1] != i)
    mask = details['masks'][row, 1, 0]
    y, x = (mask > 0.5).nonzero(as_tuple=True)
    size = (int(y.max() - y.min()) + 1, int(x.max() - x.min()) + 1)
    partner = images[details['index'][row, 1]][None]
    small = torch.nn.functional.interpolate(partner, size=size, mode='bilinear')[0]
    shown = details['warped'][row, 1][:, y.min() : y.max() + 1, x.min() : x.max() + 1]
    torch.testing.assert_close(shown, small)


def test_an_augment_of_three_images_and_soft_masks_is_explained():
    images, scores = batch()
    seed()
    mixed, _, details = mix_foreign(ThreeMix(), images, scores)
    assert details['index'].shape == (7, 3)
    explained = (details['masks'] * images[details['index']]).sum(dim=1)
    torch.testing.assert_close(explained, mixed)
    torch.testing.assert_close(details['weights'].sum(dim=1), torch.ones(7))


def test_details_are_as_exact_under_autocast():
    images, scores = batch()
    seed()
    *_, exact = mix_foreign(ResizeMix(alpha=1.0), images, scores)
    seed()
    with torch.autocast('cpu', torch.bfloat16):
        *_, found = mix_foreign(ResizeMix(alpha=1.0), images, scores)
    for name, values in found.items():
        assert torch.equal(values, exact[name])


def test_chosen_rows_have_the_details_that_all_rows_have():
    images, scores = batch()
    seed()
    _, _, everything = mix_foreign(CutMix(alpha=1.0), images, scores)
    seed()
    mixed, _, few = mix_foreign(CutMix(alpha=1.0), images, scores, rows=[4, 1])
    assert len(mixed) == 7
    for name, values in few.items():
        torch.testing.assert_close(values, everything[name][[4, 1]])


def test_a_choice_draws_as_mmpretrain_does_and_names_the_augment():
    mixup, cutmix = AUGMENTS['mixup'], AUGMENTS['sample']
    images, scores = batch()
    chosen = []
    for start in range(12):
        choice = RandomBatchAugment([mixup, cutmix], probs=[0.3, 0.3])
        np.random.seed(start)  # noqa: NPY002
        torch.manual_seed(start)
        mixed, targets = choice(images.clone(), scores)
        after = drawn()[1:]
        np.random.seed(start)  # noqa: NPY002
        torch.manual_seed(start)
        found = mix_with_details(choice, images, scores)
        assert torch.equal(found.mixed, mixed) and torch.equal(found.targets, targets)
        assert drawn()[1:] == after
        chosen.append(found.augment)
        if found.augment is None:
            assert found.details['index'].tolist() == [[row] for row in range(7)]
            assert torch.equal(found.details['warped'][:, 0], images)
    assert {None, mixup, cutmix} == set(chosen)


@pytest.mark.parametrize(
    ('augment', 'part'), [(Noisy(alpha=1.0), 'images'), (Smoothed(alpha=1.0), 'labels')]
)
def test_an_augment_that_is_not_linear_is_refused_and_the_streams_go_on(augment, part):
    images, scores = batch()
    seed()
    augment(images.clone(), scores)
    after = drawn()
    seed()
    with pytest.raises(ValueError, match=f'{type(augment).__name__} is not linear in its {part}'):
        mix_with_details(augment, images, scores)
    assert drawn() == after


def test_what_is_no_augment_is_refused():
    with pytest.raises(TypeError, match='augment must be a callable'):
        mix_with_details('CutMix', *batch())


def config(**train_cfg):
    return Config(dict(model=dict(train_cfg=train_cfg, data_preprocessor=dict())))


def test_all_augments_of_a_config_are_built():
    probs = [0.5, 0.25]
    cfg = config(augments=[dict(type='CutMix', alpha=1.0), dict(type='SampleMixup')], probs=probs)
    choice = build_batch_augments(cfg)
    assert [type(one).__name__ for one in choice.augments[:2]] == ['CutMix', 'SampleMixup']
    assert choice.augments[2] is None and choice.probs == [0.5, 0.25, 0.25]
    assert cfg.model.train_cfg.probs == probs
    assert len(build_batch_augments(config(augments=dict(type='Mixup', alpha=1.0))).augments) == 1


def test_a_config_without_augments_is_refused():
    with pytest.raises(ValueError, match='no batch augments'):
        build_batch_augments(config())
