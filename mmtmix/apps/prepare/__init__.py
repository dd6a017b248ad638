"""Getting the data sets of the table: check a folder, fetch and unpack what is missing."""

from mmtmix.datasets.sources import DATA_SETS

from .prepare import prepare

__all__ = ['DATA_SETS', 'prepare']
