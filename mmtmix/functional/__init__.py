"""Plain torch functions: no registry, no hidden randomness, never in place on an argument."""

from .affine import (
    PADDING_MODES,
    corner_shift,
    identity_theta,
    orient,
    orient_back,
    orient_theta_back,
    warp,
)
from .automix import cosine_momentum, mask_area_loss
from .boxes import box_masks, centre_boxes, paste_boxes, place_boxes, shrink_into_boxes
from .co_mixup import solve_co_mixup
from .co_mixup_costs import (
    CoMixupSettings,
    co_mixup_objective,
    duplicate_costs,
    image_affinity,
)
from .contrast import ClassOrder, bank_scores, contrast_loss, log_normalizer
from .graph_cut import cut_grids, grid_energy, load_maxflow, move_labels
from .mask_losses import normalize_masks, sparsity, total_variation
from .masks import (
    enlarge_cells,
    layer_masks,
    layer_shares,
    level_masks,
    soft_level_masks,
    top_cells,
    upsample_cells,
)
from .mixing import (
    blend,
    blend_batch,
    draw_distinct_index,
    draw_index,
    draw_weights,
    mix_targets,
)
from .predictions import (
    jensen_shannon,
    kd_divergence,
    soft_cross_entropy,
    top_classes_match,
)
from .puzzle import (
    binomial_prior,
    edge_differences,
    pool_colours,
    pool_saliency,
    puzzle_terms,
)
from .saliency import (
    class_activation_map,
    class_activation_maps,
    fine_grained_saliency,
    grad_cam,
    gradient_saliency,
    gray_levels,
    min_max,
    resize_map,
    visible_shares,
)
from .smooth import gaussian_kernel, gaussian_smooth, gaussian_spots, low_frequency_noise
from .supermix import SuperMixSolution, solve_masks
from .supermix_model import MaskModel, evidence_from_cams, evidence_from_saliency
from .supermix_objective import SUPERMIX_FAST, SUPERMIX_PAPER, SuperMixSettings
from .transport import move_cells, move_costs, transport_plan

__all__ = [
    'PADDING_MODES',
    'SUPERMIX_FAST',
    'SUPERMIX_PAPER',
    'ClassOrder',
    'CoMixupSettings',
    'MaskModel',
    'SuperMixSettings',
    'SuperMixSolution',
    'bank_scores',
    'binomial_prior',
    'blend',
    'blend_batch',
    'box_masks',
    'centre_boxes',
    'class_activation_map',
    'class_activation_maps',
    'co_mixup_objective',
    'contrast_loss',
    'corner_shift',
    'cosine_momentum',
    'cut_grids',
    'draw_distinct_index',
    'draw_index',
    'draw_weights',
    'duplicate_costs',
    'edge_differences',
    'enlarge_cells',
    'evidence_from_cams',
    'evidence_from_saliency',
    'fine_grained_saliency',
    'gaussian_kernel',
    'gaussian_smooth',
    'gaussian_spots',
    'grad_cam',
    'gradient_saliency',
    'gray_levels',
    'grid_energy',
    'identity_theta',
    'image_affinity',
    'jensen_shannon',
    'kd_divergence',
    'layer_masks',
    'layer_shares',
    'level_masks',
    'load_maxflow',
    'log_normalizer',
    'low_frequency_noise',
    'mask_area_loss',
    'min_max',
    'mix_targets',
    'move_cells',
    'move_costs',
    'move_labels',
    'normalize_masks',
    'orient',
    'orient_back',
    'orient_theta_back',
    'paste_boxes',
    'place_boxes',
    'pool_colours',
    'pool_saliency',
    'puzzle_terms',
    'resize_map',
    'shrink_into_boxes',
    'soft_cross_entropy',
    'soft_level_masks',
    'solve_co_mixup',
    'solve_masks',
    'sparsity',
    'top_cells',
    'top_classes_match',
    'total_variation',
    'transport_plan',
    'upsample_cells',
    'visible_shares',
    'warp',
]
