"""Plain torch functions: no registry, no hidden randomness, never in place on an argument."""

from .affine import PADDING_MODES, corner_shift, identity_theta, warp
from .boxes import box_masks
from .contrast import ClassOrder, bank_scores, contrast_loss, log_normalizer
from .distill import kd_divergence
from .gaussian import gaussian_kernel, gaussian_smooth
from .mask_losses import normalize_masks, sparsity, total_variation
from .mixing import (
    blend,
    blend_batch,
    draw_distinct_index,
    draw_index,
    draw_weights,
    mix_targets,
)
from .quality import soft_cross_entropy, top_classes_match
from .saliency import class_activation_map, grad_cam, min_max, resize_map
from .supermix import SuperMixSolution, solve_masks
from .supermix_settings import SuperMixSettings

__all__ = [
    'ClassOrder',
    'bank_scores',
    'contrast_loss',
    'kd_divergence',
    'log_normalizer',
    'SuperMixSettings',
    'SuperMixSolution',
    'gaussian_kernel',
    'gaussian_smooth',
    'normalize_masks',
    'solve_masks',
    'sparsity',
    'total_variation',
    'PADDING_MODES',
    'blend',
    'blend_batch',
    'box_masks',
    'class_activation_map',
    'corner_shift',
    'draw_distinct_index',
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
