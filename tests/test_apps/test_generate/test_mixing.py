"""LabelledAugment: its pictures and labels, each made anew by other means."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from mmtmix.apps.generate.mixing import LabelledAugment, check_labeller
from mmtmix.apps.generate.sampling import draw_batch
from mmtmix.models import FrozenTeacher, SampleCutMix, SampleMixup, SuperMix
from mmtmix.models.teachers import ChannelOrder, InputStats

pytestmark = pytest.mark.host

MEAN, STD = [100.0, 110.0, 120.0], [55.0, 50.0, 45.0]
MIXERS = {
    'mixup': lambda teacher: SampleMixup(num_mix=3),
    'cutmix': lambda teacher: SampleCutMix(num_mix=2),
    'supermix': lambda teacher: SuperMix(teacher, num_mix=3, max_iters=3),
    'supermix, flat': lambda teacher: SuperMix(teacher, max_iters=3, start='flat', lambda_s=25.0),
    'supermix, gt': lambda teacher: SuperMix(teacher, max_iters=3, labels='gt'),
    'supermix, clean': lambda teacher: SuperMix(
        teacher, max_iters=3, on_failure='clean', max_unfinished_ratio=0.0
    ),
}


def preprocessor(channels=3, to_rgb=False):
    return dict(mean=MEAN[:channels], std=STD[:channels], to_rgb=to_rgb)


@pytest.fixture
def teacher_of(teacher_args):
    """A teacher that knows how the task normalises: ``teacher_of(channels, to_rgb)``."""

    def make(channels=3, to_rgb=False):
        stats = preprocessor(channels, to_rgb)
        told = InputStats.from_preprocessor(stats, ChannelOrder('rgb'))
        args = teacher_args(in_channels=channels)
        teacher = FrozenTeacher(**args, input_stats=told, channel_order='rgb')
        head = teacher.model.head.fc
        head.weight *= 10  # else it would predict the same two classes of nearly all images
        noise = torch.randn(64, channels, 12, 14, generator=torch.Generator().manual_seed(8))
        head.bias -= teacher(noise).mean(dim=0)
        return teacher

    return make


def columns(values):
    return torch.tensor(values).view(-1, 1, 1)


class Made:
    """Six mixes of a mixer, and what they should be by the masks that it used."""

    def __init__(self, mixer, teacher, make_items, channels=3, to_rgb=False, alpha=1.0):
        stats = preprocessor(channels, to_rgb)
        items = make_items(9, (channels, 12, 14))
        self.draw = draw_batch((0, 0), 1, (6, mixer.num_mix), len(items), alpha, 0.5)
        mix = mixer.mix

        def spy(images, scores, draw):
            mixed, self.details = mix(images, scores, replace(draw, full_details=True))
            return mixed, self.details

        mixer.mix = spy
        labelled = LabelledAugment(mixer, teacher, stats, 10, 'cpu')
        shuffled = [items[number] for number in self.draw.sources.flatten().tolist()]
        self.fields = labelled(shuffled, self.draw)
        self.labels = self.draw.sources % 10
        images = torch.stack([item['inputs'] for item in shuffled]).float()
        images = images.view(*self.draw.sources.shape, channels, 12, 14)
        flips = self.draw.flips[..., None, None, None]
        self.sources = torch.where(flips, images.flip(-1), images)
        self.pixels = (self.details['masks'] * self.sources).sum(dim=1)

    def stored(self):
        images = torch.from_numpy(self.fields['images'])
        return images.permute(0, 3, 1, 2) if images.dim() == 4 else images[:, None]


def probabilities(teacher, pixels):
    """By the bare network, whose own config says how it wants raw images."""
    stats = teacher.stats
    with torch.no_grad():
        inputs = (pixels - columns(stats.mean)) / columns(stats.std)
        return teacher.model(inputs, mode='tensor').softmax(dim=1).numpy()


@pytest.fixture(params=MIXERS)
def mixer_of(request):
    return MIXERS[request.param]


@pytest.mark.parametrize(('channels', 'to_rgb'), [(1, False), (3, False), (3, True)])
def test_pixels_and_targets_are_those_of_the_masks(
    mixer_of, teacher_of, make_items, channels, to_rgb
):
    teacher = teacher_of(channels, to_rgb)
    made = Made(mixer_of(teacher), teacher, make_items, channels, to_rgb)
    images = made.fields['images']
    assert images.dtype == np.uint8
    assert images.shape == ((6, 12, 14) if channels == 1 else (6, 12, 14, 3))
    # rounded, in the order in which the data set gives its channels
    assert (made.stored() - made.pixels).abs().max() <= 0.5 + 1e-3
    targets = made.fields['targets']
    expected = probabilities(teacher, made.stored().float())
    np.testing.assert_allclose(targets, expected, atol=2e-5)
    assert np.array_equal(made.fields['winners'], targets.argmax(axis=1))


def test_sources_are_flipped_as_drawn(teacher_of, make_items):
    teacher = teacher_of()
    made = Made(SampleMixup(), teacher, make_items, alpha=1e-6)
    assert made.draw.flips.any() and not made.draw.flips.all()
    assert np.array_equal(made.fields['flips'], made.draw.flips)
    main = made.draw.draw.weights.argmax(dim=1)  # its share is 1
    rows = torch.arange(6)
    assert torch.equal(made.stored().float(), made.sources[rows, main])


def test_every_field_has_its_type_and_meaning(mixer_of, teacher_of, make_items):
    teacher = teacher_of()
    mixer = mixer_of(teacher)
    made = Made(mixer, teacher, make_items)
    fields, shape = made.fields, made.draw.sources.shape
    assert np.array_equal(fields['sources'], made.draw.sources)
    classes = made.labels.numpy()
    if getattr(mixer, 'labels', 'gt') == 'source_prediction':
        flat = probabilities(teacher, made.sources.flatten(0, 1))
        classes = flat.argmax(axis=1).reshape(shape)
    assert np.array_equal(fields['classes'], classes)
    np.testing.assert_allclose(fields['weights'].sum(axis=1), 1, atol=1e-6)
    assert fields['weights'].dtype == np.float32
    for row, own, finished in zip(fields['targets'], classes, fields['finished'], strict=True):
        top = set(row.argsort()[::-1][: len(set(own))].tolist())
        assert finished == (top == set(own.tolist()))
    if isinstance(mixer, SuperMix):
        assert np.array_equal(fields['wanted'], fields['finished'])
        assert np.array_equal(fields['iterations'], made.details['iterations'])
        flat = (made.details['masks'] - 1 / shape[1]).abs().flatten(1).amax(dim=1).numpy() < 1e-5
        averages = fields['finished'] & flat
        assert np.array_equal(fields['averages'], averages)
        own = made.sources.mean(dim=1)
        assert (made.stored()[averages] - own[averages]).abs().le(0.51).all()
    else:
        shares = made.details['masks'].mean(dim=(2, 3, 4))
        np.testing.assert_allclose(fields['weights'], shares, atol=1e-6)
        assert fields['wanted'].all() and not fields['iterations'].any()
        assert not fields['averages'].any()


def test_mixes_that_failed_are_labelled_as_they_are_stored(teacher_of, make_items):
    teacher = teacher_of()
    mixer = SuperMix(teacher, num_mix=3, max_iters=2, on_failure='clean', max_unfinished_ratio=0.0)
    made = Made(mixer, teacher, make_items)
    failed = ~made.details['finished'].numpy()
    assert failed.any() and not failed.all()
    own = made.sources[:, 0]
    assert torch.equal(made.stored()[failed].float(), own[failed])
    expected = probabilities(teacher, own[failed])
    np.testing.assert_allclose(made.fields['targets'][failed], expected, atol=1e-3)


def test_what_is_stored_takes_one_more_pass(teacher_of, make_items):
    teacher, seen = teacher_of(), []
    hooked = teacher.model.backbone  # saliency is made from its features
    hooked.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))
    iterations = Made(SuperMix(teacher, max_iters=3), teacher, make_items).details['iterations']
    steps = range(iterations.max() + 1)
    running = [(iterations >= step).sum().item() for step in steps]
    assert seen == [12, *running, 6]


def test_blind_mixers_take_one_pass_of_the_given_teacher(teacher_of, make_items):
    teacher, seen = teacher_of(), []
    teacher.model.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))
    Made(SampleCutMix(num_mix=3), teacher, make_items)
    assert seen == [6]


def test_a_teacher_that_is_given_labels_what_another_mixed(teacher_of, make_items):
    own, other = teacher_of(), teacher_of()
    with torch.no_grad():
        other.model.head.fc.weight.neg_()
    made = Made(SuperMix(own, max_iters=3), other, make_items)
    expected = probabilities(other, made.stored().float())
    np.testing.assert_allclose(made.fields['targets'], expected, atol=2e-5)


def test_no_augment_of_the_config_mixes_beforehand(teacher_of, make_items):
    augments = [dict(type='Mixup', alpha=1.0)]
    stats = preprocessor() | dict(batch_augments=dict(augments=augments), num_classes=10)
    labelled = LabelledAugment(SampleMixup(alpha=1e-6), teacher_of(), stats, 10, 'cpu')
    items = make_items(4)
    draw = draw_batch((0, 0), 0, (2, 2), 4, 1e-6, 0.0)
    images = labelled([items[i] for i in draw.sources.flatten().tolist()], draw)['images']
    main = draw.sources[torch.arange(2), draw.draw.weights.argmax(dim=1)].tolist()
    for image, number in zip(images, main, strict=True):
        assert np.array_equal(image.transpose(2, 0, 1), items[number]['inputs'].numpy())


def test_a_teacher_that_cannot_label_is_refused(make_teacher):
    with pytest.raises(ValueError, match=r'no teacher .* generation=dict\(teacher='):
        check_labeller(None, 10)
    with pytest.raises(ValueError, match='has 7 classes and the data set has 10'):
        check_labeller(make_teacher(num_classes=7), 10)
    check_labeller(make_teacher(num_classes=7), 7)


class Net(nn.Module):
    """A classifier whose config says nothing, since there is none."""

    def __init__(self, num_classes):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 6, 3), nn.Linear(6, num_classes)

    def forward(self, images):
        return self.fc(self.conv(images).mean(dim=(2, 3)))


def test_a_modules_classes_are_counted_before_the_first_mix(make_items):
    stats = dict(mean=MEAN, std=STD, channel_order='rgb')
    items, draw = make_items(4), draw_batch((0, 0), 0, (2, 2), 4, 1.0, 0.0)
    chosen = [items[i] for i in draw.sources.flatten().tolist()]
    for classes in (10, 7):
        teacher = FrozenTeacher(model=Net(classes), **stats, input_stats=stats)
        check_labeller(teacher, 10)  # nothing is known yet
        labelled = LabelledAugment(SampleMixup(), teacher, preprocessor(), 10, 'cpu')
        if classes == 10:
            assert labelled(chosen, draw)['targets'].shape == (2, 10)
            continue
        with pytest.raises(ValueError, match='has 7 classes and the data set has 10'):
            labelled(chosen, draw)


def test_logits_that_are_not_finite_label_nothing(teacher_of, make_items):
    teacher = teacher_of()
    items, draw = make_items(4), draw_batch((0, 0), 0, (2, 2), 4, 1.0, 0.0)
    labelled = LabelledAugment(SampleMixup(), teacher, preprocessor(), 10, 'cpu')
    teacher.model.head.fc.bias[3] = float('nan')  # behind the check of the first batch
    with pytest.raises(ValueError, match='the logits of the teacher .* holds NaN or infinity'):
        labelled([items[i] for i in draw.sources.flatten().tolist()], draw)
