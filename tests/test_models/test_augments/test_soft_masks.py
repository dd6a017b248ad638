"""SoftMasks: nothing changes while it is off; blurred, averaged and anchored masks; its parts."""

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.apps.train.rehearsal.model import augments_of
from mmtmix.functional import blur_masks
from mmtmix.models import CAMMix, CoMixup, SaliencySource, SampleCutMix, SoftMasks
from mmtmix.models.augments import build_augment

pytestmark = pytest.mark.host


class Brightness(SaliencySource):
    """Sees bright pixels."""

    def __call__(self, batch_inputs, batch_scores):
        return batch_inputs.float().amax(dim=1, keepdim=True).exp()


SEEN = dict(saliency=Brightness())
KINDS = {
    'SampleMixup': dict(num_mix=3),
    'SampleCutMix': dict(num_mix=3),
    'FMix': dict(),
    'GridMix': dict(),
    'SmoothMix': dict(),
    'SaliencyMix': SEEN,
    'AttentiveMix': SEEN,
    'CAMMix': SEEN,
    'PuzzleMix': SEEN,
    'CoMixup': SEEN,
}


def made(kind):
    if kind in ('PuzzleMix', 'CoMixup'):
        pytest.importorskip('maxflow')
    return dict(type=kind, **KINDS[kind])


def mix(augment, batch, seed=0, **options):
    if isinstance(augment, dict):
        augment = BATCH_AUGMENTS.build(augment)
    torch.manual_seed(seed)
    return augment(*batch, return_details=True, **options)


@pytest.mark.parametrize('kind', KINDS)
def test_without_a_setting_it_is_the_augment_alone(make_batch, kind):
    batch = make_batch(8, (3, 16, 16))
    alone, off = mix(made(kind), batch), mix(SoftMasks(made(kind)), batch)
    assert alone[2].keys() == off[2].keys()
    for one, other in zip(
        [*alone[:2], *alone[2].values()], [*off[:2], *off[2].values()], strict=True
    ):
        assert torch.equal(one, other)
    # and without details
    torch.manual_seed(0)
    plain = SoftMasks(made(kind))(*batch)
    assert torch.equal(plain[0], alone[0]) and torch.equal(plain[1], alone[1])
    # and softening draws nothing
    before = torch.get_rng_state()
    mix(SoftMasks(made(kind), sigma=2.0), batch)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize('kind', KINDS)
def test_mixes_and_labels_follow_the_blurred_masks(make_batch, kind):
    batch = make_batch(8, (3, 14, 19))
    _, _, alone = mix(made(kind), batch)
    mixed, targets, details = mix(SoftMasks(made(kind), sigma=2.0), batch)
    assert torch.equal(details['index'], alone['index'])
    assert torch.equal(details['warped'], alone['warped'])
    masks = blur_masks(alone['masks'], 2.0)
    torch.testing.assert_close(details['masks'], masks)
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(8, 1, 14, 19))
    for n in range(8):
        image, label = torch.zeros(3, 14, 19), torch.zeros(10)
        for i, partner in enumerate(details['index'][n]):
            image += masks[n, i] * details['warped'][n, i]
            label += masks[n, i].mean() * batch[1][partner]
        torch.testing.assert_close(mixed[n], image, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(targets[n], label, atol=1e-5, rtol=1e-5)


def test_a_share_of_mixup_keeps_the_areas(make_batch):
    batch = make_batch(8, (3, 12, 12))
    _, targets, alone = mix(made('SampleCutMix'), batch)
    for share in (0.25, 1.0):
        mixed, same, details = mix(SoftMasks(made('SampleCutMix'), mixup=share), batch)
        areas = alone['weights'][..., None, None, None]
        expected = (1 - share) * alone['masks'] + share * areas
        torch.testing.assert_close(details['masks'], expected)
        torch.testing.assert_close(same, targets)
    average = (alone['weights'][..., None, None, None] * alone['warped']).sum(dim=1)
    torch.testing.assert_close(mixed, average, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('kind', ['SampleCutMix', 'SaliencyMix', 'SmoothMix'])
def test_anchored_masks_have_the_areas_of_the_drawn_weights(make_batch, kind):
    batch = make_batch(8, (3, 16, 16))
    _, _, free = mix(SoftMasks(made(kind), sigma=2.0), batch)
    _, _, details = mix(SoftMasks(made(kind), sigma=2.0, anchored=True), batch)
    off, before = (
        (found['weights'] - found['drawn_weights']).abs().max() for found in (details, free)
    )
    # with three images and nearly hard masks some hundredths may remain
    assert off < (1e-3 if details['index'].size(1) == 2 else 0.04) and before > 2 * off


def test_it_is_what_it_wraps_for_others(make_batch, make_teacher):
    augment = SoftMasks(dict(type='CAMMix', teacher=make_teacher()), sigma=1.0)
    assert augment.needs_network and augment.parts == (augment.augment,)
    assert isinstance(augment.augment, CAMMix) and augment.saliency is augment.augment.saliency
    augment.load()
    assert mix(augment, make_batch(), repeat=2)[0].shape[0] == 12
    inputs, scores = make_batch(1)
    mixed, targets, details = mix(augment, (inputs, scores))
    assert torch.equal(mixed, inputs) and torch.equal(targets, scores)
    assert 'saliency' in details


def test_its_augment_is_found_in_a_config(teacher_config):
    cfg = teacher_config()
    inner = dict(type='SaliencyMix')
    augment = dict(type='SoftMasks', augment=inner, sigma=1.0)
    cfg = Config(dict(cfg, model=dict(cfg['model'], train_cfg=dict(augments=augment))))
    fields = [field for field, _ in augments_of(cfg)]
    assert fields == ['model.train_cfg.augments', 'model.train_cfg.augments.augment']
    built = build_augment(cfg)
    assert isinstance(built, SoftMasks)
    assert built.augment.saliency._stats.std  # as its source needs it outside of a run


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(augment=dict(type='CutMix', alpha=1.0)), TypeError, 'augment must be one of mmtmix'),
        (
            dict(augment=dict(type='ObjectPaste', saliency='TrueMasks')),
            TypeError,
            'augment must be one of mmtmix',
        ),
        (dict(augment='FMix'), TypeError, 'augment must be one of mmtmix'),
        (dict(sigma=-1), ValueError, 'sigma must be a finite number >= 0'),
        (dict(mixup=1.5), ValueError, 'mixup must be a finite number >= 0 and <= 1'),
        (dict(anchored=1), TypeError, 'anchored must be True or False'),
    ],
)
def test_bad_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        SoftMasks(**{'augment': SampleCutMix(), **settings})


def test_an_anchor_needs_drawn_weights():
    pytest.importorskip('maxflow')
    with pytest.raises(ValueError, match='anchored must be False for CoMixup'):
        SoftMasks(CoMixup(saliency=Brightness()), anchored=True)


def test_a_label_rule_sees_the_softened_masks(make_batch):
    batch = make_batch(8, (3, 12, 12))
    rule = dict(type='VisibleLabels', saliency=Brightness())
    augment = SoftMasks(dict(type='SampleCutMix', labels=rule), sigma=2.0)
    _, targets, details = mix(augment, batch)
    saliency = batch[0].amax(dim=1).exp()
    for n in range(8):
        seen = []
        for i, image in enumerate(details['index'][n]):
            share = saliency[image] / saliency[image].sum()
            seen.append(float((share * details['masks'][n, i, 0]).sum()))
        label = torch.zeros(10)
        for share, image in zip(seen, details['index'][n], strict=True):
            label += share / sum(seen) * batch[1][image]
        torch.testing.assert_close(targets[n], label, atol=1e-4, rtol=1e-3)
