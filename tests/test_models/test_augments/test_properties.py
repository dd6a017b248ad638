"""What holds for every registered mixer, whatever the batch: searched for with Hypothesis."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from mmtmix.models import Draw, FrozenTeacher, SaliencySource, TransformMixer
from mmtmix.models.augments import BatchAugment
from mmtmix.models.label_check import as_scores
from mmtmix.models.late_verdict import FiniteCheck

pytestmark = pytest.mark.host

NUM_CLASSES = 4
STATS = dict(mean=120.0, std=60.0)


class Brightness(SaliencySource):
    """Sees bright pixels."""

    def __call__(self, batch_inputs, batch_scores):
        return batch_inputs.detach().float().square().mean(dim=1, keepdim=True)


class Net(nn.Module):
    """Keeps an opinion at any size of image."""

    def __init__(self, channels):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(channels, 6, 3, 1, 1), nn.Tanh())
        self.fc = nn.Linear(6, NUM_CLASSES)

    def forward(self, images):
        return self.fc(self.features(images).mean(dim=(2, 3)))


def teacher(channels):
    torch.manual_seed(channels)
    net = Net(channels)
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    return FrozenTeacher(model=net, **STATS)


TEACHERS = {channels: teacher(channels) for channels in (1, 3)}


def mixing_module(num_mix):
    torch.manual_seed(num_mix)
    mixer = TransformMixer(num_mix=num_mix, cam_size=18, channels=4)
    nn.init.normal_(mixer.stn.fc.weight, std=0.1)
    return mixer


MODULES = {num_mix: mixing_module(num_mix) for num_mix in (2, 3, 4)}

# mixer -> images per mix that it takes, and strategies for its settings
MANY, PAIRS = st.integers(2, 4), st.just(2)
ALPHA = dict(alpha=st.sampled_from([0.02, 0.5, 1, 8.0]))
SEEN = dict(saliency=st.builds(Brightness))
BLOCKS = dict(block_num=st.sampled_from([None, 1, 3, [2, 4]]))
LABELS = dict(labels=st.sampled_from(['source_prediction', 'gt']))
KINDS = {
    'AttentiveMix': (PAIRS, dict(SEEN, num_cells=st.integers(1, 9), grid_size=st.integers(3, 5))),
    'CAMMix': (
        MANY,
        dict(
            ALPHA,
            **SEEN,
            temperature=st.sampled_from([0.02, 0.5, 5]),
            noise=st.sampled_from([0, 0.5]),
            anchor=st.sampled_from(['area', 'weights', 'none']),
            mask_size=st.sampled_from([None, 1, 5]),
        ),
    ),
    'ChooseAugment': (
        PAIRS,
        dict(
            augments=st.just([dict(type='SampleCutMix', num_mix=3), dict(type='SampleMixup')]),
            probs=st.sampled_from([[0.4, 0.4], [0.9, 0.1]]),
            per=st.sampled_from(['sample', 'batch']),
        ),
    ),
    'CoMixup': (PAIRS, dict(ALPHA, **SEEN, **BLOCKS, group_size=st.integers(2, 4))),
    'FMix': (MANY, dict(ALPHA, decay_power=st.floats(0, 4))),
    'GridMix': (MANY, dict(ALPHA, grid_size=st.integers(2, 5))),
    'ObjectPaste': (
        PAIRS,
        dict(
            SEEN,
            shape=st.sampled_from(['box', 'mask']),
            place=st.sampled_from(['own', 'random', 'clear']),
            labels=st.sampled_from(['gt', 'visible']),
        ),
    ),
    'PuzzleMix': (PAIRS, dict(ALPHA, **SEEN, **BLOCKS, transport=st.booleans())),
    'SaliencyMix': (MANY, dict(ALPHA, **SEEN)),
    'SampleCutMix': (MANY, dict(ALPHA, places=st.sampled_from(['inside', 'clipped']))),
    'SampleMixup': (MANY, ALPHA),
    'SampleResizeMix': (MANY, dict(ALPHA, lam_range=st.sampled_from(['side', 'lam']))),
    'SmoothMix': (MANY, dict(ALPHA, sigma=st.sampled_from([(0.25, 0.5), (0.05, 0.05)]))),
    'SoftMasks': (
        PAIRS,
        dict(
            augment=st.sampled_from(
                [dict(type='FMix'), dict(type='SampleCutMix'), dict(type='SmoothMix')]
            ),
            sigma=st.sampled_from([0, 0.3, 4.0]),
            mixup=st.sampled_from([0, 0.5, 1]),
            anchored=st.booleans(),
        ),
    ),
    'SuperMix': (
        MANY,
        dict(
            ALPHA,
            **LABELS,
            max_iters=st.integers(1, 3),
            mask_size=st.integers(1, 5),
            on_failure=st.sampled_from(['keep', 'clean']),
            repeats=st.sampled_from(['keep', 'resample']),
        ),
    ),
    'TransformMix': (
        MANY,
        dict(
            ALPHA,
            labels=st.sampled_from(['gt', 'visible']),
            cam_class=st.sampled_from(['target', 'predicted']),
        ),
    ),
}
# those whose tensors need no values: no solver on the CPU, no network, no seed of noise
ON_ANY_DEVICE = sorted(
    set(KINDS)
    - {'ChooseAugment', 'CoMixup', 'FMix', 'PuzzleMix', 'SoftMasks', 'SuperMix', 'TransformMix'}
)
ENDS = [
    ('AttentiveMix', dict(grid_size=1, num_cells=1)),
    ('AttentiveMix', dict(grid_size=3, num_cells=9)),
    ('CAMMix', dict(noise_size=1, temperature=1e-3)),
    ('CoMixup', dict(group_size=2, eta=0, omega=0, block_num=1)),
    ('CoMixup', dict(omega=1, beta=0, gamma=0, tau=0, sweeps=1)),
    ('FMix', dict(decay_power=0)),
    ('FMix', dict(max_soft=0.5)),
    ('GridMix', dict(grid_size=2)),
    ('PuzzleMix', dict(beta=0, gamma=0, eta=0, t_eps=0, n_labels=2, neigh_size=1, t_size=1)),
    ('PuzzleMix', dict(t_size=-1, block_num=1)),
    ('SampleMixup', dict(alpha=1e-6)),
    ('SampleResizeMix', dict(lam_min=0, lam_max=1)),
    ('SampleResizeMix', dict(lam_min=0.5, lam_max=0.5, lam_range='lam')),
    ('SmoothMix', dict(sigma=[1e-3, 1e-3])),
]
# what a value may be off for rounding: of the images, whose dtype the mixes keep
OFF = {torch.float64: 1e-5, torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 4e-2}
FLOATS = [torch.float32, torch.float64]


@st.composite
def cases(draw, kind):
    """A mixer, a batch that fits it, and how it is called."""
    sizes, settings = KINDS[kind]
    settings = {name: draw(strategy) for name, strategy in settings.items()}
    num_mix = draw(sizes)
    num_samples, channels = draw(st.integers(1, 6)), draw(st.sampled_from([1, 3]))
    sides = st.integers(settings.get('grid_size', 1), 13)  # each cell of a grid needs a pixel
    height, width = draw(sides), draw(sides)
    if kind not in (
        'ChooseAugment',
        'CoMixup',
        'SoftMasks',
    ):  # their mixes have as many images as they choose
        settings['num_mix'] = num_mix
    if kind in ('SuperMix', 'TransformMix'):
        settings['teacher'] = TEACHERS[channels]
    if kind == 'TransformMix':
        settings['mixer'] = MODULES[num_mix]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    images = torch.randn(num_samples, channels, height, width, generator=generator)
    images = images.to(draw(st.sampled_from(list(OFF))))
    labels = torch.randint(NUM_CLASSES, (num_samples,), generator=generator)
    if draw(st.booleans()):
        settings['num_classes'] = NUM_CLASSES
    else:
        labels = nn.functional.one_hot(labels, NUM_CLASSES).to(draw(st.sampled_from(FLOATS)))
    mixer = BATCH_AUGMENTS.build(dict(type=kind, **settings))
    return mixer, images, labels, draw(st.integers(1, 2))


def seeded():
    return torch.Generator().manual_seed(7)


def call(mixer, images, labels, repeat, return_details):
    torch.manual_seed(3)
    return mixer(images, labels, return_details=return_details, repeat=repeat)


def test_every_registered_mixer_is_tried():
    kinds = BATCH_AUGMENTS.module_dict.items()
    mixers = {n: c for n, c in kinds if isinstance(c, type) and issubclass(c, BatchAugment)}
    assert {n for n, c in mixers.items() if c.__module__.startswith('mmtmix.')} == set(KINDS)


@pytest.mark.parametrize('kind', KINDS)
@given(data=st.data())
def test_any_batch_is_mixed_as_documented(kind, data):
    mixer, images, labels, repeat = data.draw(cases(kind))
    before = images.clone(), labels.clone()
    mixed, targets, details = call(mixer, images, labels, repeat, True)
    _check_forms(mixer, images, labels, repeat, mixed, targets, details)
    _check_sums(images, mixed, targets, details)
    if len(images) < mixer.num_mix:
        assert torch.equal(mixed, images.repeat(repeat, 1, 1, 1))
    if kind != 'CoMixup':  # its mixes are those of a group, without an image of their own
        assert torch.equal(details['index'][:, 0], torch.arange(len(images)).repeat(repeat))
    if kind != 'SuperMix':  # which mixes the teacher's classes
        one_hot = labels if labels.dim() == 2 else nn.functional.one_hot(labels, NUM_CLASSES)
        rows = zip(details['weights'].double(), one_hot[details['index']].double(), strict=True)
        expected = torch.stack([weights @ scores for weights, scores in rows])
        torch.testing.assert_close(targets.double(), expected, atol=1e-5, rtol=0)
    again = call(mixer, images, labels, repeat, False)
    assert torch.equal(again[0], mixed) and torch.equal(again[1], targets)
    assert torch.equal(images, before[0]) and torch.equal(labels, before[1])


@pytest.mark.parametrize('kind', KINDS)
@given(data=st.data())
def test_what_is_drawn_comes_from_the_generator_alone(kind, data):
    mixer, images, labels, _ = data.draw(cases(kind))
    if len(images) < mixer.num_mix:
        return
    scores = as_scores(labels, mixer.num_classes)
    drawn = mixer.make_draw(scores, generator=seeded())
    mixes = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.random.get_rng_state()
        generator = seeded()
        draw = Draw(drawn.weights, drawn.index, generator, drawn.choice)
        mixed, details = mixer.mix_with_details(images, scores, draw)
        assert torch.equal(torch.random.get_rng_state(), before)
        mixes.append((mixed, mixer.mix_targets(scores, details), generator.get_state()))
    assert all(torch.equal(one, other) for one, other in zip(*mixes, strict=True))


@pytest.mark.parametrize('kind', ON_ANY_DEVICE)
@pytest.mark.parametrize('num_mix', [2, 3])
def test_nothing_is_made_on_another_device(kind, num_mix, monkeypatch):
    # shapes have no values to check
    monkeypatch.setattr(FiniteCheck, '__call__', lambda self, *args, **kwargs: None)
    if num_mix > 2 and KINDS[kind][0] is PAIRS:
        return
    settings = dict(saliency=Brightness()) if 'saliency' in KINDS[kind][1] else {}
    mixer = BATCH_AUGMENTS.build(dict(type=kind, num_mix=num_mix, **settings))
    with FakeTensorMode():  # a GPU that has shapes and no values
        images, scores = torch.empty(4, 1, 8, 9, device='cuda'), torch.empty(4, 3, device='cuda')
        weights = torch.empty(4, num_mix, device='cuda')
        index = torch.empty(4, num_mix, dtype=torch.int64, device='cuda')
        mixed, details = mixer.mix_with_details(images, scores, Draw(weights, index, seeded()))
        assert details.pop('generator_state').device.type == 'cpu'
        unmixed = mixer.unmixed_details(images, scores)
        drawn = mixer.draw_index(scores, seeded())
        for value in (mixed, drawn, *details.values(), *unmixed.values()):
            assert value.device.type == 'cuda'


@pytest.mark.parametrize(('kind', 'settings'), ENDS)
def test_settings_at_the_ends_of_their_ranges_are_taken(kind, settings):
    if 'saliency' in KINDS[kind][1]:
        settings = dict(settings, saliency=Brightness())
    mixer = BATCH_AUGMENTS.build(dict(type=kind, **settings))
    images = torch.randn(4, 3, 9, 8, generator=seeded())
    labels = torch.eye(NUM_CLASSES)
    mixed, targets, details = call(mixer, images, labels, 1, True)
    _check_forms(mixer, images, labels, 1, mixed, targets, details)
    _check_sums(images, mixed, targets, details)


def _check_forms(mixer, images, labels, repeat, mixed, targets, details):
    count, k = repeat * len(images), details['index'].size(1)
    assert k >= 2 if type(mixer).__name__ == 'CoMixup' else k == mixer.num_mix
    assert mixed.shape == (count, *images.shape[1:]) and mixed.dtype == images.dtype
    assert targets.shape == (count, NUM_CLASSES)
    assert targets.dtype == (labels.dtype if labels.is_floating_point() else torch.float32)
    assert details['weights'].shape == details['index'].shape == (count, k)
    assert details['weights'].dtype == torch.float32 and details['index'].dtype == torch.int64
    assert details['warped'].shape == (count, k, *images.shape[1:])
    assert details['warped'].dtype == images.dtype
    assert details['masks'].shape == (count, k, 1, *images.shape[2:])
    assert details['masks'].dtype == torch.float32
    assert details['index'].min() >= 0 and details['index'].max() < len(images)
    for value in (mixed, targets, *details.values()):
        assert value.device == images.device and not value.requires_grad
        assert value.isfinite().all()


def _check_sums(images, mixed, targets, details):
    masks = details['masks']
    assert masks.min() >= 0 and targets.min() >= 0
    ones = torch.ones_like(masks[:, 0])
    torch.testing.assert_close(masks.sum(dim=1), ones, atol=1e-5, rtol=0)
    for rows in (targets, details['weights']):
        torch.testing.assert_close(rows.sum(dim=1), torch.ones_like(rows[:, 0]))
    blended = (masks.double() * details['warped'].double()).sum(dim=1)
    off = OFF[images.dtype]
    torch.testing.assert_close(mixed.double(), blended, atol=off, rtol=off)
