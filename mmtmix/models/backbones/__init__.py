"""Backbones that MMPretrain lacks, one family a file."""

from .wide_resnet import WideResNet

__all__ = ['WideResNet']
