"""Icons on clutter, with the pixels of their objects."""

from .dataset import Glyphs
from .settings import Scene

__all__ = ['Glyphs', 'Scene']
