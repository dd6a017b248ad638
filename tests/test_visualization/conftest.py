"""Small mixers and a batch that they have mixed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mmtmix.models import SampleCutMix, SampleMixup, SuperMix, TransformMix, TransformMixer
from mmtmix.models.teachers import InputStats

NAMES = ['coat', 'a $5 note', 'a name longer than it can be', 'bag', 'shoe']


@pytest.fixture
def mix(make_teacher):
    """Make and mix a batch: ``mix(num_mix=2, channels=3, size=(24, 24), **mixer)``."""

    def make(num_mix=2, channels=3, size=(24, 24), **mixer):
        torch.manual_seed(0)
        mixer = TransformMixer(num_mix=num_mix, cam_size=18, **mixer)
        for layer in (mixer.stn.fc if mixer.stn else None, mixer.mask_network):
            for parameter in layer.parameters() if layer else ():
                torch.nn.init.normal_(parameter, std=0.2)  # an untrained one warps nothing
        augment = TransformMix(
            make_teacher(in_channels=channels), mixer, num_mix=num_mix, alpha=1.0
        )
        return mix_batch(augment, channels, size)

    return make


@pytest.fixture
def mix_plainly(make_teacher):
    """Mix as ``mix`` does, without moving images: ``mix_plainly('SuperMix', num_mix=3)``."""

    def make(kind, num_mix=2, **settings):
        torch.manual_seed(0)
        if kind == 'SuperMix':
            # by the labels, since a random teacher sees one class in all images
            settings = dict(max_iters=3, labels='gt') | settings
            augment = SuperMix(make_teacher(), num_mix, **settings)
        else:
            kinds = dict(SampleMixup=SampleMixup, SampleCutMix=SampleCutMix)
            augment = kinds[kind](num_mix, **settings)
        return mix_batch(augment, channels=3, size=(24, 20))

    return make


def mix_batch(augment, channels, size):
    """Five images, and what an augment makes of them."""
    inputs, scores = torch.randn(5, channels, *size), torch.eye(10)[:5]
    mixed, _, details = augment(inputs, scores, return_details=True)
    return SimpleNamespace(
        augment=augment,
        inputs=inputs,
        scores=scores,
        mixed=mixed,
        details=details,
        stats=InputStats((120.0,), (60.0,)),
        names=NAMES,
    )


@pytest.fixture
def drawn():
    """The arrays that a figure's axes show, axes by axes."""
    return lambda figure: [[image.get_array() for image in axes.images] for axes in figure.axes]


@pytest.fixture
def assert_readable():
    """Check that no text of a figure meets another, a picture or the figure's edge."""

    def check(figure):
        renderer = FigureCanvasAgg(figure).get_renderer()
        texts = [text for text in figure.texts if text.get_text()]
        boxes = [text.get_window_extent(renderer) for text in texts]
        others = [axes.get_window_extent(renderer) for axes in figure.axes]
        for i, box in enumerate(boxes):
            assert box.x0 >= 0 and box.y0 >= 0, texts[i]
            assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, texts[i]
            for other in boxes[:i] + others:
                assert not box.overlaps(other), texts[i]

    return check
