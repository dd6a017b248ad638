"""Learned mixing modules and their file format."""

from .mix_block import MixBlock
from .mixer_file import load_mixer, save_mixer
from .transform_mixer import TransformMixer

__all__ = ['MixBlock', 'TransformMixer', 'load_mixer', 'save_mixer']
