"""Batches with MMPretrain's data samples, made from columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from mmengine.dataset import default_collate
from mmengine.registry import FUNCTIONS
from mmpretrain.structures import DataSample
from torch import Tensor

from mmtmix.checks import check_instance
from mmtmix.datasets.transforms.carry_mask import MASK


class ResidentSamples(list):
    """Data samples of a batch, and their labels as tensors of the batch.

    Args:
        samples: Data samples of the N images.
        labels: Labels, int64 (N, 1); None without labels.
        scores: Scores, float32 (N, num_classes); None without scores.
        masks: Pixels of the objects, uint8 (N, H, W) of 0 and 1; None without masks.
    """

    def __init__(
        self,
        samples: Sequence[DataSample],
        labels: Tensor | None,
        scores: Tensor | None,
        masks: Tensor | None = None,
    ):
        super().__init__(samples)
        self.labels = labels
        self.scores = scores
        self.masks = masks


class ResidentBatch(Sequence):
    """A batch, which any collate function can also take as a list of items.

    Args:
        inputs: Images, uint8 (N, C, H, W).
        samples: Data samples of the N images.
    """

    def __init__(self, inputs: Tensor, samples: ResidentSamples):
        self.inputs = inputs
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, number: Any) -> Any:
        return dict(inputs=self.inputs[number], data_samples=self.samples[number])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self.__getitem__, range(len(self)))


@FUNCTIONS.register_module()
def resident_collate(batch: Sequence[dict[str, Any]]) -> Any:
    """Return a batch of a resident data set as it is; collate others as ``default_collate`` does.

    Args:
        batch: Batch of :class:`ResidentDataset`, or items of another data set.

    Returns:
        ``dict(inputs=images (N, C, H, W), data_samples=list)``.
    """
    if isinstance(batch, ResidentBatch):
        return dict(inputs=batch.inputs, data_samples=batch.samples)
    check_instance('batch', batch, Sequence, 'a list of items')
    return default_collate(batch)


class SampleTable:
    """Makes data samples as ``PackInputs`` would, from the columns of a set.

    Args:
        template: Data sample of the first image, from ``PackInputs``.
        columns: Values of the other fields by name, one list for all images each.
        labels: Labels of all images, int64 (M, 1); None without labels.
        scores: Scores of all images, float32 (M, num_classes); None without scores.
    """

    def __init__(
        self,
        template: DataSample,
        columns: Mapping[str, Sequence[Any]],
        labels: Tensor | None,
        scores: Tensor | None,
    ):
        fields = vars(template)
        # which fields are set is recorded in sets, that no two samples may share
        self._sets = {name: value for name, value in fields.items() if isinstance(value, set)}
        self._fields = {name: v for name, v in fields.items() if name not in self._sets}
        self._columns = dict(columns)
        self._labels = labels
        self._scores = scores

    def pick(
        self,
        numbers: Sequence[int],
        index: Tensor,
        directions: Sequence[str | None] | None,
        masks: Tensor | None = None,
    ) -> ResidentSamples:
        """Return the data samples of some images.

        Args:
            numbers: Numbers of the N images.
            index: Tensor of the same numbers, int64 (N,), on the device of the labels.
            directions: Direction of each image's flip, None for no flip; None if the pipeline has
                no flip.
            masks: Pixels of the objects, uint8 (N, H, W); None without masks.
        """
        varying: dict[str, Sequence[Any]] = {
            name: [column[number] for number in numbers] for name, column in self._columns.items()
        }
        labels = None if self._labels is None else self._labels.index_select(0, index)
        scores = None if self._scores is None else self._scores.index_select(0, index)
        if labels is not None:
            varying['gt_label'] = labels.unbind()
        if scores is not None:
            varying['gt_score'] = scores.unbind()
        if directions is not None and 'flip' in self._fields:
            varying['flip'] = [direction is not None for direction in directions]
        if directions is not None and 'flip_direction' in self._fields:
            varying['flip_direction'] = directions
        if masks is not None:
            varying[MASK] = masks.unbind()
        return ResidentSamples(self._make(len(numbers), varying), labels, scores, masks)

    def _make(self, count: int, varying: Mapping[str, Sequence[Any]]) -> list[DataSample]:
        names = list(varying)
        # not by DataSample's setters, which check each field and take six times as long
        rows = zip(*varying.values(), strict=True) if names else [()] * count
        made = []
        for row in rows:
            sample = DataSample.__new__(DataSample)
            fields = vars(sample)
            fields.update(self._fields)
            for name, members in self._sets.items():
                fields[name] = members.copy()
            fields.update(zip(names, row, strict=True))
            made.append(sample)
        return made


def score_samples(samples: Sequence[DataSample], scores: Tensor) -> None:
    """Set ``gt_score`` of each data sample, as ``DataSample.set_gt_score`` does.

    Args:
        samples: Data samples of N images.
        scores: Scores (N, num_classes).
    """
    size = scores.size(1)
    for sample, score in zip(samples, scores.unbind(), strict=True):
        sample.set_field(score, 'gt_score', dtype=torch.Tensor)
        sample.set_field(size, 'num_classes', field_type='metainfo')
