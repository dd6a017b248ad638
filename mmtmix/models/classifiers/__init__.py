"""Classifiers whose training mixes or augments; their checkpoints are plain ones."""

from .ad_automix import AdAutoMixClassifier
from .augmix import AugMixClassifier
from .automix import AutoMixClassifier
from .head_use import HeadUse
from .manifold_mixup import ManifoldMixup

__all__ = [
    'AdAutoMixClassifier',
    'AugMixClassifier',
    'AutoMixClassifier',
    'HeadUse',
    'ManifoldMixup',
]
