"""Contrast with a bank of features, the parts of CRD (Tian et al. 2020)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

from mmtmix.checks import check_integer

# Scoring a whole bank is a matrix product, which beats gathering rows until the bank has so many
# times more rows than are asked for
_PRODUCT_LIMIT = 16
# Rows gathered at a time from larger banks, 64 MiB of 128 float32 features
_GATHER_ROWS = 2**17


@dataclass
class ClassOrder:
    """A data set's samples, sorted by class.

    Attributes:
        samples: Numbers of the samples, int64 (num_samples,).
        starts: Position at which each class begins, int64 (num_classes,).
        counts: Number of samples of each class, int64 (num_classes,).
    """

    samples: Tensor
    starts: Tensor
    counts: Tensor

    @classmethod
    def of(cls, labels: Tensor) -> ClassOrder:
        """Sort labels, int64 (num_samples,)."""
        counts = labels.bincount()
        return cls(labels.argsort(stable=True), counts.cumsum(0) - counts, counts)

    def draw_others(self, classes: Tensor, number: int, generator: torch.Generator) -> Tensor:
        """Draw samples of other classes, uniformly and with replacement.

        Args:
            classes: Class to avoid in each row, int64 (N,).
            number: Number of samples per row.
            generator: Source of randomness, on the device of the classes.

        Returns:
            Numbers of samples, int64 (N, number).
        """
        count = self.counts[classes][:, None]
        # a remainder of so large a number is as good as uniform, and a row has its own range
        drawn = torch.randint(
            2**62, (len(classes), number), generator=generator, device=classes.device
        )
        drawn %= len(self.samples) - count
        drawn += count * (drawn >= self.starts[classes][:, None])
        return self.samples[drawn]


def bank_scores(queries: Tensor, bank: Tensor, index: Tensor) -> Tensor:
    """Return inner products of queries with chosen rows of a bank, without holding these rows.

    Gathering the (N, number, D) rows first costs half a gigabyte for N = 64, 16,384 rows and
    D = 128, and is bound by memory. A small bank is scored as a whole instead; of a large one a
    part of the rows is gathered at a time, in the forward pass and in the backward pass.

    Args:
        queries: (N, D), float32.
        bank: (num_rows, D), float32; gets no gradient.
        index: Rows for each query, int64 (N, number).

    Returns:
        (N, number).
    """
    if len(bank) <= _PRODUCT_LIMIT * index.size(1):
        return (queries @ bank.T).gather(1, index)
    return _GatheredScores.apply(queries, bank, index)


class _GatheredScores(Function):
    """:func:`bank_scores` of a large bank."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, bank: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(bank, index)
        rows = max(1, _GATHER_ROWS // index.size(1))
        return torch.cat(
            [
                torch.einsum('nd,nkd->nk', some, bank[chosen])
                for some, chosen in zip(queries.split(rows), index.split(rows), strict=True)
            ]
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        bank, index = ctx.saved_tensors
        weights = gradients[0].contiguous()
        # a weighted sum of rows for each query, which doesn't hold them
        return F.embedding_bag(index, bank, per_sample_weights=weights, mode='sum'), None, None


def contrast_loss(scores: Tensor, log_normalizer: Tensor, num_samples: int) -> Tensor:
    """Return the noise-contrastive loss of one side of CRD.

    With ``P = exp(score) / Z``: minus the sum of ``log(P / (P + K / num_samples))`` of the
    positive and ``log((K / num_samples) / (P + K / num_samples))`` of the K negatives.

    Args:
        scores: Inner products over the temperature, (N, 1 + K), the positive first.
        log_normalizer: log Z, a scalar.
        num_samples: Number of samples in the bank, >= 1.

    Returns:
        Mean over the queries, a scalar.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('num_samples', num_samples, 1)
    odds = scores - log_normalizer - math.log((scores.size(1) - 1) / num_samples)
    return (F.softplus(-odds[:, 0]) + F.softplus(odds[:, 1:]).sum(dim=1)).mean()


def log_normalizer(scores: Tensor, num_samples: int) -> Tensor:
    """Return log Z such that ``exp(score) / Z`` averages to ``1 / num_samples`` over all scores.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('num_samples', num_samples, 1)
    return torch.log(scores.detach().exp().mean() * num_samples)
