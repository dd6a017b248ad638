"""Learned mixing modules and their file format."""

from .adaptive_mix_block import AdaptiveMixBlock
from .building import build_module, check_module, module_file
from .mix_block import MixBlock
from .mixer_file import load_mixer, save_mixer
from .transform_mixer import TransformMixer

__all__ = [
    'AdaptiveMixBlock',
    'MixBlock',
    'TransformMixer',
    'build_module',
    'check_module',
    'load_mixer',
    'module_file',
    'save_mixer',
]
