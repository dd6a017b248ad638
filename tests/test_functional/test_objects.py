"""Objects in masks, against loops over pixels."""

import pytest
import torch

from mmtmix.functional import covered_pixels, object_boxes, shift_images


def masks_of(count, size, seed=0, share=0.1):
    return torch.rand(count, *size, generator=torch.Generator().manual_seed(seed)) < share


SIZES = pytest.mark.parametrize('size', [(9, 6), (5, 8), (1, 1)])


@SIZES
def test_boxes_are_the_least_ones(size):
    masks = masks_of(32, size)
    masks[3] = False
    for mask, found in zip(masks, object_boxes(masks).tolist(), strict=True):
        places = mask.nonzero().tolist()
        rows, columns = [r for r, _ in places], [c for _, c in places]
        expected = [0, 0, 0, 0]
        if places:
            top, left = min(rows), min(columns)
            expected = [top, left, max(rows) - top + 1, max(columns) - left + 1]
        assert found == expected


@SIZES
@pytest.mark.parametrize('dtype', [torch.float32, torch.bool])
def test_images_move_by_whole_pixels(size, dtype):
    images = (torch.rand(6, 2, *size) + 0.1).to(dtype)
    shift = torch.tensor([[0, 0], [1, 0], [0, -2], [-3, 4], [20, 0], [2, 2]])
    moved = shift_images(images, shift)
    assert moved.dtype == dtype
    for n, (down, right) in enumerate(shift.tolist()):
        for r in range(size[0]):
            for c in range(size[1]):
                y, x = r - down, c - right
                inside = 0 <= y < size[0] and 0 <= x < size[1]
                expected = images[n, :, y, x] if inside else torch.zeros(2, dtype=dtype)
                assert torch.equal(moved[n, :, r, c], expected)


@SIZES
def test_covered_pixels_are_counted_for_every_place(size):
    below, above = masks_of(4, size, 1, 0.5), masks_of(4, size, 2, 0.5)
    found = covered_pixels(below, above)
    for r in range(size[0]):
        for c in range(size[1]):
            moved = shift_images(above[:, None], torch.tensor([[r, c]] * 4))[:, 0]
            assert torch.equal(found[:, r, c], (below & moved).sum(dim=(1, 2)))
