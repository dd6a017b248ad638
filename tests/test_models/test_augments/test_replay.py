"""A mix can be made again from its details, by every augment."""

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn

from mmtmix.models import Draw, FrozenTeacher, SaliencySource, TransformMixer
from mmtmix.models.augments import BatchAugment

pytestmark = pytest.mark.host


class Squares(SaliencySource):
    """Sees large values."""

    def __call__(self, batch_inputs, batch_scores):
        return batch_inputs.float().square().mean(dim=1, keepdim=True)


def teacher():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10)
    )
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    return FrozenTeacher(model=net, mean=120.0, std=60.0, cam_layer='0')


def module():
    torch.manual_seed(0)
    mixer = TransformMixer(num_mix=3, cam_size=18, channels=4, noise_size=4, saliency_noise=0.5)
    nn.init.normal_(mixer.stn.fc.weight, std=0.1)
    return mixer


TEACHER = teacher()
SEEN = dict(saliency=Squares())
TRANSFORM = dict(type='TransformMix', teacher=TEACHER, mixer=module(), num_mix=3)
SUPER = dict(type='SuperMix', teacher=TEACHER, max_iters=3)
AUGMENTS = {
    'AttentiveMix': dict(type='AttentiveMix', grid_size=4, **SEEN),
    'CAMMix': dict(type='CAMMix', num_mix=3, **SEEN),
    'ChooseAugment': dict(
        type='ChooseAugment',
        augments=[dict(type='SampleResizeMix'), TRANSFORM, dict(type='CoMixup', **SEEN)],
        probs=[0.3, 0.3, 0.3],
    ),
    'CoMixup': dict(type='CoMixup', group_size=4, block_num=[2, 4], **SEEN),
    'FMix': dict(type='FMix', num_mix=3),
    'GridMix': dict(type='GridMix', per_sample=False),
    'ObjectPaste': dict(type='ObjectPaste', place='clear', labels='visible', **SEEN),
    'PuzzleMix': dict(type='PuzzleMix', **SEEN),
    'SaliencyMix': dict(type='SaliencyMix', **SEEN),
    'SampleCutMix': dict(type='SampleCutMix', num_mix=3),
    'SampleMixup': dict(type='SampleMixup'),
    'SampleResizeMix': dict(type='SampleResizeMix', num_mix=3),
    'SmoothMix': dict(type='SmoothMix', num_mix=3),
    'SoftMasks': dict(
        type='SoftMasks',
        augment=dict(type='SampleCutMix', num_mix=3),
        sigma=1.5,
        mixup=0.2,
        anchored=True,
    ),
    'SoftMasks, moved': dict(type='SoftMasks', augment=dict(type='PuzzleMix', **SEEN), sigma=1.0),
    'SuperMix': dict(SUPER, on_failure='clean', repeats='resample'),
    'TransformMix': TRANSFORM,
    'TransformMix, visible': dict(TRANSFORM, labels='visible'),
    'TransformMix, soft_teacher': dict(TRANSFORM, labels='soft_teacher'),
    'SaliencyMix, visible': dict(type='SaliencyMix', saliency='NoiseSaliency', labels='visible'),
}


def test_the_table_has_every_augment():
    registered = {
        name
        for name, kind in BATCH_AUGMENTS.module_dict.items()
        if kind.__module__.startswith('mmtmix.') and issubclass(kind, BatchAugment)
    }
    assert {name.partition(',')[0] for name in AUGMENTS} == registered


@pytest.mark.parametrize('name', AUGMENTS)
@pytest.mark.parametrize('repeat', [1, 2])
def test_details_make_the_same_mix_again(make_batch, name, repeat):
    images, scores = make_batch(8, (3, 20, 20))
    augment = BATCH_AUGMENTS.build(dict(AUGMENTS[name]))
    torch.manual_seed(3)
    mixed, targets, details = augment(images, scores, return_details=True, repeat=repeat)
    assert all(isinstance(value, torch.Tensor) for value in details.values())
    before = torch.random.get_rng_state()
    draw = Draw.from_details(details)
    again, found = augment.mix_and_label(images, scores, draw)
    assert torch.equal(again, mixed)
    assert all(torch.equal(details[key], value) for key, value in found.items())
    assert torch.equal(augment.mix_targets(scores, {**details, **found}), targets)
    # and from copies that were stored
    stored = {key: value.clone() for key, value in details.items()}
    third, same = augment.mix_with_details(images, scores, Draw.from_details(stored))
    assert torch.equal(third, mixed) and same.keys() == details.keys()
    assert all(torch.equal(same[key], value) for key, value in details.items())
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_unmixed_batch_has_no_draw(make_batch):
    _, _, details = BATCH_AUGMENTS.build(dict(type='FMix'))(*make_batch(1), return_details=True)
    with pytest.raises(ValueError, match='details lack drawn_weights.*smaller than num_mix'):
        Draw.from_details(details)


@pytest.mark.parametrize('repeat', [1, 3])
def test_one_row_of_weights_per_batch(make_batch, repeat):
    augment = BATCH_AUGMENTS.build(dict(type='SampleMixup', num_mix=3, per_sample=False))
    _, targets, details = augment(*make_batch(8), return_details=True, repeat=repeat)
    rows = details['weights'].view(repeat, 8, 3)
    assert torch.equal(rows, rows[:, :1].expand_as(rows))
    assert len(set(rows[:, 0, 0].tolist())) == repeat
    assert len({tuple(row) for row in details['index'].tolist()}) >= 8
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(8 * repeat))
