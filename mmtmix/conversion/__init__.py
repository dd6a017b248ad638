"""Checkpoints of other code bases as checkpoints of this library."""

from .convert import convert_checkpoint, convert_state
from .layouts import ARCHS, Arch
from .source import read_source

__all__ = ['ARCHS', 'Arch', 'convert_checkpoint', 'convert_state', 'read_source']
