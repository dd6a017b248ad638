"""Labels by visible saliency, beside sums in loops."""

import math

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn

from mmtmix.models import (
    Draw,
    FrozenTeacher,
    SaliencySource,
    TransformMixer,
    TrueMasks,
    VisibleLabels,
    object_masks,
)

pytestmark = pytest.mark.host
HEIGHT, WIDTH = 20, 12


class Computed(SaliencySource):
    """Returns maps that were made before, and counts its calls."""

    def __init__(self, maps):
        self.maps, self.calls = maps, 0

    def __call__(self, batch_inputs, batch_scores):
        self.calls += 1
        return self.maps


def teacher():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10)
    )
    return FrozenTeacher(model=net, mean=120.0, std=60.0, cam_layer='0')


def module():
    torch.manual_seed(0)
    mixer = TransformMixer(num_mix=2, cam_size=18, channels=4, noise_size=4)
    nn.init.normal_(mixer.stn.fc.weight, std=0.1)
    return mixer


AUGMENTS = {
    'CutMix': dict(type='SampleCutMix', num_mix=3),
    'clipped CutMix': dict(type='SampleCutMix', places='clipped'),
    'FMix': dict(type='FMix'),
    'GridMix': dict(type='GridMix', num_mix=3),
    'SmoothMix': dict(type='SmoothMix'),
    'ResizeMix': dict(type='SampleResizeMix', num_mix=3),
    'SaliencyMix': dict(type='SaliencyMix'),
    'PuzzleMix': dict(type='PuzzleMix', saliency='FineGrainedSaliency', block_num=4, t_size=-1),
    'Co-Mixup': dict(type='CoMixup', saliency='FineGrainedSaliency'),
    'TransformMix': dict(type='TransformMix'),
    'SuperMix': dict(type='SuperMix', max_iters=2),
}


def build(settings, labels):
    settings = dict(settings, labels=labels)
    if settings['type'] in ('TransformMix', 'SuperMix'):
        settings['teacher'] = teacher()
    if settings['type'] == 'TransformMix':
        settings['mixer'] = module()
    if settings['type'] in ('PuzzleMix', 'CoMixup'):
        pytest.importorskip('maxflow')
    return BATCH_AUGMENTS.build(settings)


def maps_of(num, size, seed=0):
    return torch.rand(num, 1, *size, generator=torch.Generator().manual_seed(seed)).square()


def expected_shares(augment, maps, details, per_image=True):
    """The docstring's equation; a map moves as an image of one channel, pixel by pixel."""
    shares = torch.zeros(details['weights'].shape)
    for m, row in enumerate(details['index'].tolist()):
        seen = []
        for i, number in enumerate(row):
            own = F.interpolate(
                maps[number][None], (HEIGHT, WIDTH), mode='bilinear', align_corners=False
            )
            if per_image:
                own = own / math.fsum(own.flatten().tolist())
            alone = {key: value[m : m + 1] for key, value in details.items() if len(value) > m}
            alone['index'] = torch.zeros(1, len(row), dtype=torch.long)
            moved = augment.warp_sources(own, alone)[0, i, 0]
            mask = details['masks'][m, i, 0]
            seen.append(
                math.fsum(
                    float(mask[r, c]) * float(moved[r, c])
                    for r in range(HEIGHT)
                    for c in range(WIDTH)
                )
            )
        shares[m] = torch.tensor([own / sum(seen) for own in seen])
    return shares


@pytest.mark.parametrize('name', AUGMENTS)
@pytest.mark.parametrize(('size', 'per_image'), [((5, 3), True), ((HEIGHT, WIDTH), False)])
def test_labels_are_shares_of_the_visible_saliency(make_batch, name, size, per_image):
    images, scores = make_batch(6, (3, HEIGHT, WIDTH))
    maps = maps_of(6, size)
    source = Computed(maps)
    augment = build(AUGMENTS[name], VisibleLabels(source, per_image))
    torch.manual_seed(1)
    mixed, targets, details = augment(images, scores, return_details=True)
    assert source.calls == 1
    shares = expected_shares(augment, maps, details, per_image)
    torch.testing.assert_close(details['weights'], shares, atol=2e-6, rtol=1e-5)
    label = torch.stack(
        [
            sum(share * scores[one] for share, one in zip(row, index, strict=True))
            for row, index in zip(shares, details['index'], strict=True)
        ]
    )
    torch.testing.assert_close(targets, label, atol=2e-6, rtol=1e-5)
    # pictures and the random stream are those of the plain augment
    settings = dict(AUGMENTS[name])
    plain = build(settings, 'gt')
    torch.manual_seed(1)
    same, other, _ = plain(images, scores, return_details=True)
    assert torch.equal(same, mixed) and not torch.equal(other, targets)
    # maps move by the same function as images
    assert torch.equal(augment.warp_sources(images, details), details['warped'])
    # a training step, without details, and a replay
    torch.manual_seed(1)
    assert torch.equal(augment(images, scores)[1], targets)
    _, again = augment.mix_and_label(images, scores, Draw.from_details(details))
    assert torch.equal(augment.mix_targets(scores, {**details, **again}), targets)


@pytest.mark.parametrize('name', ['SaliencyMix', 'PuzzleMix', 'Co-Mixup', 'TransformMix'])
def test_an_augment_s_own_saliency_serves_again(make_batch, name):
    images, scores = make_batch(6, (3, HEIGHT, WIDTH))
    settings, maps = dict(AUGMENTS[name]), maps_of(6, (HEIGHT, WIDTH))
    source = Computed(maps)
    if name != 'TransformMix':
        settings['saliency'] = source
    augment = build(settings, dict(type='VisibleLabels'))
    _, _, details = augment(images, scores, return_details=True)
    if name == 'TransformMix':
        _, maps = augment.teacher.saliency(images, scores.argmax(dim=1), 18)
    else:
        assert source.calls == 1
    shares = expected_shares(augment, maps, details)
    torch.testing.assert_close(details['weights'], shares, atol=2e-6, rtol=1e-5)


def test_mixup_keeps_its_labels(make_batch):
    images, scores = make_batch(6)
    augment = BATCH_AUGMENTS.build(
        dict(type='SampleMixup', num_mix=3, labels=VisibleLabels(Computed(maps_of(6, (4, 4)))))
    )
    torch.manual_seed(0)
    _, targets = augment(images, scores)
    torch.manual_seed(0)
    _, plain = BATCH_AUGMENTS.build(dict(type='SampleMixup', num_mix=3))(images, scores)
    torch.testing.assert_close(targets, plain)


@pytest.mark.parametrize('per_image', [True, False])
def test_true_masks_count_the_visible_pixels_of_objects(make_batch, per_image):
    images, scores = make_batch(6)
    masks = maps_of(6, (16, 16))[:, 0] > 0.5
    masks[:3, 8:] = False  # objects of several sizes
    augment = BATCH_AUGMENTS.build(
        dict(type='SampleCutMix', labels=VisibleLabels('TrueMasks', per_image))
    )
    with object_masks(masks):
        _, _, details = augment(images, scores, return_details=True)
    for mask, row, found in zip(
        details['masks'], details['index'], details['weights'], strict=True
    ):
        seen = [int((mask[i, 0].bool() & masks[row[i]]).sum()) for i in range(2)]
        if per_image:
            seen = [seen[i] / int(masks[row[i]].sum()) for i in range(2)]
        torch.testing.assert_close(found, torch.tensor([own / sum(seen) for own in seen]))


def test_where_nothing_is_visible_the_areas_stay_and_an_empty_map_counts_everywhere(make_batch):
    images, scores = make_batch(4)
    maps = torch.zeros(4, 1, 16, 16)
    maps[:2, :, 0, 0] = 5.0  # in a corner; the others have no saliency at all
    augment = BATCH_AUGMENTS.build(dict(type='SampleCutMix', labels=VisibleLabels(Computed(maps))))
    masks = torch.zeros(3, 2, 1, 16, 16)
    masks[:, 0, :, 0, 0] = 1
    masks[:, 1] = 1 - masks[:, 0]
    masks[1] = masks[1].flip(0)
    augment.covers = lambda images, scores, draw: (masks[:, 1],)
    index = torch.tensor([[0, 1], [2, 3], [2, 0]])
    draw = Draw(torch.full((3, 2), 0.5), index, torch.Generator())
    _, details = augment.mix_and_label(images, scores, draw)
    # own corner alone; areas of images without saliency; nothing of image 0 is seen
    area = 1 / 256
    expected = torch.tensor([[1.0, 0.0], [1 - area, area], [1.0, 0.0]])
    torch.testing.assert_close(details['weights'], expected)
    empty = torch.tensor([[0, 1], [0, 1]])
    masks = torch.zeros(2, 2, 1, 16, 16)
    masks[:, :, :, 8:] = 0.5  # the corner shows neither
    augment.masks_of = lambda covers, draw: masks
    augment.areas = lambda covers, draw: torch.tensor([[0.25, 0.75], [0.6, 0.4]])
    augment.covers = lambda images, scores, draw: (masks[:, 1],)
    draw = Draw(torch.full((2, 2), 0.5), empty, torch.Generator())
    _, details = augment.mix_and_label(images, scores, draw)
    torch.testing.assert_close(details['weights'], torch.tensor([[0.25, 0.75], [0.6, 0.4]]))


def test_bad_saliency_is_refused(make_batch):
    images, scores = make_batch(4)
    maps = torch.ones(4, 1, 4, 4)
    maps[2, 0, 1, 1] = math.nan
    augment = BATCH_AUGMENTS.build(dict(type='FMix', labels=VisibleLabels(Computed(maps))))
    with pytest.raises(ValueError, match='saliency for VisibleLabels.*NaN or infinity'):
        augment(images, scores)


def test_an_augment_without_saliency_needs_a_source():
    for kind in ('SampleCutMix', 'FMix', 'SampleResizeMix'):
        with pytest.raises(ValueError, match=f'{kind} mixes without any.*TeacherCAM'):
            BATCH_AUGMENTS.build(dict(type=kind, labels='visible'))
    assert BATCH_AUGMENTS.build(dict(type='SaliencyMix', labels='visible')).label_rule


@pytest.mark.parametrize('per', ['sample', 'batch'])
def test_parts_of_a_choice_label_by_their_own_rules(make_batch, per):
    images, scores = make_batch(8)
    masks = maps_of(8, (16, 16))[:, 0] > 0.3
    seeing = dict(type='VisibleLabels', saliency=dict(type='TrueMasks'))
    choice = BATCH_AUGMENTS.build(
        dict(
            type='ChooseAugment',
            augments=[dict(type='SampleCutMix', labels=seeing), dict(type='FMix')],
            probs=[0.5, 0.5],
            per=per,
        )
    )
    torch.manual_seed(4)
    with object_masks(masks):
        _, targets, details = choice(images, scores, return_details=True, repeat=2)
    expected = []
    for m, number in enumerate(details['choice'].tolist()):
        mask, row = details['masks'][m, :, 0], details['index'][m]
        seen = mask.mean(dim=(1, 2))
        if number == 0:
            seen = torch.stack(
                [(mask[i] * masks[row[i]]).sum() / masks[row[i]].sum() for i in range(2)]
            )
        expected.append((seen / seen.sum()) @ scores[row])
    torch.testing.assert_close(targets, torch.stack(expected))
    assert len(set(details['choice'].tolist())) == (2 if per == 'sample' else 1) or per == 'batch'


def test_a_worker_may_label_by_what_needs_no_network():
    free = BATCH_AUGMENTS.build(dict(type='FMix', labels=VisibleLabels('FineGrainedSaliency')))
    live = BATCH_AUGMENTS.build(dict(type='FMix', labels=VisibleLabels('InputGradient')))
    assert not free.needs_network and live.needs_network
    assert not free.needs_batch
    assert BATCH_AUGMENTS.build(dict(type='FMix', labels=VisibleLabels(TrueMasks()))).needs_batch
