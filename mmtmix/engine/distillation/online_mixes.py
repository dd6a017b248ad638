"""Mixes of the clean batch, made in the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.engine.mixing import check_batch_size
from mmtmix.models.augments import BatchAugment
from mmtmix.models.classifiers.labels import read_scores
from mmtmix.models.saliency import TeacherCAM
from mmtmix.models.teachers import FrozenTeacher

from .mixes import MixedBatch, Mixes


@runtime_checkable
class HasTeacher(Protocol):
    """A batch augment that mixes with a teacher.

    Attributes:
        teacher: The teacher, whose logits are among the details of a mix.
    """

    teacher: FrozenTeacher


class OnlineMixes(Mixes):
    """Mixes of the clean batch.

    Args:
        augment: Config of a batch augment, or a list of them, one of which is chosen per step.

    Raises:
        TypeError: If it is neither.
    """

    def __init__(self, augment: Mapping | Sequence[Mapping]):
        configs = [augment] if isinstance(augment, Mapping) else augment
        if not isinstance(configs, Sequence) or not configs or not all(map(_is_config, configs)):
            raise TypeError(
                'mixed.augment must be a batch augment, dict(type=...), or a list of some to '
                f'choose from, got {augment!r}'
            )
        self.augments = [BATCH_AUGMENTS.build(deepcopy(config)) for config in configs]

    def load(self) -> None:
        """See :meth:`Mixes.load`.

        Raises:
            FileNotFoundError: If a file is missing.
            ValueError: If a file doesn't fit.
        """
        for augment in self.augments:
            if isinstance(augment, BatchAugment):
                augment.load()

    def prepare(self, runner: Any, num_classes: int | None, needs_targets: bool) -> None:
        """See :meth:`Mixes.prepare`.

        Raises:
            ValueError: If the number of classes is unknown, or a mix has more images than a
                batch.
        """
        if num_classes is None:
            raise ValueError('mixing online needs a student whose head has num_classes')
        for augment in self.augments:
            if isinstance(augment, BatchAugment):
                check_batch_size(runner.train_loop.dataloader, augment)
                augment.check_classes(num_classes)
        self.num_classes = num_classes

    def draw(
        self, inputs: Tensor, data_samples: Sequence, teacher: FrozenTeacher, needs_targets: bool
    ) -> MixedBatch:
        """See :meth:`Mixes.draw`."""
        scores = read_scores(data_samples, self.num_classes)
        augment = self.augments[np.random.choice(len(self.augments))]  # noqa: NPY002  (as MMPretrain)
        with torch.no_grad():
            if not isinstance(augment, BatchAugment):
                # MMPretrain's augments write into their batch
                return MixedBatch(*augment(inputs.clone(), scores))
            if not isinstance(augment, HasTeacher) or augment.teacher is not teacher:
                batch = MixedBatch(*augment(inputs, scores))
                source = getattr(augment, 'saliency', None)
                if isinstance(source, TeacherCAM):
                    logits = source.take_logits(inputs)  # forgotten in any case
                    batch.clean_logits = logits if source.teacher is teacher else None
                return batch
            # the details have the logits that it computed with the teacher
            mixed, targets, details = augment(inputs, scores, return_details=True)
        return MixedBatch(mixed, targets, details.get('clean_logits'), details.get('logits'))


def _is_config(augment: Any) -> bool:
    return isinstance(augment, Mapping) and 'type' in augment
