"""Index maps of crops and pads, against numpy."""

import numpy as np
import pytest
import torch

from mmtmix.functional.pixel_maps import (
    OUTSIDE,
    PADS,
    draw_patches,
    pad_positions,
    patch_masks,
    pick_pixels,
    with_fill,
)


@pytest.mark.parametrize('mode', PADS)
@pytest.mark.parametrize('sides', [(0, 0), (2, 1), (1, 4), (9, 7)])
@pytest.mark.parametrize('size', [1, 2, 5])
def test_positions_are_those_of_numpy(mode, sides, size):
    fill = dict(constant_values=OUTSIDE) if mode == 'constant' else {}
    expected = np.pad(np.arange(size), sides, mode=mode, **fill)
    assert pad_positions(size, *sides, mode).tolist() == expected.tolist()


def test_pixels_are_picked_per_image():
    source = torch.randint(0, 256, (5, 3, 6, 7), dtype=torch.uint8)
    index = torch.tensor([4, 0, 4])
    rows, cols = torch.randint(6, (3, 4)), torch.randint(7, (3, 9))
    picked = pick_pixels(source, index, rows, cols)
    expected = source[index[:, None, None], :, rows[:, :, None], cols[:, None]].permute(0, 3, 1, 2)
    assert picked.is_contiguous()
    assert torch.equal(picked, expected)


def test_later_colours_lie_over_earlier_ones():
    colours = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8)
    canvas = with_fill(2, 3, colours)
    assert canvas.shape == (2, 4, 5)
    for channel, (first, second) in enumerate([(1, 3), (2, 4)]):
        expected = [[0, 0, 0, first, second]] * 2 + [[first] * 4 + [second], [second] * 5]
        assert canvas[channel].tolist() == expected


def test_patches_lie_inside_and_are_masked():
    generator = torch.Generator().manual_seed(0)
    patches = draw_patches(500, 9, 6, 0.75, (0.1, 0.9), (0.3, 3.0), generator)
    top, left, tall, wide = patches.T
    assert (top + tall <= 9).all() and (left + wide <= 6).all() and (patches >= 0).all()
    assert 0.7 < (tall > 0).double().mean() < 0.8
    masks = patch_masks(patches, 9, 6)
    assert torch.equal(masks.flatten(1).sum(dim=1), tall * wide)
    number = int((tall > 0).nonzero()[0])
    y, x, height, width = patches[number].tolist()
    assert masks[number, 0, y : y + height, x : x + width].all()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="mode must be one of 'constant'"):
        pad_positions(3, 1, 1, 'wrap')
    with pytest.raises(ValueError, match='before must be an integer >= 0, got -1'):
        pad_positions(3, -1, 1)
    with pytest.raises(ValueError, match='height must be an integer >= 1, got 0'):
        with_fill(0, 3, torch.zeros(1, 1))
