"""Laying partners over images equals blending by masks."""

import pytest
import torch

from mmtmix.functional import (
    blend_batch,
    blend_layers,
    box_covers,
    draw_index,
    draw_weights,
    layer_areas,
    layer_masks,
    layers,
    level_covers,
    level_masks,
    masks,
    place_boxes,
    product,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def some_boxes(num_mix, num_samples=6, size=(10, 14)):
    sides = torch.rand(num_samples, num_mix - 1, generator=seeded(1))
    return box_covers(place_boxes(sides, *size, seeded(2)), *size)


@pytest.mark.parametrize('num_mix', [2, 3, 4])
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_hard_covers_choose_pixels_exactly(num_mix, dtype):
    images = torch.randn(6, 3, 10, 14, generator=seeded()).to(dtype)
    kept = images.clone()
    index = draw_index(6, num_mix, seeded())
    covers = some_boxes(num_mix)
    expected = images.clone()
    for i, cover in enumerate(product(covers).unbind(1)):
        for mix in range(6):
            shown = cover[mix].bool()
            expected[mix][:, shown] = kept[index[mix, i + 1]][:, shown]
    for in_order in (False, True):
        found = blend_layers(images, index, covers, in_order)
        assert torch.equal(found, expected) and found.dtype == dtype
    assert torch.equal(images, kept)
    # some rows, as ChooseAugment takes
    rows = torch.tensor([4, 1, 1])
    part = tuple(factor[rows] for factor in covers)
    assert torch.equal(blend_layers(images, index[rows], part), expected[rows])


def test_soft_covers_blend_as_masks_do():
    images = torch.randn(6, 3, 10, 14, generator=seeded())
    index = draw_index(6, 3, seeded())
    covers = (torch.rand(6, 2, 10, 1, generator=seeded()), torch.rand(6, 2, 1, 14))
    expected = blend_batch(images, index, layer_masks(product(covers)))
    torch.testing.assert_close(blend_layers(images, index, covers, True), expected)


@pytest.mark.parametrize('num_mix', [2, 3])
@pytest.mark.parametrize('in_order', [False, True])
def test_pieces_give_the_same_as_the_whole(monkeypatch, in_order, num_mix):
    images = torch.randn(6, 3, 10, 16, generator=seeded())
    index, covers = draw_index(6, num_mix, seeded()), some_boxes(num_mix, size=(10, 16))
    whole = blend_layers(images, index, covers, in_order)
    monkeypatch.setattr(layers, 'CHUNK_BYTES', 2 * images[0].nbytes)
    monkeypatch.setattr(layers, 'CHUNKS_AT_ONCE', 1)
    visited = []
    found = blend_layers(images, index, covers, in_order, visited.append)
    assert torch.equal(found, whole) and torch.equal(torch.cat(visited), images)
    assert len(visited) == 3
    # rows are not copied one by one from another layout
    images = images.to(memory_format=torch.channels_last)
    assert torch.equal(blend_layers(images, index, covers, in_order), whole)


def test_gradients_reach_the_images(monkeypatch):
    images = torch.randn(4, 1, 6, 6, generator=seeded(), dtype=torch.double, requires_grad=True)
    index, covers = draw_index(4, 3, seeded()), some_boxes(3, 4, (6, 6))
    monkeypatch.setattr(layers, 'CHUNK_BYTES', 1)
    blend_layers(images, index, covers, in_order=True).sum().backward()
    masks = layer_masks(product(covers)).double()
    expected = torch.zeros(4, 1, 6, 6).double().index_add(0, index.flatten(), masks.flatten(0, 1))
    torch.testing.assert_close(images.grad, expected)


@pytest.mark.parametrize('num_mix', [2, 3])
def test_areas_are_the_means_of_the_masks(num_mix):
    weights = draw_weights(6, num_mix, 1.0, seeded())
    noise = torch.rand(6, 10, 14, generator=seeded())
    for covers in (some_boxes(num_mix), (level_covers(noise, weights),)):
        expected = layer_masks(product(covers)).mean(dim=(2, 3, 4))
        assert torch.equal(layer_areas(covers), expected)
    assert torch.equal(layer_masks(level_covers(noise, weights)), level_masks(noise, weights))


def test_order_is_refused_for_another_number_of_mixes():
    images = torch.rand(4, 1, 6, 6)
    with pytest.raises(ValueError, match='in_order must be False for 3 mixes of 4 images'):
        blend_layers(images, draw_index(3, 2), some_boxes(2, 3, (6, 6)), in_order=True)


def test_heights_are_the_same_without_numpys_sort(monkeypatch):
    noise = torch.rand(6, 20, 20, generator=seeded())
    weights = torch.cat([draw_weights(4, 3, 1.0, seeded()), torch.eye(3)[:2]])
    found = level_masks(noise, weights)
    monkeypatch.setattr(masks, '_numpy_sorts_fast', lambda: False)
    assert torch.equal(level_masks(noise, weights), found)


def test_shapes_that_do_not_fit_are_refused():
    images, covers = torch.randn(6, 3, 10, 14), some_boxes(2)
    with pytest.raises(ValueError, match=r'index \(M, k\), k >= 2'):
        blend_layers(images, torch.arange(6)[:, None], covers)
    with pytest.raises(ValueError, match=r'covers must be factors \(6, 2, h, w\)'):
        blend_layers(images, draw_index(6, 3, seeded()), covers)


def test_gradients_reach_covers_alone():
    images, index = torch.randn(6, 3, 10, 14), draw_index(6, 2, seeded())
    cover = torch.rand(6, 1, 10, 14, requires_grad=True)
    blend_layers(images, index, (cover,), in_order=False).sum().backward()
    expected = (images[index[:, 1]] - images[index[:, 0]]).sum(dim=1, keepdim=True)
    torch.testing.assert_close(cover.grad, expected)
