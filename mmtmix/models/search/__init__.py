"""The search for a mixing module."""

from .mixer_search import MixerSearch

__all__ = ['MixerSearch']
