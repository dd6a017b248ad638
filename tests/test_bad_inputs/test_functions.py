"""Every public function of ``functional`` refuses bad numbers, flags and names."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

from mmtmix import functional
from mmtmix.functional.contrast import contrast_loss, log_normalizer
from mmtmix.functional.masks import cells_of_pixels, upsample_cells

MAPS = torch.rand(2, 1, 8, 8)
IMAGES = torch.rand(2, 3, 8, 8)
PAIRS = torch.rand(2, 2, 1, 8, 8)
LOGITS = torch.randn(2, 4)
SHARES = torch.full((2, 2), 0.5)
INDEX = torch.tensor([[0, 1], [1, 0]])
PLAN = INDEX[..., None].expand(2, 2, 4)
SIZE = dict(height=8, width=8)

GOOD: dict[str, dict[str, Any]] = dict(
    area_shares=dict(cells=4, pixels=8),
    binomial_prior=dict(share=SHARES[0], num_labels=3),
    blend_layers=dict(images=IMAGES, index=INDEX, covers=(SHARES[:, :1, None, None],)),
    blend_warped=dict(
        images=IMAGES,
        index=INDEX,
        theta=functional.identity_theta(2, 2),
        masks=SHARES[..., None, None, None],
    ),
    blur_masks=dict(masks=PAIRS.softmax(dim=1), sigma=1.0),
    box_covers=dict(boxes=torch.tensor([[[1.0, 1, 3, 3]]] * 2), **SIZE),
    box_masks=dict(weights=SHARES, **SIZE),
    centre_boxes=dict(side=SHARES[:, :1], centre=torch.rand(2, 1, 2) * 8, **SIZE),
    clip_boxes=dict(side=SHARES[:, :1], **SIZE),
    colour_evidence=dict(images=IMAGES, saliency=MAPS),
    contrast_loss=dict(scores=LOGITS, log_normalizer=torch.tensor(1.0), num_samples=9),
    cosine_momentum=dict(progress=0.5, start=0.9),
    draw_distinct_index=dict(classes=torch.arange(4), num_mix=2),
    draw_index=dict(num_samples=4, num_mix=2),
    draw_weights=dict(num_samples=4, num_mix=2, alpha=1.0),
    enlarge_cells=dict(grid=torch.rand(2, 4, 4), **SIZE),
    evidence_from_cams=dict(cams=torch.rand(2, 4, 8, 8), logits=LOGITS, size=4),
    evidence_from_saliency=dict(
        saliency=MAPS, logits=LOGITS, classes=torch.tensor([0, 3]), size=4
    ),
    gaussian_kernel=dict(sigma=1.0),
    gaussian_spots=dict(centre=torch.rand(2, 1, 2), sigma=torch.rand(2, 1) + 0.1, **SIZE),
    gray_levels=dict(pixels=IMAGES * 255, is_rgb=True),
    identity_theta=dict(num_samples=2, num_mix=2),
    image_affinity=dict(saliency=PAIRS[:, :, 0], real=torch.ones(2, 2).bool(), omega=0.5),
    kd_divergence=dict(student=LOGITS, teacher=LOGITS),
    log_normalizer=dict(scores=LOGITS, num_samples=9),
    low_frequency_noise=dict(num_samples=2, **SIZE),
    mask_area_loss=dict(masks=PAIRS, weights=SHARES),
    min_max=dict(cam=MAPS),
    move_labels=dict(
        unary=torch.rand(1, 2, 3, 3).double(),
        pairwise=1 - torch.eye(2).double()[None],
        labels=torch.zeros(1, 3, 3).long(),
    ),
    paste_boxes=dict(boxes=torch.tensor([[[1.0, 1, 3, 3]]] * 2), **SIZE),
    place_boxes=dict(side=SHARES[:, :1], **SIZE),
    pool_colours=dict(images=IMAGES, cells=(2, 2), neigh_size=2),
    puzzle_terms=dict(
        saliency=torch.rand(2, 2, 2),
        colours=torch.rand(2, 3, 4, 4),
        index=INDEX,
        share=SHARES[0],
        beta=1.0,
        gamma=0.5,
        eta=0.2,
        num_labels=3,
    ),
    softmax_masks=dict(saliency=PAIRS, weights=SHARES, temperature=0.5),
    hardness=dict(logits=LOGITS, targets=LOGITS.softmax(dim=1)),
    mode_seeking=dict(masks=PAIRS, others=PAIRS, noise=PAIRS, other_noise=PAIRS),
    square_maps=dict(saliency=MAPS, size=4),
    similar_shares=dict(
        mixed=LOGITS, features=LOGITS, weights=SHARES, index=INDEX, temperature=0.1
    ),
    soft_level_masks=dict(maps=torch.rand(2, 8, 8), lam=SHARES[0], max_soft=0.1),
    spread_by_colour=dict(images=IMAGES, maps=MAPS),
    top_cells=dict(maps=MAPS, grid_size=4, num_cells=3),
    total_variation=dict(masks=PAIRS[:, :, 0]),
    transport_plan=dict(
        saliency=torch.rand(2, 2, 2), shown=torch.ones(2, 2, 2).bool(), eps=0.8, rounds=2
    ),
    draw_patches=dict(count=3, height=5, width=6, prob=0.5, area=(0.1, 0.4), aspect=(0.5, 2.0)),
    pad_positions=dict(size=4, before=1, after=2),
    patch_masks=dict(patches=torch.zeros(3, 4, dtype=torch.int64), height=5, width=6),
    with_fill=dict(height=5, width=6, colours=torch.zeros(1, 3)),
    warp=dict(images=PAIRS, theta=functional.identity_theta(2, 2)),
)
"""Arguments that each function takes; one with numbers, flags or names must be here."""

PLAIN = {'int', 'float', 'bool', 'str'}
PUBLIC = (vars(functional)[name] for name in functional.__all__)
CHECKED = {contrast_loss, log_normalizer, *filter(callable, PUBLIC)}
FUNCTIONS = {
    one.__name__: one
    for one in CHECKED
    if inspect.isfunction(one)
    and PLAIN & {str(p.annotation) for p in inspect.signature(one).parameters.values()}
}


@pytest.fixture(scope='module')
def counts():
    return {}


def test_the_table_names_the_functions_that_there_are():
    assert sorted(FUNCTIONS) == sorted(GOOD)


@pytest.mark.parametrize('name', sorted(FUNCTIONS))
def test_bad_arguments_are_refused_by_name(name, count_refused, counts):
    if name == 'move_labels':
        pytest.importorskip('maxflow')
    function = FUNCTIONS[name]
    function(**GOOD[name])
    counts[name] = count_refused(function, lambda given: function(**given), GOOD[name])


def test_there_are_many_cases(counts):
    if len(counts) < len(FUNCTIONS):
        pytest.skip('the other tests of this file were not chosen, or PyMaxflow is missing')
    assert sum(counts.values()) >= 200


WITH_PAIRS = {
    'cells': [
        lambda cells: functional.pool_saliency(MAPS, cells),
        lambda cells: functional.edge_differences(IMAGES, IMAGES, cells),
        lambda cells: functional.pool_colours(IMAGES, cells, 2),
        lambda cells: functional.move_costs(cells),
        lambda cells: functional.move_cells(
            IMAGES, INDEX, INDEX[..., None].expand(2, 2, 4), cells
        ),
    ],
    'size': [
        lambda size: functional.normalize_masks(PAIRS[:, :, 0], size),
        lambda size: functional.resize_map(MAPS, size),
        lambda size: upsample_cells(torch.rand(2, 2, 2), size),
    ],
}
BAD_PAIRS = [((2, 0), ValueError), ((2, -2), ValueError), ((2,), ValueError), ((), ValueError)]
BAD_PAIRS += [((2, 2.0), TypeError), ((2, '2'), TypeError), ((2, True), TypeError)]


@pytest.mark.parametrize(('wrong', 'error'), BAD_PAIRS)
@pytest.mark.parametrize('name', WITH_PAIRS)
def test_bad_pairs_are_refused_by_name(name, wrong, error):
    for call in WITH_PAIRS[name]:
        call((2, 2))
        with pytest.raises(error, match=f'{name} must be 2 integers >= 1, got'):
            call(wrong)


@pytest.mark.parametrize(('size', 'cells'), [(0, 2), (8, 0)])
def test_a_line_without_pixels_or_cells_is_refused(size, cells):
    with pytest.raises(ValueError, match='must be an integer >= 1, got 0'):
        cells_of_pixels(size, cells)


@pytest.mark.parametrize('smoothing', [0.0, 1.1, float('nan'), float('inf')])
def test_a_smoothing_out_of_its_range_is_refused(smoothing):
    from mmtmix.functional.mask_losses import reverse_divergence

    with pytest.raises(ValueError, match='smoothing must be a finite number > 0 and <= 1'):
        reverse_divergence(LOGITS, LOGITS.softmax(dim=1), smoothing)
