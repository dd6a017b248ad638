"""Loops."""

from .mixer_search_loop import MixerSearchLoop

__all__ = ['MixerSearchLoop']
