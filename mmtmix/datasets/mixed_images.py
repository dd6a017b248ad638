"""Images that were mixed beforehand, as a data set to train on."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from mmengine.dataset import force_full_init
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice
from mmtmix.utils import current_value

from .lazy_dataset import Indices, LazyDataset
from .mixed_shards import (
    DATASET_FILE,
    SETTINGS_FILE,
    MixedSet,
    ShardReader,
    read_dataset_file,
)
from .mixed_shards.files import ADVICE, progress_of
from .mixed_shards.mixed_set import missing_shards

LABELS = ('hard_teacher', 'mixed', 'soft_teacher')
_FEW = 4  # fewer images of a shard are faster to read one by one
OLD_LABELS = {'winner': 'hard_teacher', 'teacher': 'soft_teacher'}


@DATASETS.register_module()
class MixedImages(LazyDataset):
    """A set of mixed images that `SuperMix <https://arxiv.org/abs/2003.05034>`_ generated.

    An item is ``dict(img, gt_label, sample_idx)``, with ``gt_score`` for soft labels. ``img`` is
    uint8, ``(H, W)`` or ``(H, W, 3)`` in the channel order of the source images. ``gt_label`` is
    an int, the class that the teacher finds most probable. So a pipeline starts without a loading
    transform, and the source data set's crops and flips fit as they are.

    To train on these images beside clean ones, concatenate the data sets. With soft labels, the
    pipeline of the clean images needs :class:`OneHotScore`. If the clean data set has meta
    information of its own, give the same ``metainfo`` here.

    Only the images that are indexed are read, and each is checked: a truncated or altered shard
    raises an error with its path.

    Args:
        data_root: Folder of a complete set, with its ``dataset.json``.
        labels: Kind of labels: ``'hard_teacher'`` for ``gt_label`` alone; ``'mixed'`` for a
            ``gt_score`` of the sources' classes by their weights (SuperMix, Eq. 2);
            ``'soft_teacher'`` for a ``gt_score`` of the teacher's probabilities. Both are float32
            ``(num_classes,)`` in [0, 1]. Defaults to ``'hard_teacher'``.
        indices: Number of images to use, the first ones (> 0) or the last ones (< 0), or a list
            of their numbers. Defaults to None: all.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset`` (``pipeline``, ``metainfo``,
            ``test_mode``, ``lazy_init``, ``classes``, ...); not ``ann_file``, ``data_prefix``,
            ``filter_cfg`` or ``serialize_data``, which have no meaning here. Without ``metainfo``
            the ``classes`` come from the set.

    Raises:
        FileNotFoundError: If the set is missing or not complete.
        ValueError: If an argument is invalid, or ``dataset.json`` is damaged.
    """

    refusal_cure = (
        'give only the folder of the set as data_root. A config that inherits from another '
        'dataset needs _delete_=True'
    )
    root_cure = 'it is the folder of a mixed set'
    data_advice = ADVICE

    def __init__(
        self,
        data_root: str | os.PathLike,
        labels: str = 'hard_teacher',
        indices: Indices | None = None,
        **kwargs: Any,
    ) -> None:
        labels = current_value('labels of MixedImages', labels, OLD_LABELS)
        check_choice('labels', labels, LABELS)
        self.labels = labels
        self._set: MixedSet | None = None
        super().__init__(data_root, indices=indices, **kwargs)

    @classmethod
    def missing_files(
        cls, data_root: str | os.PathLike | None = None, split: str | None = None, **kwargs: Any
    ) -> tuple[str, list[str]]:
        """Return what is missing, without reading an image; see :func:`check_data`.

        Args:
            data_root: Folder of the set, as in the constructor.
            split: Always None, since a set has no splits.
            **kwargs: Other arguments of the constructor, unused.

        Returns:
            The absolute folder and the missing names.

        Raises:
            ValueError: If ``data_root`` is invalid or ``dataset.json`` is damaged.
        """
        root = str(cls.find_root(data_root))
        if os.path.isfile(os.path.join(root, DATASET_FILE)):
            return root, missing_shards(root, read_dataset_file(root))
        if os.path.isfile(os.path.join(root, SETTINGS_FILE)):
            return root, [f'{DATASET_FILE} (not finished: {progress_of(root)})']
        return root, [DATASET_FILE]

    @classmethod
    def channel_order(cls, data_root: str | os.PathLike, **kwargs: Any) -> str:
        """Return the channel order of the images, that of the images that were mixed.

        Args:
            data_root: Folder of the set, as in the constructor.
            **kwargs: Other arguments of the constructor, unused.

        Returns:
            ``'rgb'`` or ``'bgr'``.

        Raises:
            FileNotFoundError: If there is no ``dataset.json``.
            ValueError: If it is damaged.
        """
        return read_dataset_file(cls.find_root(data_root))['channel_order']

    @property
    def mixed_set(self) -> MixedSet:
        """The opened set."""
        if self._set is None:
            self._set = MixedSet(self.data_root)
        return self._set

    def open_files(self) -> int:
        """Read the description of the set, and return the number of its images."""
        classes = self.mixed_set.described['classes']
        if classes is not None:
            self._metainfo.setdefault('classes', tuple(classes))
        return len(self.mixed_set)

    def read_item(self, position: int) -> dict:
        """Read the item at a position.

        Args:
            position: Number of the image in the set, 0 to the number of images - 1.

        Raises:
            FileNotFoundError: If its shard has vanished.
            IndexError: If there is no such item.
            ValueError: If its shard is damaged.
        """
        shard, record = self.mixed_set.locate(position)
        item = {
            'img': shard.image(record, self.mixed_set.described['channel_order']),
            'gt_label': int(shard.column('winners')[record]),
        }
        if self.labels != 'hard_teacher':
            item['gt_score'] = self._scores(shard, np.array([record]))[0]
        return item

    def read_items(self, positions: np.ndarray) -> list[dict]:
        """Read the items at several positions, each shard's at once.

        Args:
            positions: Numbers of the images in the set, int64 ``(N,)``.

        Raises:
            FileNotFoundError: If a shard has vanished.
            IndexError: If there is no such item.
            ValueError: If a shard is damaged.
        """
        items: list[dict] = [{}] * len(positions)
        channel_order = self.mixed_set.described['channel_order']
        for shard, records, places in self.mixed_set.groups(positions):
            if len(places) < _FEW:
                for place in places.tolist():
                    items[place] = self.read_item(int(positions[place]))
                continue
            images = shard.images(records, channel_order)
            labels = shard.column('winners')[records].tolist()
            for place, image, label in zip(places.tolist(), images, labels, strict=True):
                items[place] = {'img': image, 'gt_label': label}
            if self.labels != 'hard_teacher':
                scores = self._scores(shard, records)
                for place, score in zip(places.tolist(), scores, strict=True):
                    items[place]['gt_score'] = score
        return items

    def _scores(self, shard: ShardReader, records: np.ndarray) -> np.ndarray:
        """Return the soft labels of records in a shard, float32 ``(N, num_classes)``."""
        if self.labels == 'soft_teacher':
            return shard.column('targets')[records]
        scores = np.zeros((len(records), shard.num_classes), dtype=np.float32)
        rows = np.arange(len(records))[:, None]
        # Not `scores[rows, classes] += weights`: two sources may stand for one class
        np.add.at(
            scores, (rows, shard.column('classes')[records]), shard.column('weights')[records]
        )
        return scores

    def all_labels(self) -> np.ndarray:
        """Return the winner classes of all images, int64 ``(N,)``, without reading images."""
        return self.mixed_set.column('winners')

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the winner class of an item as a list, without reading its image.

        Args:
            idx: Number of the item.
        """
        shard, record = self.mixed_set.locate(int(self._order[idx]))
        return [int(shard.value('winners', record))]

    def extra_repr(self) -> list[str]:
        """Return lines about the folder and the labels for ``repr``."""
        return [*super().extra_repr(), f'Labels: \t{self.labels}']
