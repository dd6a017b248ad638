"""The interface of every mixer of this library."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod

import torch
from mmengine.dist import get_rank
from torch import Tensor
from torch.utils.data import get_worker_info

from mmtmix.checks import check_flag, check_integer, check_number
from mmtmix.functional import draw_index, draw_weights, mix_targets
from mmtmix.models.label_check import as_scores, check_num_classes
from mmtmix.models.late_verdict import FiniteCheck
from mmtmix.models.saliency import InputGradient
from mmtmix.models.teachers import AsksTeacher

from .reach import warn_unmixed, watch_builder

Details = dict[str, Tensor]

_INPUTS_CURE = (
    'look for damaged images or a std of 0 in the data_preprocessor, or images in float16 whose '
    'values overflow'
)
_SALIENCY_CURE = (
    'the network that it comes from has diverged, or its precision is too small: train with a '
    'lower learning rate, or in float32'
)


class BatchAugment(metaclass=ABCMeta):
    """Draw weights and partners, mix, and mix the targets.

    A plain callable, as MMPretrain's batch augments are: it is no part of a model's state. It
    keeps no state that changes a mix, so deep copies (``EMAHook`` makes one) share it.

    Args:
        num_mix: Images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        num_classes: Number of classes, which integer labels (N,) need, >= 1; None takes scores
            alone.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(self, num_mix: int = 2, alpha: float = 1.0, num_classes: int | None = None):
        check_integer('num_mix', num_mix, 2)
        check_number('alpha', alpha, above=0, cure='with 1 all shares are equally likely')
        check_num_classes(num_classes)
        self.num_mix = num_mix
        self.alpha = alpha
        self.num_classes = num_classes
        self._check_finite = FiniteCheck('batch_inputs', _INPUTS_CURE)
        self._check_saliency = FiniteCheck(
            f'the saliency for {type(self).__name__}', _SALIENCY_CURE
        )
        self._has_mixed = False
        watch_builder()

    def __deepcopy__(self, memo: dict) -> BatchAugment:
        return self

    def load(self) -> None:
        """Read the files that mixing needs, a teacher's say; otherwise the first call does.

        Raises:
            FileNotFoundError: If one is missing.
            ValueError: If one doesn't fit.
        """
        source = getattr(self, 'saliency', None)
        if source is not None:
            source.load()

    def check_classes(self, num_classes: int) -> None:  # noqa: B027  (optional)
        """Refuse a task of too few classes for this mixer.

        Args:
            num_classes: Number of classes of the task, >= 1.

        Raises:
            ValueError: If there are too few.
        """

    @torch.compiler.disable
    def __call__(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        return_details: bool = False,
        repeat: int = 1,
    ) -> tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Details]:
        """Mix a batch.

        Randomness comes from torch's CPU generator and the rank: seeded runs repeat, and ranks
        differ even where they share a seed.

        Args:
            batch_inputs: Normalised images, (N, C, H, W).
            batch_scores: Soft or one-hot labels, (N, num_classes); with ``num_classes`` also
                integer labels (N,).
            return_details: Also return how the mixes were made.
            repeat: Mixes of each image, R >= 1: N becomes R * N in everything that is returned,
                one mix of the whole batch after the other. A teacher is asked once for all.

        Returns:
            Mixed inputs (N, C, H, W) in the dtype of ``batch_inputs`` and mixed scores
            (N, num_classes) in float, both new. A batch smaller than k comes back unmixed. With
            ``return_details`` a dict as well: ``weights`` (N, k), ``index`` (N, k), own image
            first, ``warped`` (N, k, C, H, W) and ``masks`` (N, k, 1, H, W), with
            ``mixed = sum_k masks * warped``, and what else the mixer knows.

        Raises:
            RuntimeError: If a mixer that needs a network is called in a data loader's worker.
            TypeError: If the inputs have the wrong type.
            ValueError: If shapes don't fit, the inputs or labels hold NaN or infinity, or a label
                is negative or out of range.
        """
        self._check(batch_inputs, batch_scores)
        scores = as_scores(batch_scores, self.num_classes)
        check_integer('repeat', repeat, 1)
        check_flag('return_details', return_details)
        if len(batch_inputs) < self.num_mix:
            if not self._has_mixed:
                warn_unmixed(len(batch_inputs), self.num_mix)
            mixed, scores = batch_inputs.repeat(repeat, 1, 1, 1), scores.repeat(repeat, 1)
            targets = scores.clone()
            if not return_details:
                return mixed, targets
            details = self.unmixed_details(mixed, scores)
            # of the repeated batch; it names images of the batch
            details['index'] = details['index'] % max(len(batch_inputs), 1)
            return mixed, targets, details
        self._has_mixed = True
        generator = rank_generator()
        weights = draw_weights(repeat * len(scores), self.num_mix, self.alpha, generator)
        weights = weights.to(batch_inputs.device, non_blocking=True)
        index = torch.cat([self.draw_index(scores, generator) for _ in range(repeat)])
        drawn = (batch_inputs, scores, weights, index, generator)
        if return_details:
            mixed, details = self.mix_with_details(*drawn)
            return mixed, self.mix_targets(scores, details), details
        mixed, details = self.mix(*drawn)
        return mixed, self.mix_targets(scores, {'weights': weights, 'index': index, **details})

    def mix_with_details(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> tuple[Tensor, Details]:
        """As :meth:`mix`, with all details that a call returns."""
        mixed, details = self.mix(batch_inputs, batch_scores, weights, index, generator)
        details = {'weights': weights, 'index': index, **details}  # the mixer's own win
        if 'warped' not in details:  # it moves nothing
            details['warped'] = batch_inputs[details['index']]
        return mixed, details

    @abstractmethod
    def mix(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> tuple[Tensor, Details]:
        """Make the mixes.

        Args:
            batch_inputs: (N, C, H, W); never written to.
            batch_scores: (N, num_classes), floating point.
            weights: (M, k), rows on the simplex.
            index: (M, k), the images of each mix; M is N but in a generated data set.
            generator: For whatever else is drawn, on the CPU.

        Returns:
            Mixed inputs (M, C, H, W), and ``masks`` and what else belongs to the details:
            ``warped`` of a mixer that moves images, ``weights`` of one that changes them.
        """

    def draw_index(self, batch_scores: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the images of each mix, (N, k), own first, on the device of the labels."""
        index = draw_index(len(batch_scores), self.num_mix, generator)
        return index.to(batch_scores.device, non_blocking=True)

    def mix_targets(self, batch_scores: Tensor, details: Details) -> Tensor:
        """The mixes' labels (M, num_classes), from the batch's and how it was mixed."""
        return mix_targets(batch_scores, details['weights'], details['index'])

    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """The details of a batch too small to mix: each image alone, all of its masks' weight."""
        num_samples, (height, width) = len(images), images.shape[-2:]
        own = torch.zeros(num_samples, self.num_mix, device=images.device)
        own[:, 0] = 1
        index = torch.arange(num_samples, device=images.device)
        return dict(
            weights=own,
            index=index[:, None].expand(-1, self.num_mix),
            warped=images[:, None].expand(-1, self.num_mix, -1, -1, -1),
            masks=own[..., None, None, None].expand(-1, -1, 1, height, width),
        )

    def _check(self, batch_inputs: Tensor, batch_scores: Tensor) -> None:
        if batch_inputs.dim() != 4 or not batch_inputs.is_floating_point():
            raise TypeError(
                'batch_inputs must be normalised floating-point images (N, C, H, W), got '
                f'{tuple(batch_inputs.shape)} in {batch_inputs.dtype}; use them as they leave '
                'the data_preprocessor'
            )
        if len(batch_scores) != len(batch_inputs):
            raise ValueError(
                f'batch_inputs has {len(batch_inputs)} images and batch_scores '
                f'{len(batch_scores)} labels; give one label per image'
            )
        if self._needs_network and get_worker_info() is not None:
            raise RuntimeError(
                f'{type(self).__name__} needs a network, which has no place in the worker of a '
                'data loader; mix in the main process, after the batch has left the loader, or '
                'in a config by model.train_cfg.augments'
            )
        self._check_finite(batch_inputs)

    @property
    def _needs_network(self) -> bool:
        parts = (self, getattr(self, 'saliency', None))
        return any(isinstance(part, (AsksTeacher, InputGradient)) for part in parts)


def rank_generator() -> torch.Generator:
    """A CPU generator seeded from torch's own and the rank.

    Without ``diff_rank_seed`` all ranks share a seed, and would all draw the same weights.
    """
    seed = int(torch.randint(2**62, ()))
    return torch.Generator().manual_seed(seed + get_rank())
