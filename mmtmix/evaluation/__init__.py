"""Metrics."""

from .mix_quality import MixQuality

__all__ = ['MixQuality']
