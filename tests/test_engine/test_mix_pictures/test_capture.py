"""Mixes of every augment in a picture, from steps that stay what they are."""

import numpy as np
import pytest
import torch
from mmpretrain.models import CutMix, Mixup
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.engine.mix_pictures import ClassNames, MixCapture, draw_blocks, panel
from mmtmix.models import TransformMixer
from mmtmix.models.teachers import InputStats

pytestmark = pytest.mark.host

IMAGES = torch.rand(6, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 255
SCORES = torch.eye(10)[:6]
SEEING = dict(
    saliency=dict(
        type='FineGrainedSaliency', input_stats=dict(mean=[0.0], std=[1.0], channel_order='rgb')
    )
)
SETTINGS = dict(
    **dict.fromkeys(('CoMixup', 'ObjectPaste', 'PuzzleMix', 'SaliencyMix'), SEEING),
    Mixup=dict(alpha=1.0),
    CutMix=dict(alpha=1.0),
    ResizeMix=dict(alpha=1.0),
    ChooseAugment=dict(
        augments=[dict(type='SampleResizeMix'), dict(type='FMix')], probs=[0.5, 0.5]
    ),
    SoftMasks=dict(augment=dict(type='SampleCutMix'), sigma=2.0),
)
NEED_A_TEACHER = {
    'AttentiveMix': {},
    'CAMMix': {},
    'SuperMix': dict(max_iters=2),
    'TransformMix': {},
}


class OwnGenerator:
    """An augment of a user: draws from a generator of its own, and counts its calls."""

    def __init__(self):
        self.rng = np.random.default_rng(0)
        self.calls = 0

    def __call__(self, images, scores):
        self.calls += 1
        share = float(self.rng.beta(1, 1)) / self.calls
        index = torch.from_numpy(self.rng.permutation(len(images)))
        images.copy_(share * images + (1 - share) * images[index])  # writes to the batch
        return images, share * scores + (1 - share) * scores[index]


class TorchGenerator(OwnGenerator):
    """The same with one of torch."""

    def __init__(self):
        super().__init__()
        self.rng = TorchDraws()


class TorchDraws:
    def __init__(self):
        self.generator = torch.Generator().manual_seed(0)

    def beta(self, a, b):
        return torch.rand(1, generator=self.generator).item()

    def permutation(self, count):
        return torch.randperm(count, generator=self.generator).numpy()


class NotLinear(OwnGenerator):
    def __call__(self, images, scores):
        mixed, targets = super().__call__(images, scores)
        return mixed.square(), targets


class NoCopy(OwnGenerator):
    def __deepcopy__(self, memo):
        raise TypeError('holds a socket')


class SharedCopy(OwnGenerator):
    def __deepcopy__(self, memo):
        return self


def capture(count=4):
    return MixCapture(count, InputStats(), 'rgb', ClassNames())


def batches(augment, watch):
    """Return what three steps mix, of which the second is watched, and what is drawn then."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    augments, found, seen = [augment], [], capture()
    for step in range(3):
        images = IMAGES.clone()
        if watch and step == 1:
            with seen.watching([augments]):
                mixed, targets = augments[0](images, SCORES.clone())
        else:
            mixed, targets = augments[0](images, SCORES.clone())
        found += [mixed.clone(), targets, images]
    return [*found, torch.rand(3), torch.from_numpy(np.random.rand(3))], seen  # noqa: NPY002


def check_columns(columns):
    """Compare the mixes with what their masks show of their images."""
    sources = columns.get('Transformed', columns['Input'])
    explained = (sources * columns['Mask']).sum(axis=1)
    shown = columns['Mask'].sum(axis=1) < 1.01  # a place that is only filled is blank
    assert shown.any()
    np.testing.assert_allclose(columns['Mix'][:, 0][shown], explained[shown], atol=1e-3)


@pytest.mark.parametrize(
    ('kind', 'error'),
    [
        (OwnGenerator, None),
        (TorchGenerator, None),
        (lambda: CutMix(alpha=1.0), None),
        (lambda: Mixup(alpha=1.0), None),
        (NotLinear, 'NotLinear is not linear in its images'),
        (NoCopy, 'NoCopy cannot be copied .*socket'),
        (SharedCopy, 'SharedCopy cannot be copied, and replaying it could change the training'),
        (lambda: OwnGenerator().__call__, None),
    ],
    ids=['numpy', 'torch', 'cutmix', 'mixup', 'not linear', 'no copy', 'shared copy', 'method'],
)
def test_a_watched_step_and_the_next_are_those_of_a_plain_call(kind, error):
    plain, watched = kind(), kind()
    expected, _ = batches(plain, watch=False)
    found, seen = batches(watched, watch=True)
    assert all(map(torch.equal, found, expected))
    assert getattr(watched, 'calls', 0) == getattr(plain, 'calls', 0)
    if error is None:
        assert seen.error is None and len(seen.blocks) == 1
        check_columns(seen.blocks[0].columns)
    else:
        assert not seen.blocks
        with pytest.raises(ValueError, match=error):
            raise seen.error


def test_an_error_of_the_augment_is_that_of_a_plain_call():
    def fails(images, scores):
        raise KeyError('own')

    augments = [fails]
    with capture().watching([augments]), pytest.raises(KeyError, match='own'):
        augments[0](IMAGES, SCORES)
    assert augments == [fails]


def build(name, make_teacher):
    settings = dict(SETTINGS.get(name, {}))
    if name in NEED_A_TEACHER:
        settings = dict(NEED_A_TEACHER[name], teacher=make_teacher(in_channels=1))
    if name == 'TransformMix':
        mixer = TransformMixer(cam_size=18)
        torch.nn.init.normal_(mixer.stn.fc.weight, std=0.1)
        settings['mixer'] = mixer
    return BATCH_AUGMENTS.build(dict(settings, type=name))


SHIPPED = [
    name
    for name, kind in BATCH_AUGMENTS.module_dict.items()
    if kind.__module__.startswith(('mmtmix.', 'mmpretrain.'))  # other tests register some
]


@pytest.mark.parametrize('name', sorted(SHIPPED))
def test_every_registered_augment_is_drawn_in_a_step_that_stays_the_same(name, make_teacher):
    augment = build(name, make_teacher)
    expected, _ = batches(augment, watch=False)
    found, seen = batches(augment, watch=True)
    assert all(map(torch.equal, found, expected))
    assert seen.error is None
    (block,) = seen.taken()
    assert block.title == name and len(block.labels) == 4
    assert {'Input', 'Mask', 'Mix'} <= block.columns.keys()
    assert block.columns['Mix'].shape == (4, 1, 32, 32)
    check_columns(block.columns)
    if block.heat is not None:
        assert block.heat_column == augment.saliency_title and block.heat_column in block.columns
    assert draw_blocks([block], 'Mixes').shape[2] == 3


def test_saliency_has_the_name_of_its_source(make_teacher):
    titles = {}
    for name in ('AttentiveMix', 'SaliencyMix'):
        augments, seen = [build(name, make_teacher)], capture()
        with seen.watching([augments]):
            augments[0](IMAGES, SCORES)
        (block,) = seen.taken()
        titles[name] = list(block.columns)
    assert titles['AttentiveMix'][1] == 'CAM'
    assert titles['SaliencyMix'][1] == 'Fine-grained saliency'


def test_a_title_is_cut_where_its_column_is_narrow(monkeypatch):
    drawn = []
    write = panel.ImageDraw.ImageDraw.text
    monkeypatch.setattr(
        panel.ImageDraw.ImageDraw,
        'text',
        lambda pen, xy, text, **options: drawn.append(text) or write(pen, xy, text, **options),
    )
    seen, augments = capture(), [build('SaliencyMix', None)]
    with seen.watching([augments]):
        augments[0](IMAGES[..., :8], SCORES)
    draw_blocks(seen.taken(), 'Mixes')
    assert {'Input', 'Mask', 'Mix'} <= set(drawn)
    assert [text for text in drawn if text.startswith('Fine') and text.endswith('…')]
