"""Learned mixing modules and their file format."""

from .mixer_file import load_mixer, save_mixer
from .transform_mixer import TransformMixer

__all__ = ['TransformMixer', 'load_mixer', 'save_mixer']
