"""Mixers on a GPU make the mixes that they make on a CPU, and the host does not wait."""

import pytest
import torch

from mmtmix.functional import mix_targets, soft_cross_entropy
from mmtmix.models.augments import AUGMENTS, ChooseAugment
from mmtmix.models.draw import draw_mixes
from mmtmix.models.late_verdict import settle_verdicts
from mmtmix.models.teacher_mix import mix_with_teacher

pytestmark = [pytest.mark.cuda, pytest.mark.host]

# Share of the pixels that must agree. Rounding of a saliency or a logit on another device can move
# a box, a cell or a cut, and each of SuperMix's steps goes on from the last one. FMix draws its
# noise on the device, by the device's own generator: only the areas of its masks are the same.
AGREEMENT = dict.fromkeys(AUGMENTS, 1.0) | {
    'FMix': 0.0,
    'SaliencyMix': 0.95,
    'AttentiveMix': 0.9,
    'PuzzleMix': 0.9,
    'Co-Mixup': 0.85,
    'SuperMix': 0.7,
}
WAITING = {
    'PuzzleMix': 'its graph cuts are solved on the CPU',
    'Co-Mixup': 'its graph cuts are solved on the CPU',
    'SuperMix': 'samples that are finished leave the batch after each step',
}
STEADY = [name for name in AUGMENTS if name not in WAITING]
WITHOUT_NETWORK = [
    name for name in STEADY if name not in ('AttentiveMix', 'CAMMix', 'FMix', 'TransformMix')
]
OWN_OPTIONS = {'SuperMix': dict(max_iters=8)}
MORE = [('TransformMix', 3), ('SuperMix', 3), ('CutMix', 3)]


def seeded(augment, batch, seed=3, **options):
    torch.manual_seed(seed)
    return augment(*batch, **options)


def moved(batch, device, dtype=None):
    return batch[0].to(device, dtype), batch[1].to(device)


def agreement(found, expected, atol):
    found, expected = found.float().cpu(), expected.float().cpu()
    assert found.shape == expected.shape
    assert found.isfinite().all()
    return ((found - expected).abs() <= atol + atol * expected.abs()).float().mean().item()


@pytest.mark.parametrize(('name', 'num_mix'), [*((name, 2) for name in AUGMENTS), *MORE])
def test_a_seed_gives_the_mixes_of_the_cpu(make_augment, batch, device, name, num_mix):
    options = dict(OWN_OPTIONS.get(name, {}))
    if name != 'Co-Mixup':  # it chooses how many
        options['num_mix'] = num_mix
    expected = seeded(make_augment(name, **options), batch, return_details=True)
    found = seeded(make_augment(name, **options), moved(batch, device), return_details=True)
    assert found[0].dtype == expected[0].dtype
    assert agreement(found[0], expected[0], 1e-3) >= AGREEMENT[name]
    assert agreement(found[1], expected[1], 1e-3) >= (AGREEMENT[name] or 1.0)
    assert found[2].keys() == expected[2].keys()
    for tensor in (*found[:2], *found[2].values()):
        assert tensor.device.type == device.type
    assert torch.equal(found[2]['index'].cpu(), expected[2]['index']) or name == 'Co-Mixup'
    rebuilt = (found[2]['masks'] * found[2]['warped']).sum(dim=1)
    torch.testing.assert_close(found[0], rebuilt, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@pytest.mark.parametrize('name', WITHOUT_NETWORK)
def test_half_precision_images_are_mixed_within_their_bound(
    make_augment, batch, device, name, dtype
):
    rounded = batch[0].to(dtype).float()
    expected = seeded(make_augment(name), (rounded, batch[1]))
    found = seeded(make_augment(name), moved(batch, device, dtype))
    assert found[0].dtype == dtype and found[1].dtype == torch.float32
    bound = 4 * torch.finfo(dtype).eps
    assert agreement(found[0], expected[0], bound) >= AGREEMENT[name]


@pytest.mark.parametrize('name', STEADY)
def test_the_host_does_not_wait_in_a_steady_state(make_augment, batch, device, no_sync, name):
    augment, there = make_augment(name), moved(batch, device)
    for _ in range(3):  # reads files, moves networks, chooses algorithms
        augment(*there)
    with no_sync():
        for _ in range(3):
            augment(*there)


@pytest.mark.parametrize('name', STEADY)
def test_integer_labels_do_not_make_the_host_wait(make_augment, batch, device, no_sync, name):
    augment = make_augment(name, num_classes=10)
    inputs, labels = batch[0].to(device), batch[1].argmax(dim=1).to(device)
    for _ in range(3):
        augment(inputs, labels)
    with no_sync():
        _, targets = augment(inputs, labels)
    torch.testing.assert_close(targets.sum(dim=1).cpu(), torch.ones(len(inputs)))


@pytest.mark.parametrize('per', ['sample', 'batch'])
def test_the_host_does_not_wait_where_augments_are_chosen(
    make_augment, batch, device, no_sync, per
):
    augments = [make_augment('CutMix'), make_augment('TransformMix')]
    choose, there = ChooseAugment(augments, [0.4, 0.4], per=per), moved(batch, device)
    for _ in range(6):
        choose(*there)
    with no_sync():
        for _ in range(3):
            choose(*there)


def test_the_host_does_not_wait_for_labels_by_what_is_visible(
    make_augment, batch, device, no_sync
):
    augment, there = make_augment('TransformMix', labels='visible'), moved(batch, device)
    for _ in range(3):
        augment(*there)
    with no_sync():
        _, targets = augment(*there)
    torch.testing.assert_close(targets.sum(dim=1).cpu(), torch.ones(len(targets)))


def test_the_host_does_not_wait_for_the_mixing_of_a_search(make_augment, batch, device, no_sync):
    augment, (inputs, scores) = make_augment('TransformMix'), moved(batch, device)
    mixer = augment.mixer.to(device).train().requires_grad_()
    generator = torch.Generator().manual_seed(0)

    def step():
        draw = draw_mixes(len(inputs), 2, 1.0, generator, inputs.device)
        mixed, _ = mix_with_teacher(augment.teacher, mixer, inputs, scores, draw)
        targets = mix_targets(scores, draw.weights, draw.index)
        loss = soft_cross_entropy(augment.teacher(mixed, check=False), targets).mean()
        loss.backward()
        return loss.detach()

    for _ in range(3):
        step()
    with no_sync():
        loss = step()
    assert loss.isfinite()


@pytest.mark.parametrize('name', ['CutMix', 'TransformMix', 'SuperMix', 'PuzzleMix'])
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast_leaves_images_and_targets_in_their_dtype(
    make_augment, batch, device, name, dtype
):
    augment, there = make_augment(name, **OWN_OPTIONS.get(name, {})), moved(batch, device)
    plain = seeded(augment, there)
    with torch.autocast(device.type, dtype):
        mixed, targets = seeded(augment, there)
    assert mixed.dtype == targets.dtype == torch.float32
    assert mixed.isfinite().all()
    torch.testing.assert_close(targets.sum(dim=1).cpu(), torch.ones(len(targets)))
    # a mask network's output has the dtype's rounding, which moves masks a little
    assert agreement(mixed, plain[0], 0.1) >= 0.7


@pytest.mark.parametrize('name', AUGMENTS)
def test_channels_last_images_are_mixed_alike(make_augment, batch, device, name):
    options = OWN_OPTIONS.get(name, {})
    inputs, scores = moved(batch, device)
    expected = seeded(make_augment(name, **options), (inputs, scores))
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    mixed, targets = seeded(make_augment(name, **options), (inputs, scores))
    assert agreement(mixed, expected[0], 1e-3) >= AGREEMENT[name]
    assert agreement(targets, expected[1], 1e-3) >= AGREEMENT[name]


@pytest.mark.parametrize('name', ['CutMix', 'TransformMix', 'SaliencyMix'])
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_images_that_are_not_finite_are_raised_if_late(make_augment, batch, device, name, value):
    inputs, scores = moved(batch, device)
    inputs = inputs.clone()
    inputs[5, 0, 3, 4] = value
    with pytest.raises(ValueError, match='batch_inputs of shape .* holds NaN or infinity'):
        make_augment(name)(inputs, scores)
        settle_verdicts()


@pytest.mark.parametrize('wrong', [-1, 10])
def test_labels_out_of_range_are_raised_and_the_gpu_goes_on(make_augment, batch, device, wrong):
    labels = batch[1].argmax(dim=1).to(device)
    labels[3] = wrong
    with pytest.raises(ValueError, match='class indices outside 0 to 9'):
        make_augment('CutMix', num_classes=10)(batch[0].to(device), labels)
        settle_verdicts()
    mixed, _ = make_augment('CutMix')(*moved(batch, device))
    assert mixed.isfinite().all()


def test_negative_scores_are_raised_if_late(make_augment, batch, device):
    inputs, scores = moved(batch, device)
    scores[2, 2] = -0.5
    with pytest.raises(ValueError, match='negative scores'):
        make_augment('CutMix')(inputs, scores)
        settle_verdicts()


def test_every_mixer_is_steady_or_has_a_reason():
    assert {*STEADY, *WAITING} == {*AUGMENTS}
