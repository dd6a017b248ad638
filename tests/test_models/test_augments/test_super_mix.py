"""SuperMix as a batch augment: its mix taken apart, its options, types and modes."""

from contextlib import nullcontext
from dataclasses import asdict

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.functional import SUPERMIX_FAST, SUPERMIX_PAPER, SuperMixSettings, mix_targets
from mmtmix.models import SuperMix
from mmtmix.models.draw import REPLAY

pytestmark = pytest.mark.host


@pytest.fixture
def make_super(teacher_args):
    """Build it from a config: ``make_super(num_mix=3, in_channels=3, num_classes=10)``."""

    def make(in_channels=3, num_classes=10, **settings):
        teacher = teacher_args(in_channels=in_channels, num_classes=num_classes)
        settings = dict(dict(max_iters=4, max_unfinished_ratio=0.0), **settings)
        augment = BATCH_AUGMENTS.build(dict(type='SuperMix', teacher=teacher, **settings))
        noise = torch.randn(64, in_channels, 16, 16, generator=torch.Generator().manual_seed(8))
        head = augment.teacher.model.head.fc
        head.weight *= 20
        # it would predict the same two classes of nearly all images
        head.bias -= augment.teacher(noise).mean(dim=0)
        return augment

    return make


@pytest.fixture
def batch(make_batch):
    """Eight images of four classes."""
    return make_batch(8)[0], torch.eye(10)[torch.arange(8) % 4]


def seeded(augment, batch, seed=5, **kwargs):
    torch.manual_seed(seed)
    return augment(*batch, **kwargs)


@pytest.mark.parametrize('labels', ['source_prediction', 'gt'])
@pytest.mark.parametrize('num_samples', [1, 8])
@pytest.mark.parametrize(
    ('num_mix', 'shape'), [(2, (3, 16, 16)), (3, (1, 12, 20)), (4, (3, 16, 12))]
)
def test_details_have_the_documented_shapes_and_add_up(
    make_super, make_batch, num_mix, shape, num_samples, labels
):
    augment = make_super(in_channels=shape[0], num_mix=num_mix, labels=labels, start='flat')
    inputs, scores = make_batch(num_samples, shape)
    mixed, targets, details = augment(inputs, scores, return_details=True)
    assert mixed.shape == inputs.shape
    # ground-truth labels need no forward of the clean batch, unless that is all there is
    needs_forward = labels == 'source_prediction' or num_samples == 1
    computed = dict(clean_logits=(num_samples, 10)) if needs_forward else {}
    shapes = {name: tuple(value.shape) for name, value in details.items() if name not in REPLAY}
    assert shapes == dict(
        computed,
        weights=(num_samples, num_mix),
        index=(num_samples, num_mix),
        classes=(num_samples, num_mix),
        warped=(num_samples, num_mix, *shape),
        masks=(num_samples, num_mix, 1, *shape[1:]),
        logits=(num_samples, 10),
        iterations=(num_samples,),
        finished=(num_samples,),
    )
    torch.testing.assert_close(details['masks'].sum(dim=1), torch.ones(num_samples, 1, *shape[1:]))
    assert torch.equal(details['warped'], inputs[details['index']])
    torch.testing.assert_close(mixed, (details['masks'] * details['warped']).sum(dim=1))
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(num_samples))
    with torch.no_grad():
        logits = augment.teacher(mixed)
        clean = augment.teacher(inputs)
    torch.testing.assert_close(details['logits'], logits, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(details.get('clean_logits', clean), clean)
    asked = scores if labels == 'gt' else clean
    assert torch.equal(details['classes'], asked.argmax(dim=1)[details['index']])
    if num_samples == 1:
        assert torch.equal(mixed, inputs)
        assert torch.equal(targets, scores)
        assert not details['finished'].any() and not details['iterations'].any()


def test_the_teachers_labels_are_its_classes_weighted(make_super, batch):
    _, targets, details = make_super(num_mix=3)(*batch, return_details=True)
    expected = torch.zeros(8, 10)
    for row, classes, weights in zip(
        expected, details['classes'], details['weights'], strict=True
    ):
        for label, weight in zip(classes, weights, strict=True):
            row[label] += weight
    torch.testing.assert_close(targets, expected)


def test_ground_truth_labels_stay_soft(make_super, batch):
    scores = (0.9 * batch[1] + 0.01).double()
    _, targets, details = make_super(labels='gt')(batch[0], scores, return_details=True)
    assert targets.dtype == torch.float64
    assert torch.equal(targets, mix_targets(scores, details['weights'], details['index']))
    assert targets.gt(0).all()


@pytest.mark.parametrize('labels', ['source_prediction', 'gt'])
def test_clean_gives_the_unfinished_their_own_image_and_class(make_super, batch, labels):
    settings = dict(labels=labels, num_mix=3)
    kept, kept_targets, plain = seeded(make_super(**settings), batch, return_details=True)
    augment = make_super(on_failure='clean', **settings)
    mixed, targets, details = seeded(augment, batch, return_details=True)
    finished = plain['finished']
    assert finished.any() and not finished.all()
    assert torch.equal(details['finished'], finished)
    assert torch.equal(mixed[finished], kept[finished])
    assert torch.equal(targets[finished], kept_targets[finished])
    assert torch.equal(mixed[~finished], batch[0][~finished])
    own = batch[1] if labels == 'gt' else torch.eye(10)[details['classes'][:, 0]]
    assert torch.equal(targets[~finished], own[~finished])
    assert not any(torch.equal(a, b) for a, b in zip(kept, batch[0], strict=True))
    torch.testing.assert_close((details['masks'] * details['warped']).sum(dim=1), mixed)
    # the logits are of what came back, and the clean ones were needed whatever the labels
    for name, images in (('logits', mixed), ('clean_logits', batch[0])):
        torch.testing.assert_close(details[name], augment.teacher(images), atol=1e-3, rtol=1e-3)
    assert not torch.allclose(details['logits'][~finished], plain['logits'][~finished], atol=0.01)


def test_resampled_partners_are_of_other_classes(make_super, batch):
    labels, repeats = batch[1].argmax(dim=1), dict(keep=0, resample=0)
    for how in repeats:
        augment = make_super(repeats=how, max_iters=0)
        for seed in range(5):
            index = seeded(augment, batch, seed, return_details=True)[2]['index']
            assert torch.equal(index[:, 0], torch.arange(8))
            repeats[how] += (labels[index[:, 0]] == labels[index[:, 1]]).sum().item()
    assert repeats['keep'] > 0
    assert repeats['resample'] == 0


def test_a_teacher_of_other_classes_is_refused(make_super, batch):
    for labels in ('source_prediction', 'gt'):
        with pytest.raises(ValueError, match='teacher has 7 classes and batch_scores has 10'):
            make_super(num_classes=7, labels=labels)(*batch)


def test_every_argument_reaches_the_settings(make_super):
    fields = dict(
        mask_size=5,
        sigma=2.0,
        lambda_s=3.0,
        max_iters=7,
        max_unfinished_ratio=0.3,
        min_iters=2,
        min_change=0.01,
        step_range=(0.1, 9.0),
        divergence='reverse',
        smoothing=0.2,
        method='sgd',
        lambda_sigma=4.0,
        lr=0.5,
        chunk_size=3,
        legacy_kernel=True,
    )
    assert fields.keys() == asdict(SuperMixSettings()).keys()
    assert asdict(make_super(**fields).settings) == fields


def test_the_defaults_are_those_for_cifar_with_the_fast_solver(teacher_args):
    augment = SuperMix(teacher_args())
    fast = {name: value for name, value in SUPERMIX_FAST.items() if name != 'start'}
    assert augment.settings == SuperMixSettings(**fast)
    assert augment.start == SUPERMIX_FAST['start']
    assert (augment.num_mix, augment.alpha) == (2, 3.0)
    assert augment.labels == 'source_prediction'
    assert (augment.on_failure, augment.repeats) == ('keep', 'keep')


def test_the_papers_arguments_are_the_settings_own_defaults(teacher_args):
    augment = SuperMix(teacher_args(), **SUPERMIX_PAPER)
    assert augment.settings == SuperMixSettings()
    assert augment.start == 'flat'


@pytest.mark.parametrize(('start', 'flat'), [('flat', True), ('saliency', False)])
def test_start_chooses_the_first_masks(make_super, batch, start, flat):
    details = seeded(make_super(start=start, max_iters=0), batch, return_details=True)[2]
    masks = details['masks']
    assert torch.equal(masks, torch.full_like(masks, 0.5)) == flat


@pytest.mark.parametrize(
    'name', ['labels', 'on_failure', 'repeats', 'start', 'method', 'divergence']
)
def test_unknown_choices_and_arguments_are_refused(make_super, name):
    with pytest.raises(ValueError, match=f"{name} must be one of .*got 'none'"):
        make_super(**{name: 'none'})
    with pytest.raises(TypeError, match=f"SuperMix has no '{name}_too'; did you mean '{name}'"):
        make_super(**{f'{name}_too': 1})


def test_a_seed_repeats_the_mix_and_leaves_the_batch_alone(make_super, batch):
    augment, before = make_super(), [tensor.clone() for tensor in batch]
    first, second, other = (seeded(augment, batch, seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], other[0])
    for tensor in (*first, *second):
        tensor.zero_()
    assert all(torch.equal(a, b) for a, b in zip(batch, before, strict=True))


@pytest.mark.parametrize(
    ('labels', 'start', 'first'),
    [
        ('source_prediction', 'saliency', [8]),
        ('source_prediction', 'flat', [8]),
        ('gt', 'saliency', [8]),
        ('gt', 'flat', []),
    ],
)
def test_the_teacher_runs_once_for_the_labels_and_once_per_step(
    make_super, batch, labels, start, first
):
    augment, seen = make_super(labels=labels, start=start), []
    augment(*batch)  # the first saliency also chooses a layer
    backbone = augment.teacher.model.backbone  # classic CAMs do not call the model itself
    backbone.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))
    iterations = augment(*batch, return_details=True)[2]['iterations']
    steps = range(iterations.max() + 1)
    assert seen == first + [(iterations >= step).sum().item() for step in steps]
    assert len(seen) > 2


@pytest.mark.parametrize('mode', [nullcontext, torch.no_grad, torch.inference_mode])
def test_the_callers_grad_mode_is_no_matter(make_super, batch, mode):
    augment = make_super()
    expected = seeded(augment, batch)
    with mode():
        results = seeded(
            augment, (batch[0].clone().requires_grad_(), batch[1]), return_details=True
        )
    assert all(torch.equal(a, b) for a, b in zip(results, expected, strict=False))
    assert not any(value.requires_grad for value in (*results[:2], *results[2].values()))
    assert all(parameter.grad is None for parameter in augment.teacher.model.parameters())


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_autocast_and_half_precision_leave_masks_and_targets_in_float32(make_super, batch, dtype):
    augment, (inputs, scores) = make_super(), batch
    with torch.autocast('cpu', torch.bfloat16, enabled=dtype == torch.float32):
        mixed, targets, details = augment(inputs.to(dtype), scores, return_details=True)
    assert mixed.dtype == dtype
    for tensor in (targets, details['masks'], details['weights'], details['logits']):
        assert tensor.dtype == torch.float32
    torch.testing.assert_close(details['masks'].sum(dim=1), torch.ones(8, 1, 16, 16))
    rebuilt = (details['masks'] * inputs[details['index']]).sum(dim=1)
    torch.testing.assert_close(mixed.float(), rebuilt, atol=0.02, rtol=0.02)


def test_more_images_per_mix_than_classes_are_refused_as_early_as_can_be(make_super, batch):
    said = 'num_mix=4 images per mix, and the task has {} classes'
    with pytest.raises(ValueError, match=said.format(3)):
        SuperMix(dict(config='a.py', checkpoint='a.pth'), num_mix=4, num_classes=3)
    augment = make_super(num_mix=4)
    augment.check_classes(4)
    with pytest.raises(ValueError, match=said.format(3)):
        augment.check_classes(3)
    many = make_super(num_mix=11)
    inputs, scores = torch.cat([batch[0]] * 2), torch.cat([batch[1]] * 2)
    with pytest.raises(ValueError, match='num_mix=11 images per mix, and the task has 10'):
        many(inputs, scores)


@pytest.mark.parametrize('labels', ['source_prediction', 'gt'])
def test_a_batch_too_small_to_mix_takes_one_pass_of_the_teacher(make_super, make_batch, labels):
    augment = make_super(num_mix=3, labels=labels)
    passes = []
    augment.teacher.model.backbone.register_forward_hook(lambda *_: passes.append(1))
    *_, details = augment(*make_batch(2), return_details=True)
    assert len(passes) == 1
    torch.testing.assert_close(details['logits'], details['clean_logits'].float())


def test_a_teacher_without_saliency_is_refused_with_the_cure(make_super, batch, monkeypatch):
    augment = make_super()

    def fail(*args):
        raise ValueError('no class activation map can be made')

    monkeypatch.setattr(augment.teacher, 'evidence', fail)
    with pytest.raises(ValueError, match="can be made; or set start='flat' in SuperMix"):
        augment(*batch)
    with torch.no_grad():  # an error of the logits is no error of the saliency
        augment.teacher.model.head.fc.weight.fill_(float('nan'))
    with pytest.raises(ValueError, match='logits of the teacher.*holds NaN'):
        augment(*batch)
