"""Conversion of other code bases' checkpoints into checkpoints of this library."""

from .convert import convert_checkpoint, convert_state
from .layouts import ARCHS, Arch
from .source import read_source
from .usage import describe_use

__all__ = ['ARCHS', 'Arch', 'convert_checkpoint', 'convert_state', 'describe_use', 'read_source']
