"""What holds for the pure functions, whatever they are given: searched for with Hypothesis."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmtmix import functional as F

SEEDS = st.integers(0, 2**31)
SIDES = st.integers(1, 12)
COUNTS = st.integers(1, 5)
SIZES = st.tuples(SIDES, SIDES)
IMAGES_PER_MIX = st.integers(2, 4)
WIDE = [torch.float32, torch.float64]
DTYPES = st.sampled_from([*WIDE, torch.float16, torch.bfloat16])
# tiny ones give whole rows to one image
ALPHAS = st.floats(1e-3, 50)
# what a value of about 1 may be off for rounding
OFF = {torch.float64: 1e-6, torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 6e-2}


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def noise(seed, *shape, dtype=torch.float32):
    return torch.randn(*shape, generator=seeded(seed)).to(dtype)


def assert_sums_to_one(values, dim, off=1e-5):
    assert values.min() >= 0
    sums = values.double().sum(dim=dim)
    torch.testing.assert_close(sums, torch.ones_like(sums), atol=off, rtol=0)


@given(SEEDS, COUNTS, IMAGES_PER_MIX, ALPHAS)
def test_drawn_weights_are_on_the_simplex(seed, count, num_mix, alpha):
    weights = F.draw_weights(count, num_mix, alpha, seeded(seed))
    assert weights.shape == (count, num_mix) and weights.dtype == torch.float32
    assert_sums_to_one(weights, 1)
    assert torch.equal(weights, F.draw_weights(count, num_mix, alpha, seeded(seed)))


@given(SEEDS, IMAGES_PER_MIX, st.data())
def test_drawn_partners_are_others_and_each_image_is_used_as_often(seed, num_mix, data):
    count = data.draw(st.integers(num_mix, 9))
    index = F.draw_index(count, num_mix, seeded(seed))
    assert torch.equal(index[:, 0], torch.arange(count))
    assert all(len(set(row)) == num_mix for row in index.tolist())
    assert index.flatten().bincount().tolist() == [num_mix] * count
    classes = torch.randint(3, (count,), generator=seeded(seed))
    distinct = F.draw_distinct_index(classes, num_mix, seeded(seed), tries=64)
    assert torch.equal(distinct[:, 0], torch.arange(count))
    assert all(len(set(row)) == num_mix for row in distinct.tolist())
    if num_mix == 2 and classes.bincount().max() <= count / 2:  # each has a partner
        assert (classes[distinct[:, 0]] != classes[distinct[:, 1]]).all()


@given(SEEDS, COUNTS, IMAGES_PER_MIX, ALPHAS, SIZES)
def test_masks_of_every_kind_sum_to_one(seed, count, num_mix, alpha, size):
    weights = F.draw_weights(count, num_mix, alpha, seeded(seed))
    maps = noise(seed, count, *size)
    hard = F.level_masks(maps, weights), F.box_masks(weights, *size, seeded(seed))
    for masks in hard:
        assert masks.shape == (count, num_mix, 1, *size)
        assert ((masks == 0) | (masks == 1)).all()
        assert torch.equal(masks.sum(dim=1), torch.ones(count, 1, *size))
    # heights do not repeat, so areas are the weights but for rounding of each border
    pixels = size[0] * size[1]
    areas = hard[0].mean(dim=(2, 3, 4))
    torch.testing.assert_close(areas, weights, atol=1 / pixels + 1e-6, rtol=0)
    covers = noise(seed, count, num_mix - 1, *size).sigmoid()
    assert_sums_to_one(F.layer_masks(covers), 1)
    assert_sums_to_one(F.normalize_masks(100 * noise(seed, count, num_mix, 3, 3), size), 1)
    soft = F.soft_level_masks(maps, weights[:, 0], max_soft=0.3)
    assert_sums_to_one(soft, 1)
    torch.testing.assert_close(
        soft[:, 0].mean(dim=(1, 2, 3)), weights[:, 0], atol=0.5 / pixels + 1e-5, rtol=0
    )


@given(SEEDS, COUNTS, IMAGES_PER_MIX, ALPHAS)
def test_layers_leave_each_image_its_weight(seed, count, num_mix, alpha):
    weights = F.draw_weights(count, num_mix, alpha, seeded(seed))
    covers = F.layer_shares(weights)
    assert covers.min() >= 0 and covers.max() <= 1
    left = F.layer_masks(covers[:, :, None, None])[:, :, 0, 0, 0]
    torch.testing.assert_close(left, weights, atol=1e-5, rtol=0)


@given(SEEDS, COUNTS, IMAGES_PER_MIX, SIZES, DTYPES, st.sampled_from([1, 3]))
def test_blends_lie_between_the_images_and_agree(seed, count, num_mix, size, dtype, channels):
    images = noise(seed, count, channels, *size, dtype=dtype)
    index = torch.randint(count, (count, num_mix), generator=seeded(seed))
    masks = noise(seed + 1, count, num_mix, 1, *size).softmax(dim=1)
    before = images.clone()
    chosen = images[index]
    one, other = F.blend(chosen, masks.to(dtype)), F.blend_batch(images, index, masks)
    assert one.dtype == other.dtype == dtype and torch.equal(one, other)
    assert (one >= chosen.amin(dim=1) - 4 * OFF[dtype]).all()
    assert (one <= chosen.amax(dim=1) + 4 * OFF[dtype]).all()
    assert torch.equal(images, before)
    # one image of all the weight comes back as it was
    alone = torch.zeros(count, num_mix, 1, 1, 1)
    alone[:, -1] = 1
    assert torch.equal(F.blend_batch(images, index, alone), chosen[:, -1])


@given(SEEDS, COUNTS, IMAGES_PER_MIX, ALPHAS, DTYPES)
def test_targets_stay_on_the_simplex(seed, count, num_mix, alpha, dtype):
    scores = noise(seed, count, 6).softmax(dim=1).to(dtype)
    index = torch.randint(count, (count, num_mix), generator=seeded(seed))
    targets = F.mix_targets(scores, F.draw_weights(count, num_mix, alpha, seeded(seed)), index)
    assert targets.dtype == dtype
    assert_sums_to_one(targets, 1, OFF[dtype])


@given(SEEDS, COUNTS, IMAGES_PER_MIX, SIZES, DTYPES, st.sampled_from(F.PADDING_MODES))
def test_a_warp_keeps_shape_dtype_and_range(seed, count, num_mix, size, dtype, padding_mode):
    images = noise(seed, count, num_mix, 3, *size, dtype=dtype)
    theta = F.identity_theta(count, num_mix) + noise(seed + 1, count, num_mix, 2, 3)
    before = images.clone(), theta.clone()
    warped = F.warp(images, theta, padding_mode)
    assert warped.shape == images.shape and warped.dtype == dtype
    # bilinear sampling never leaves the range of the image and the zeros beside it
    flat = torch.cat([images.flatten(2), torch.zeros(count, num_mix, 1).to(dtype)], dim=2)
    slack = OFF[dtype]
    assert (warped.flatten(2) <= flat.amax(dim=2, keepdim=True) + slack).all()
    assert (warped.flatten(2) >= flat.amin(dim=2, keepdim=True) - slack).all()
    same = F.warp(images, F.identity_theta(count, num_mix), padding_mode)
    torch.testing.assert_close(same, images, atol=4 * slack, rtol=slack)
    assert torch.equal(images, before[0]) and torch.equal(theta, before[1])


@given(SEEDS, COUNTS, SIDES)
def test_orientations_are_undone_and_fit_the_warps(seed, count, side):
    maps = noise(seed, count, 2, 1, side, side)
    orientation = noise(seed + 1, count, 3) > 0
    oriented = F.orient(maps, orientation)
    assert torch.equal(F.orient_back(oriented, orientation), maps)
    theta = F.identity_theta(count, 2) + 0.3 * noise(seed + 2, count, 2, 2, 3)
    expected = F.orient_back(F.warp(oriented, theta), orientation)
    moved = F.warp(maps, F.orient_theta_back(theta, orientation))
    torch.testing.assert_close(moved, expected, atol=1e-4, rtol=0)


@given(SEEDS, COUNTS, SIZES, DTYPES, st.sampled_from([0.0, 1e-6, 1.0, 1e4]))
def test_scaled_maps_reach_from_zero_to_one(seed, count, size, dtype, scale):
    cam = (scale * noise(seed, count, 1, *size)).to(dtype)
    saliency = F.min_max(cam)
    assert saliency.dtype == dtype and saliency.min() >= 0 and saliency.max() <= 1
    for raw, scaled in zip(cam, saliency, strict=True):
        if raw.min() < raw.max():
            assert scaled.max() == 1 and scaled[raw == raw.min()].max() == 0
        else:
            assert not scaled.any()


@given(SEEDS, COUNTS, IMAGES_PER_MIX, SIZES, st.sampled_from([0.0, 1e-6, 1.0]))
def test_visible_shares_are_on_the_simplex(seed, count, num_mix, size, scale):
    saliency = scale * noise(seed, count, num_mix, 1, *size).abs()
    masks = noise(seed + 1, count, num_mix, 1, *size).softmax(dim=1)
    shares = F.visible_shares(saliency, masks)
    assert_sums_to_one(shares, 1)
    if scale == 0:
        torch.testing.assert_close(shares, torch.full_like(shares, 1 / num_mix))


@given(SEEDS, COUNTS, SIZES, st.data())
def test_pooled_saliency_and_cells(seed, count, size, data):
    cells = data.draw(st.tuples(st.integers(1, size[0]), st.integers(1, size[1])))
    pooled = F.pool_saliency(noise(seed, count, 1, *size).square(), cells)
    assert pooled.shape == (count, *cells)
    assert_sums_to_one(pooled.flatten(1), 1)
    grid = torch.arange(float(cells[0] * cells[1])).view(1, *cells)
    pixels = F.enlarge_cells(grid, *size)
    assert torch.equal(pixels, F.upsample_cells(grid, size))
    # every cell is seen, and no cell differs from another by more than a row and a column
    counts = pixels.long().flatten().bincount(minlength=cells[0] * cells[1])
    assert counts.min() >= (size[0] // cells[0]) * (size[1] // cells[1])
    assert counts.max() <= -(-size[0] // cells[0]) * -(-size[1] // cells[1])


@given(SEEDS, COUNTS, SIZES, st.floats(0, 2), st.data())
def test_transport_moves_each_cell_once_and_only_for_gain(seed, count, cells, eps, data):
    saliency = F.pool_saliency(noise(seed, count, 1, *cells).square(), cells)
    shown = noise(seed + 1, count, *cells) > 0
    plan = F.transport_plan(saliency, shown, eps, rounds=max(cells))
    own = torch.arange(plan.size(1))
    costs = eps * F.move_costs(cells)
    for n, sources in enumerate(plan.tolist()):
        movers = [(place, cell) for place, cell in enumerate(sources) if place != cell]
        assert len({cell for _, cell in movers}) == len(movers)
        for place, cell in movers:
            assert shown[n].flatten()[place]
            assert costs[cell, place] < saliency[n].flatten()[cell]
    images = noise(seed, count, 2, 2 * cells[0] + 1, 3 * cells[1])
    stay = own.expand(count, 1, -1)
    index = torch.arange(count)[:, None]
    assert torch.equal(F.move_cells(images, index, stay, cells)[:, 0], images)


@given(SEEDS, COUNTS, st.integers(2, 6), st.floats(0.1, 20), st.sampled_from([1.0, 50.0]))
def test_divergences_are_not_negative_and_zero_at_equal(seed, count, classes, temperature, scale):
    one, other = scale * noise(seed, count, classes), scale * noise(seed + 1, count, classes)
    assert F.kd_divergence(one, other, temperature) >= -1e-4
    assert F.kd_divergence(one, one, temperature).abs() < 1e-4
    spread = F.jensen_shannon([one, other])
    assert spread.min() >= -1e-5 and spread.max() <= math.log(2) + 1e-5
    torch.testing.assert_close(spread, F.jensen_shannon([other, one]))
    own = F.soft_cross_entropy(one, one.softmax(dim=1))
    assert (F.soft_cross_entropy(other, one.softmax(dim=1)) >= own - 1e-3).all()


@given(st.floats(0.05, 12), st.booleans(), SEEDS, COUNTS, SIZES)
def test_smoothing_keeps_the_range(sigma, legacy, seed, count, size):
    kernel = F.gaussian_kernel(sigma, legacy)
    assert_sums_to_one(kernel, 0)
    torch.testing.assert_close(kernel, kernel.flip(0))
    maps = noise(seed, count, 2, *size)
    smooth = F.gaussian_smooth(maps, kernel)
    assert smooth.shape == maps.shape
    assert smooth.abs().max() <= maps.abs().max() + 1e-5


@pytest.mark.parametrize('dtype', WIDE)
@given(SEEDS, COUNTS, SIZES)
def test_sparsity_and_variation_stay_in_their_ranges(dtype, seed, count, size):
    masks = noise(seed, count, 2, *size, dtype=dtype).softmax(dim=1)
    sparsity = F.sparsity(masks)
    assert sparsity.min() >= 0 and sparsity.max() <= 0.25 + 1e-6
    assert not F.sparsity(masks.round()).any()
    variation = F.total_variation(masks)
    torch.testing.assert_close(variation, F.total_variation(masks.flip(1)))
    assert variation.min() > 0 and sparsity.dtype == variation.dtype == dtype
