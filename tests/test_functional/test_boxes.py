"""Boxes, measured in pixels, and images in boxes against a resize of each."""

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from mmtmix.functional import (
    box_masks,
    centre_boxes,
    clip_boxes,
    draw_weights,
    paste_boxes,
    place_boxes,
    shrink_into_boxes,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def extent(mask):
    """Rows and columns between which a mask has ones, as (top, bottom, left, right)."""
    rows, columns = mask.nonzero(as_tuple=True)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_every_pixel_belongs_to_one_image(num_mix):
    masks = box_masks(draw_weights(16, num_mix, 1.0, seeded()), 12, 20, seeded())
    assert masks.shape == (16, num_mix, 1, 12, 20)
    assert masks.dtype == torch.float32
    assert set(masks.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(masks.sum(dim=1), torch.ones(16, 1, 12, 20))


@pytest.mark.parametrize('num_mix', [2, 3])
def test_the_last_image_is_a_whole_box_of_its_share_and_the_pictures_aspect(num_mix):
    weights = draw_weights(64, num_mix, 1.0, seeded())
    masks = box_masks(weights, 24, 40, seeded())
    for share, mask in zip(weights[:, -1].tolist(), masks[:, -1, 0], strict=True):
        height, width = round(24 * share**0.5), round(40 * share**0.5)
        assert mask.sum() == height * width
        if mask.any():
            top, bottom, left, right = extent(mask)
            assert (bottom - top, right - left) == (height, width)


def test_for_two_images_areas_are_the_weights():
    weights = draw_weights(64, 2, 1.0, seeded())
    areas = box_masks(weights, 256, 256, seeded()).mean(dim=(2, 3, 4))
    # a side is at most half a pixel off
    torch.testing.assert_close(areas, weights, atol=1 / 256, rtol=0)


def test_an_earlier_box_shows_where_no_later_one_lies():
    weights = torch.tensor([[0.25, 0.25, 0.5]]).expand(32, 3)
    masks = box_masks(weights, 32, 32, seeded())[:, :, 0]
    side = round(32 * 0.5**0.5)  # the second image's half of what the first two make
    for first, second, third in masks.unbind():
        assert third.sum() == side**2
        assert second.sum() <= side**2
        top, bottom, left, right = extent(second)
        hidden = third[top:bottom, left:right].bool()
        assert not first[top:bottom, left:right][~hidden].any()


@pytest.mark.parametrize('size', [1, 7, 32])
def test_all_weight_on_one_image_shows_only_that_one(size):
    for owner in range(3):
        weights = torch.zeros(4, 3)
        weights[:, owner] = 1
        masks = box_masks(weights, size, size, seeded())
        assert (masks[:, owner] == 1).all()


def test_boxes_reach_every_place():
    weights = torch.tensor([[0.75, 0.25]]).expand(2000, 2)
    covered = box_masks(weights, 8, 8, seeded())[:, 1, 0]
    corners = covered[:, [0, 0, -1, -1], [0, -1, 0, -1]].mean(dim=0)
    # a 4x4 box has 5 x 5 places in an 8x8 picture
    torch.testing.assert_close(corners, torch.full((4,), 1 / 25), atol=0.02, rtol=0)


def test_a_generator_reproduces_the_boxes():
    weights = draw_weights(8, 2, 1.0, seeded())
    before = torch.get_rng_state()
    assert torch.equal(box_masks(weights, 9, 9, seeded(1)), box_masks(weights, 9, 9, seeded(1)))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_weights_are_not_written_to():
    weights = draw_weights(8, 3, 1.0, seeded())
    before = weights.clone()
    box_masks(weights, 9, 9)
    assert torch.equal(weights, before)


@pytest.mark.parametrize('size', [(24, 40), (7, 5)])
def test_placed_boxes_have_their_sides_and_lie_inside(size):
    side = torch.linspace(0, 1, 300).view(100, 3)
    boxes = place_boxes(side, *size, seeded())
    assert boxes.shape == (100, 3, 4)
    assert torch.equal(boxes[..., 2:], (side[..., None] * torch.tensor(size)).round())
    assert (boxes >= 0).all()
    assert (boxes[..., :2] + boxes[..., 2:] <= torch.tensor(size)).all()


def test_a_centred_box_reaches_half_its_length_and_is_cut_off_at_the_border():
    for size in ((12, 20), (9, 9)):
        for side in (0.0, 0.1, 0.37, 0.5, 0.9, 1.0):
            for centre in ((0, 0), (4, 6), (size[0] - 1, size[1] - 1)):
                box = centre_boxes(torch.tensor([[side]]), torch.tensor([[centre]]), *size)
                expected = []
                for middle, length in zip(centre, size, strict=True):
                    half = int(torch.tensor(side) * length) // 2
                    expected.append((max(middle - half, 0), min(middle + half, length)))
                (top, bottom), (left, right) = expected
                assert box.tolist() == [[[top, left, bottom - top, right - left]]]


def test_boxes_are_pasted_one_over_another():
    boxes = torch.tensor([[[0, 0, 3, 4], [1, 2, 2, 5]]]).float()
    first, second, third = paste_boxes(boxes, 4, 8)[0, :, 0]
    picture = torch.zeros(4, 8)
    picture[0:3, 0:4] = 1
    picture[1:3, 2:7] = 2
    for image, mask in enumerate((first, second, third)):
        assert torch.equal(mask, (picture == image).float())


def test_nothing_waits_for_the_device_that_the_boxes_are_on():
    class Copies(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.waits = []

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            if 'copy' in func.__name__:  # a CPU's own are made by no copy
                self.waits.append(not kwargs.get('non_blocking'))
            return func(*args, **kwargs)

    side, centre = (torch.rand(shape, device='meta') for shape in ((4, 2), (4, 2, 2)))
    with Copies() as copies:
        place_boxes(side, 9, 7, seeded())
        centre_boxes(side, centre, 9, 7)
    assert copies.waits == [False]


@pytest.mark.parametrize(('channels', 'size'), [(3, (16, 16)), (1, (12, 20)), (2, (9, 7))])
def test_a_box_holds_its_whole_image_resized(channels, size):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(10, 2, channels, *size, generator=generator)
    before = images.clone()
    sides = torch.linspace(0.1, 1.0, 20).view(10, 2)
    boxes = place_boxes(sides, *size, generator)
    shrunk = shrink_into_boxes(images, boxes)
    assert shrunk.shape == images.shape
    for n in range(10):
        for i in range(2):
            top, left, height, width = boxes[n, i].int().tolist()
            resized = F.interpolate(images[n, i, None], (height, width), mode='bilinear')[0]
            part = shrunk[n, i, :, top : top + height, left : left + width]
            torch.testing.assert_close(part, resized, atol=1e-5, rtol=1e-5)
    assert torch.equal(images, before)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_it_keeps_the_dtype(dtype):
    images = torch.randn(2, 1, 3, 8, 8).to(dtype)
    boxes = torch.tensor([[[1.0, 2.0, 4.0, 5.0]], [[0.0, 0.0, 8.0, 8.0]]])
    shrunk = shrink_into_boxes(images, boxes)
    assert shrunk.dtype == dtype
    torch.testing.assert_close(shrunk[1], images[1])


def test_an_empty_box_gives_finite_values():
    boxes = torch.tensor([[[3.0, 3.0, 0.0, 0.0]]])
    assert shrink_into_boxes(torch.randn(1, 1, 3, 8, 8), boxes).isfinite().all()


def by_torchvision(row, column, side, height, width):
    """Torchvision's `v2.CutMix`: half of the box's sides to each side of a pixel, then the cut."""
    reach_rows, reach_columns = int(side * height / 2), int(side * width / 2)
    top, left = max(row - reach_rows, 0), max(column - reach_columns, 0)
    bottom, right = min(row + reach_rows, height), min(column + reach_columns, width)
    return [top, left, bottom - top, right - left]


@pytest.mark.parametrize('size', [(24, 40), (7, 5), (1, 1)])
def test_clipped_boxes_are_torchvision_s(size):
    sides = torch.rand(64, 2, generator=seeded())
    found = clip_boxes(sides, *size, seeded(3))
    place = torch.rand(64, 2, 2, generator=seeded(3))
    for n in range(64):
        for i in range(2):
            centre = [int(share * length) for share, length in zip(place[n, i], size, strict=True)]
            expected = by_torchvision(*centre, float(sides[n, i]), *size)
            assert found[n, i].tolist() == expected


def test_centres_of_clipped_boxes_are_uniform_over_the_picture():
    boxes = clip_boxes(torch.full((20000, 1), 0.999), 4, 4, seeded())[:, 0]
    # a box of 3 pixels reaches 1 to each side, so its end is its centre + 1
    rows = (boxes[:, 0] + boxes[:, 2] - 1).long()
    counts = torch.bincount(rows, minlength=4) / 20000
    torch.testing.assert_close(counts, torch.full((4,), 0.25), atol=0.01, rtol=0)


def test_clipped_boxes_show_less_of_the_partner_than_its_weight():
    weights = draw_weights(4000, 2, 1.0, seeded())
    masks = paste_boxes(clip_boxes(weights[:, 1:].sqrt(), 32, 32, seeded()), 32, 32)
    areas = masks[:, 1].mean(dim=(1, 2, 3))
    assert (areas <= weights[:, 1] + 1e-6).all()
    # the mean over weights, centres and sides of the product of two clipped lengths
    side = torch.arange(1, 20001) / 20000
    expected = float((2 * side * (side - side.square() / 4).square()).mean())
    assert abs(float(areas.mean()) - expected) < 0.02 and expected < 0.4
