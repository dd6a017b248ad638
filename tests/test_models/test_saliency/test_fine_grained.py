"""From normalised images back to gray levels."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mmtmix.models import FineGrainedSaliency, build_saliency

pytestmark = pytest.mark.host

FILE = Path(__file__).parents[2] / 'data' / 'fine_grained_saliency.npz'
STATS = dict(mean=[125.3, 123.0, 113.9], std=[63.0, 62.1, 66.7])
GRAY_STATS = dict(mean=[72.9], std=[90.0])
LOADING = dict(type='CustomDataset', pipeline=[dict(type='LoadImageFromFile')])
FILES = dict(train_dataloader=dict(dataset=LOADING))
ARRAYS = dict(train_dataloader=dict(dataset=dict(type='CIFAR10')))


@pytest.fixture(scope='module')
def face():
    """An RGB image (1, 3, H, W) in 0-255 and OpenCV's saliency of it (1, 1, H, W)."""
    with np.load(FILE) as arrays:
        image, saliency = arrays['face_image'], arrays['face_saliency']
    image = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    return image, torch.from_numpy(saliency)[None, None].float()


def normalize(pixels, mean, std):
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (mean, std))
    return (pixels - mean) / std


@pytest.mark.parametrize('loaded', [FILES, ARRAYS])
@pytest.mark.parametrize('to_rgb', [True, False])
def test_the_running_tasks_statistics_bring_back_the_image(face, loaded, to_rgb, start_run):
    image, expected = face
    start_run(dict(data_preprocessor=dict(STATS, to_rgb=to_rgb), **loaded))
    inputs = normalize(image if to_rgb == (loaded is FILES) else image.flip(1), **STATS)
    source = build_saliency('FineGrainedSaliency')
    for _ in range(2):
        assert torch.equal(source(inputs, torch.zeros(1, 2)), expected)


def test_statistics_can_be_given(face):
    image, expected = face
    source = FineGrainedSaliency(input_stats=dict(STATS, channel_order='rgb'))
    inputs = normalize(image, **STATS)
    before = inputs.clone()
    assert torch.equal(source(inputs, torch.zeros(1, 2)), expected)
    assert torch.equal(inputs, before)


def test_float16_is_precise_enough(face):
    image, expected = face
    source = FineGrainedSaliency(dict(STATS, channel_order='rgb'))
    inputs = normalize(image, **STATS)
    assert torch.equal(source(inputs.half(), torch.zeros(1, 2)), expected)
    # 8 bits hold a gray level or two less
    found = source(inputs.bfloat16(), torch.zeros(1, 2))
    assert found.dtype == torch.float32
    assert (found - expected).abs().mean() < 3


def test_outside_of_a_run_an_image_is_stretched(face):
    image, _ = face
    image = image.clone()
    image[0, 0, 0, 0], image[0, 0, 0, 1] = 0, 255  # so that stretching changes nothing
    known = FineGrainedSaliency(dict(channel_order='rgb'))(image, torch.zeros(1, 2))
    stretched = FineGrainedSaliency()(image / 100 - 1, torch.zeros(1, 2))
    assert torch.equal(stretched, known)


def test_a_run_that_starts_later_is_seen(face, start_run):
    image, expected = face
    source, inputs = FineGrainedSaliency(), normalize(image, **STATS)
    source(inputs, torch.zeros(1, 2))
    start_run(dict(data_preprocessor=dict(STATS, to_rgb=True), **FILES))
    assert torch.equal(source(inputs, torch.zeros(1, 2)), expected)
    other = dict(mean=[0.0], std=[1.0], to_rgb=True)
    start_run(dict(data_preprocessor=other, **FILES))  # and another after it
    assert torch.equal(source(image, torch.zeros(1, 2)), expected)


def test_gray_images_need_no_order(face, start_run):
    image, _ = face
    gray = image[:, :1]
    start_run(dict(data_preprocessor=GRAY_STATS))
    found = FineGrainedSaliency()(normalize(gray, **GRAY_STATS), torch.zeros(1, 2))
    assert torch.equal(found, FineGrainedSaliency(dict())(gray, torch.zeros(1, 2)))


def test_colours_of_an_unknown_order_are_refused(face, start_run):
    image, expected = face
    inputs = normalize(image, **STATS)
    start_run(dict(data_preprocessor=dict(STATS, to_rgb=True)))
    cure = r"input_stats=dict\(mean=.*channel_order='rgb'\)"
    for source in (FineGrainedSaliency(), FineGrainedSaliency(STATS)):
        with pytest.raises(ValueError, match=f'channels is unknown .*no data set.*{cure}'):
            source(inputs, torch.zeros(1, 2))
    start_run(dict(data_preprocessor=dict(STATS, to_rgb=True), **FILES))
    assert torch.equal(FineGrainedSaliency(STATS)(inputs, torch.zeros(1, 2)), expected)


def test_a_constant_image_has_no_saliency():
    saliency = FineGrainedSaliency()(torch.full((2, 3, 8, 8), 0.3), torch.zeros(2, 2))
    assert not saliency.any()


def test_statistics_that_are_no_dict_are_refused():
    with pytest.raises(TypeError, match='input_stats must be dict'):
        FineGrainedSaliency(127.0)
