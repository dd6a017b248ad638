"""Plain torch functions: no registry, no hidden randomness, never in place on an argument."""

from .affine import (
    PADDING_MODES,
    blend_warped,
    corner_shift,
    identity_theta,
    orient,
    orient_back,
    orient_theta_back,
    warp,
)
from .automix import cosine_momentum, mask_area_loss
from .boxes import box_covers, box_masks, centre_boxes, paste_boxes, place_boxes, shrink_into_boxes
from .co_mixup import solve_co_mixup
from .co_mixup_costs import (
    CoMixupSettings,
    co_mixup_objective,
    duplicate_costs,
    image_affinity,
)
from .contrast import ClassOrder, bank_scores, contrast_loss, log_normalizer
from .graph_cut import cut_grids, grid_energy, load_maxflow, move_labels
from .layers import Covers, blend_layers, layer_areas, product
from .mask_losses import normalize_masks, sparsity, total_variation
from .masks import (
    enlarge_cells,
    layer_masks,
    layer_shares,
    level_covers,
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
from .pixel_maps import draw_patches, pad_positions, patch_masks, pick_pixels, with_fill
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
    fine_grained_saliency,
    grad_cam,
    gradient_saliency,
    gray_levels,
    join_maps,
    min_max,
    resize_map,
    visible_shares,
)
from .smooth import gaussian_kernel, gaussian_smooth, gaussian_spots, low_frequency_noise
from .supermix import SuperMixSolution, solve_masks
from .supermix_objective import SUPERMIX_FAST, SUPERMIX_PAPER, SuperMixSettings
from .supermix_start import start_from_saliency
from .transport import move_cells, move_costs, transport_plan

__all__ = [
    'PADDING_MODES',
    'SUPERMIX_FAST',
    'SUPERMIX_PAPER',
    'ClassOrder',
    'CoMixupSettings',
    'Covers',
    'SuperMixSettings',
    'SuperMixSolution',
    'bank_scores',
    'binomial_prior',
    'blend',
    'blend_batch',
    'blend_layers',
    'blend_warped',
    'box_covers',
    'box_masks',
    'centre_boxes',
    'class_activation_map',
    'co_mixup_objective',
    'contrast_loss',
    'corner_shift',
    'cosine_momentum',
    'cut_grids',
    'draw_distinct_index',
    'draw_index',
    'draw_patches',
    'draw_weights',
    'duplicate_costs',
    'edge_differences',
    'enlarge_cells',
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
    'join_maps',
    'kd_divergence',
    'layer_areas',
    'layer_masks',
    'layer_shares',
    'level_covers',
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
    'pad_positions',
    'paste_boxes',
    'patch_masks',
    'pick_pixels',
    'place_boxes',
    'pool_colours',
    'pool_saliency',
    'product',
    'puzzle_terms',
    'resize_map',
    'shrink_into_boxes',
    'soft_cross_entropy',
    'soft_level_masks',
    'solve_co_mixup',
    'solve_masks',
    'sparsity',
    'start_from_saliency',
    'top_cells',
    'top_classes_match',
    'total_variation',
    'transport_plan',
    'upsample_cells',
    'visible_shares',
    'warp',
    'with_fill',
]
