"""Transforms of single images."""

from .augmix import AugMix
from .place_on_canvas import PlaceOnCanvas

__all__ = ['AugMix', 'PlaceOnCanvas']
