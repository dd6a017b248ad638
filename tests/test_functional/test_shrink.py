"""Images in boxes, against a resize of each."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import place_boxes, shrink_into_boxes


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
