"""Preparation of data sets: check a folder, download and unpack what is missing."""

from mmtmix.datasets.sources import DATA_SETS

from .prepare import prepare

__all__ = ['DATA_SETS', 'prepare']
