"""Transforms of single images."""

from .augmix import AugMix
from .boxes import AddBoxes, ScaleBoxes
from .carry_mask import CarryMask
from .corrupt import Corrupt
from .place_on_canvas import PlaceOnCanvas

__all__ = ['AddBoxes', 'AugMix', 'CarryMask', 'Corrupt', 'PlaceOnCanvas', 'ScaleBoxes']
