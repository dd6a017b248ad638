"""Transforms of single images."""

from .augmix import AugMix

__all__ = ['AugMix']
