"""Plain torch functions: no registry, no hidden randomness, never in place on an argument."""

from .affine import PADDING_MODES, corner_shift, identity_theta, warp
from .boxes import box_masks
from .mixing import blend, draw_index, draw_weights, mix_targets
from .quality import soft_cross_entropy, top_classes_match
from .saliency import class_activation_map, grad_cam, min_max, resize_map

__all__ = [
    'PADDING_MODES',
    'blend',
    'box_masks',
    'class_activation_map',
    'corner_shift',
    'draw_index',
    'draw_weights',
    'grad_cam',
    'identity_theta',
    'min_max',
    'mix_targets',
    'resize_map',
    'soft_cross_entropy',
    'top_classes_match',
    'warp',
]
