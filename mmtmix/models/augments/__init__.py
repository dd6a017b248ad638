"""Batch augments, which follow one contract: :class:`BatchAugment`."""

from mmtmix.models.draw import Draw

from .attentive_mix import AttentiveMix
from .batch_augment import BatchAugment
from .building import (
    AUGMENTS,
    BLIND,
    WITH_TEACHER,
    augment_config,
    build_augment,
    build_batch_augments,
    build_for,
    iter_augments,
    load_augments,
    with_input_stats,
)
from .cam_mix import CAMMix
from .choose_augment import ChooseAugment
from .co_mixup import CoMixup
from .f_mix import FMix
from .grid_mix import GridMix
from .mask_augment import LayerAugment, MaskAugment, SaliencyMaskAugment
from .object_paste import ObjectPaste
from .puzzle_mix import PuzzleMix
from .reach import warn_unmixed
from .resize_mix import SampleResizeMix
from .saliency_mix import SaliencyMix
from .sample_mixes import SampleCutMix, SampleMixup
from .smooth_mix import SmoothMix
from .soft_masks import SoftMasks
from .super_mix import SuperMix
from .transform_mix import TransformMix

__all__ = [
    'AUGMENTS',
    'BLIND',
    'WITH_TEACHER',
    'AttentiveMix',
    'BatchAugment',
    'CAMMix',
    'ChooseAugment',
    'CoMixup',
    'Draw',
    'FMix',
    'GridMix',
    'LayerAugment',
    'MaskAugment',
    'ObjectPaste',
    'PuzzleMix',
    'SaliencyMaskAugment',
    'SaliencyMix',
    'SampleCutMix',
    'SampleMixup',
    'SampleResizeMix',
    'SmoothMix',
    'SoftMasks',
    'SuperMix',
    'TransformMix',
    'augment_config',
    'build_augment',
    'build_batch_augments',
    'build_for',
    'iter_augments',
    'load_augments',
    'warn_unmixed',
    'with_input_stats',
]
