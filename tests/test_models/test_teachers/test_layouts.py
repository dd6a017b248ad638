"""Where the positions of an image are in a module's output."""

import pytest
import torch

from mmtmix.models.teachers.layouts import Layout, find_layout, fits_image, token_grid


@pytest.mark.parametrize(
    ('grid', 'image', 'fits'),
    [
        ((7, 7), (224, 224), True),
        ((7, 8), (224, 224), False),
        ((17, 16), (64, 64), False),
        ((2, 6), (32, 96), True),
        ((6, 2), (32, 96), False),
        ((2, 2), (33, 64), True),  # strides round up
        ((1, 2), (63, 64), True),  # or down
        ((65, 65), (64, 64), False),
        ((0, 0), (64, 64), False),
    ],
)
def test_a_grid_fits_an_image_of_its_aspect(grid, image, fits):
    assert fits_image(*grid, image) is fits


@pytest.mark.parametrize(
    ('count', 'image', 'grid'),
    [(196, (224, 224), (14, 14)), (12, (32, 96), (2, 6)), (15, (64, 64), None), (0, (8, 8), None)],
)
def test_patches_fill_a_grid_of_the_images_aspect(count, image, grid):
    assert token_grid(count, image) == grid


@pytest.mark.parametrize(
    ('shape', 'extra', 'layout'),
    [
        ((2, 512, 7, 7), None, Layout('channels first')),
        ((2, 7, 7, 768), None, Layout('channels last')),
        ((2, 7, 7, 7), None, Layout('channels first')),
        ((2, 49, 768), None, Layout('tokens', 0)),
        ((2, 197, 768), None, Layout('tokens', 1)),
        ((2, 198, 192), None, Layout('tokens', 2)),
        ((2, 201, 384), None, Layout('tokens', 5)),
        ((2, 202, 384), None, None),
        ((2, 202, 384), 6, Layout('tokens', 6)),
        ((2, 197, 768), 0, None),
        ((2, 768, 1), None, None),  # pooled
        ((2, 12, 197, 64), None, None),
        ((2, 768), None, None),
    ],
)
def test_a_layout_is_read_off_the_shape(shape, extra, layout):
    assert find_layout(shape, (224, 224), extra) == layout


def test_all_layouts_of_a_map_become_the_same_map():
    features = torch.randn(2, 5, 3, 4)
    tokens = torch.cat([torch.randn(2, 2, 5), features.flatten(2).transpose(1, 2)], dim=1)
    outputs = {
        Layout('channels first'): features,
        Layout('channels last'): features.permute(0, 2, 3, 1),
        Layout('tokens', 2): tokens,
    }
    for layout, output in outputs.items():
        assert torch.equal(layout.to_map(output, (30, 40)), features)


def test_tokens_that_fill_no_grid_name_the_cure():
    with pytest.raises(ValueError, match=r'11 tokens, 1 of them extra.*num_extra_tokens='):
        Layout('tokens', 1).to_map(torch.randn(2, 11, 5), (64, 64))
