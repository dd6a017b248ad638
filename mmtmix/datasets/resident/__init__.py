"""Data sets that stay in memory and give whole batches."""

from .dataset import ResidentDataset
from .samples import ResidentBatch, ResidentSamples, resident_collate, score_samples

__all__ = [
    'ResidentBatch',
    'ResidentDataset',
    'ResidentSamples',
    'resident_collate',
    'score_samples',
]
