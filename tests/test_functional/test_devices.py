"""Tensors made inside a function lie on the device of its arguments: tried without a GPU.

Fake tensors have a shape and a device, and refuse to meet one of another device.
"""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mmtmix import functional as F

GPU = torch.device('cuda')


def made(*shape, dtype=torch.float32):
    return torch.empty(shape, dtype=dtype, device=GPU)


def whole(*shape):
    return made(*shape, dtype=torch.int64)


def flags(*shape):
    return made(*shape, dtype=torch.bool)


CALLS = {
    'identity_theta': lambda: F.identity_theta(3, 2, like=made(1)),
    'warp': lambda: F.warp(made(3, 2, 1, 5, 6), made(3, 2, 2, 3)),
    'corner_shift': lambda: F.corner_shift(made(3, 2, 2, 3)),
    'box_masks': lambda: F.box_masks(made(3, 3), 5, 6),
    'centre_boxes': lambda: F.centre_boxes(made(3, 1), whole(3, 1, 2), 5, 6),
    'patch_masks': lambda: F.patch_masks(whole(3, 4), 5, 6),
    'pick_pixels': lambda: F.pick_pixels(made(3, 2, 5, 6), whole(4), whole(4, 7), whole(4, 8)),
    'with_fill': lambda: F.with_fill(5, 6, made(2, 3)),
    'enlarge_cells': lambda: F.enlarge_cells(made(3, 2, 2), 5, 6),
    'top_cells': lambda: F.top_cells(made(3, 1, 5, 6), 2, 3),
    'gaussian_smooth': lambda: F.gaussian_smooth(made(3, 2, 5, 6), made(3)),
    'gaussian_spots': lambda: F.product(F.gaussian_spots(made(3, 1, 2), made(3, 1), 5, 6)),
    'blend_layers': lambda: F.blend_layers(
        made(3, 1, 5, 6), whole(3, 2), (made(3, 1, 5, 1), made(3, 1, 1, 6)), in_order=True
    ),
    'layer_areas': lambda: F.layer_areas((made(3, 1, 5, 1), made(3, 1, 1, 6))),
    'box_covers': lambda: F.product(F.box_covers(made(3, 1, 4), 5, 6)),
    'grad_cam': lambda: F.grad_cam(made(3, 4, 5, 6), made(3, 4, 5, 6)),
    'gray_levels': lambda: F.gray_levels(made(3, 3, 5, 6), is_rgb=True),
    'fine_grained_saliency': lambda: F.fine_grained_saliency(made(3, 1, 5, 6)),
    'level_masks': lambda: F.level_masks(made(3, 5, 6), made(3, 2)),
    'soft_level_masks': lambda: F.soft_level_masks(made(3, 5, 6), made(3), 0.2),
    'layer_masks': lambda: F.layer_masks(made(3, 2, 5, 6)),
    'layer_shares': lambda: F.layer_shares(made(3, 2)),
    'min_max': lambda: F.min_max(made(3, 1, 5, 6)),
    'visible_shares': lambda: F.visible_shares(made(3, 2, 1, 5, 6), made(3, 2, 1, 5, 6)),
    'kept_saliency': lambda: F.kept_saliency(
        made(3, 2, 1, 5, 6), made(3, 2, 1, 5, 6), made(3, 2, 2, 3)
    ),
    'resize_map': lambda: F.resize_map(made(3, 2, 5, 6), 8),
    'blend_batch': lambda: F.blend_batch(made(3, 1, 5, 6), whole(3, 2), made(3, 2, 1, 5, 6)),
    'draw_distinct_index': lambda: F.draw_distinct_index(whole(3), 2),
    'mix_targets': lambda: F.mix_targets(made(3, 4), made(3, 2), whole(3, 2)),
    'similar_shares': lambda: F.similar_shares(
        made(3, 4), made(3, 4), made(3, 2), whole(3, 2), 0.1
    ),
    'orient': lambda: F.orient(made(3, 2, 5, 5), flags(3, 3)),
    'orient_back': lambda: F.orient_back(made(3, 2, 5, 5), flags(3, 3)),
    'orient_theta_back': lambda: F.orient_theta_back(made(3, 2, 2, 3), flags(3, 3)),
    'binomial_prior': lambda: F.binomial_prior(made(3), 4),
    'pool_saliency': lambda: F.pool_saliency(made(3, 1, 5, 6), (2, 3)),
    'puzzle_terms': lambda: F.puzzle_terms(
        made(3, 2, 3), made(3, 1, 4, 6), whole(3, 2), made(3), 1.2, 0.5, 0.2, 3
    )[0],
    'upsample_cells': lambda: F.upsample_cells(made(3, 2, 3), (5, 7)),
    'move_costs': lambda: F.move_costs((2, 3), GPU),
    'move_cells': lambda: F.move_cells(made(3, 1, 5, 7), whole(3, 2), whole(3, 2, 6), (2, 3)),
    'shrink_into_boxes': lambda: F.shrink_into_boxes(made(3, 1, 1, 5, 6), made(3, 1, 4)),
    'top_classes_match': lambda: F.top_classes_match(made(3, 4), whole(3, 2)),
    'soft_cross_entropy': lambda: F.soft_cross_entropy(made(3, 4), made(3, 4)),
    'jensen_shannon': lambda: F.jensen_shannon([made(3, 4), made(3, 4)]),
    'normalize_masks': lambda: F.normalize_masks(made(3, 2, 4, 4), (5, 6)),
    'total_variation': lambda: F.total_variation(made(3, 2, 5, 6)),
    'duplicate_costs': lambda: F.duplicate_costs(made(3, 2, 4)),
    'image_affinity': lambda: F.image_affinity(made(2, 3, 8, 8), flags(2, 3), 0.1),
}


@pytest.mark.parametrize('name', CALLS)
def test_results_lie_where_the_arguments_do(name):
    with FakeTensorMode():
        assert CALLS[name]().device.type == 'cuda'
