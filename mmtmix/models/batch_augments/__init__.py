"""Mixers on one interface, :class:`BatchMixer`."""

from .attentive_mix import AttentiveMix
from .batch_mixer import BatchMixer, rank_generator
from .building import (
    build_for,
    build_mixer,
    iter_mixers,
    load_mixers,
    mixer_config,
    with_input_stats,
)
from .catalog import BLIND, MIXERS, WITH_TEACHER
from .co_mixup import CoMixup
from .f_mix import FMix
from .grid_mix import GridMix
from .mask_mixer import MaskMixer
from .puzzle_mix import PuzzleMix
from .reach import warn_unmixed
from .resize_mix import SampleResizeMix
from .saliency_masks import SaliencyMaskMixer
from .saliency_mix import SaliencyMix
from .sample_mixes import SampleCutMix, SampleMixup
from .smooth_mix import SmoothMix
from .super_mix import SuperMix
from .transform_mix import TransformMix

__all__ = [
    'BLIND',
    'MIXERS',
    'WITH_TEACHER',
    'AttentiveMix',
    'BatchMixer',
    'CoMixup',
    'FMix',
    'GridMix',
    'MaskMixer',
    'PuzzleMix',
    'SaliencyMaskMixer',
    'SaliencyMix',
    'SampleCutMix',
    'SampleMixup',
    'SampleResizeMix',
    'SmoothMix',
    'SuperMix',
    'TransformMix',
    'build_for',
    'build_mixer',
    'iter_mixers',
    'load_mixers',
    'mixer_config',
    'rank_generator',
    'warn_unmixed',
    'with_input_stats',
]
