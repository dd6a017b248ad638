"""Images that were mixed beforehand, as a data set to train on."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence

import numpy as np
from mmengine.dataset import force_full_init
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice, check_path
from mmtmix.utils import current_value

from .mixed_shards import DATASET_FILE, SETTINGS_FILE, MixedSet, read_dataset_file
from .mixed_shards.files import ADVICE, progress_of
from .mixed_shards.mixed_set import missing_shards

LABELS = ('hard_teacher', 'mixed', 'soft_teacher')
OLD_LABELS = {'winner': 'hard_teacher', 'teacher': 'soft_teacher'}


@DATASETS.register_module()
class MixedImages(BaseDataset):
    """A set of mixed images that `SuperMix <https://arxiv.org/abs/2003.05034>`_ generated.

    An item is ``dict(img, gt_label, sample_idx)``, with ``gt_score`` for soft labels: ``img`` is
    uint8, ``(H, W)`` or ``(H, W, 3)`` in the channel order of the source images, and ``gt_label``
    an int, the class that the teacher finds most probable. So a pipeline starts without a loading
    transform, and the source data set's crops and flips fit as they are. To train on these images
    beside clean ones, concatenate the data sets; soft labels then need :class:`OneHotScore` in the
    pipeline of the clean images, and a clean data set with meta information of its own needs the
    same ``metainfo`` here.

    Only the images that are asked for are read, and each is checked: a truncated or altered shard
    raises an error that names it.

    Args:
        data_root: The folder of a complete set, with its ``dataset.json``.
        labels: Kind of labels: ``'hard_teacher'`` has ``gt_label`` alone; ``'mixed'`` adds a
            ``gt_score`` of the sources' classes by their weights (SuperMix, Eq. 2);
            ``'soft_teacher'`` adds a ``gt_score`` of the teacher's probabilities for the mix.
            Scores are float32 ``(num_classes,)`` in [0, 1]. Defaults to ``'hard_teacher'``.
        metainfo: Overrides the meta information; ``classes`` otherwise come from the set.
            Defaults to None.
        indices: Use only the first (n > 0) or last (n < 0) so many images, or those listed.
            Defaults to None: all.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset`` (``pipeline``, ``test_mode``,
            ``lazy_init``, ``classes``, ...); not ``ann_file``, ``data_prefix``, ``filter_cfg`` or
            ``serialize_data``, which have no meaning here.

    Raises:
        FileNotFoundError: If the set is missing or not complete.
        ValueError: If an argument is invalid, or ``dataset.json`` is damaged.
    """

    data_advice = ADVICE

    def __init__(
        self,
        data_root: str | os.PathLike,
        labels: str = 'hard_teacher',
        metainfo: dict | None = None,
        indices: int | Sequence[int] | None = None,
        **kwargs,
    ) -> None:
        refused = {'ann_file', 'data_prefix', 'filter_cfg', 'serialize_data'}
        unused = sorted(refused & kwargs.keys())
        if unused:
            raise ValueError(
                f'MixedImages does not take {", ".join(unused)}; give only the folder of the set '
                'as data_root. A config that inherits from another dataset needs _delete_=True.'
            )
        labels = current_value('labels of MixedImages', labels, OLD_LABELS)
        check_choice('labels', labels, LABELS)
        self.labels = labels
        self._set: MixedSet | None = None
        # Positions in the set; a subset costs 8 bytes an image, the whole set nothing.
        self._order: range | np.ndarray = range(0)
        super().__init__(
            ann_file='',
            metainfo=metainfo,
            data_root=_resolve_root(data_root),
            indices=indices,
            **kwargs,
        )

    @classmethod
    def missing_files(cls, data_root: str | os.PathLike, **kwargs) -> tuple[str, list[str]]:
        """Tell what is missing, without reading an image (see :func:`check_data`).

        Args:
            data_root: As in the constructor.
            **kwargs: The constructor's other arguments, unused.

        Returns:
            The absolute folder and the missing names.

        Raises:
            ValueError: If ``data_root`` is invalid or ``dataset.json`` is damaged.
        """
        root = _resolve_root(data_root)
        if os.path.isfile(os.path.join(root, DATASET_FILE)):
            return root, missing_shards(root, read_dataset_file(root))
        if os.path.isfile(os.path.join(root, SETTINGS_FILE)):
            return root, [f'{DATASET_FILE} (not finished: {progress_of(root)})']
        return root, [DATASET_FILE]

    @classmethod
    def channel_order(cls, data_root: str | os.PathLike, **kwargs) -> str:
        """Return the channel order of the images, that of the images that were mixed.

        Args:
            data_root: As in the constructor.
            **kwargs: The constructor's other arguments, unused.

        Returns:
            ``'rgb'`` or ``'bgr'``.

        Raises:
            FileNotFoundError: If there is no ``dataset.json``.
            ValueError: If it is damaged.
        """
        return read_dataset_file(_resolve_root(data_root))['channel_order']

    def full_init(self) -> None:
        """Read the description of the set, and no image."""
        if self._fully_initialized:
            return
        self._set = MixedSet(self.data_root)
        classes = self._set.described['classes']
        if classes is not None:
            self._metainfo.setdefault('classes', tuple(classes))
        self._order = range(len(self._set))
        if self._indices is not None:
            self._order = _chosen(self._order, self._indices)
        self._fully_initialized = True

    @force_full_init
    def __len__(self) -> int:
        return len(self._order)

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Read an item.

        Args:
            idx: Its position, counted from the end if negative.

        Returns:
            The item as described above, before the pipeline.

        Raises:
            FileNotFoundError: If its shard has vanished.
            IndexError: If there is no such item.
            ValueError: If its shard is damaged.
        """
        shard, record = self._set.locate(int(self._order[idx]))
        item = {
            'img': shard.image(record, self._set.described['channel_order']),
            'gt_label': int(shard.value('winners', record)),
        }
        if self.labels == 'soft_teacher':
            item['gt_score'] = shard.value('targets', record)
        elif self.labels == 'mixed':
            score = np.zeros(shard.num_classes, dtype=np.float32)
            # Not `score[classes] += weights`: two sources may stand for one class
            np.add.at(score, shard.value('classes', record), shard.value('weights', record))
            item['gt_score'] = score
        item['sample_idx'] = int(idx) + (len(self) if idx < 0 else 0)
        return item

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the winner class of an item as a list, without reading its image."""
        shard, record = self._set.locate(int(self._order[idx]))
        return [int(shard.value('winners', record))]

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """Return the winner classes of all items, int64 ``(N,)``, without reading images."""
        return self._set.column('winners')[np.asarray(self._order, dtype=np.int64)]

    @force_full_init
    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep only some items; ``indices`` as in the constructor."""
        self._order = _chosen(self._order, indices)

    @force_full_init
    def get_subset(self, indices: int | Sequence[int]) -> MixedImages:
        """Return a copy with only some items; ``indices`` as in the constructor."""
        subset = copy.deepcopy(self)
        subset.get_subset_(indices)
        return subset

    def extra_repr(self) -> list[str]:
        """Describe the dataset's source for ``repr``.

        Returns:
            The lines to add.
        """
        return [f'Folder: \t{self.data_root}', f'Labels: \t{self.labels}']


def _chosen(order: range | np.ndarray, indices: int | Sequence[int]) -> range | np.ndarray:
    """Return the positions at ``indices``: the first or last so many, or those listed."""
    if isinstance(indices, (int, np.integer)):
        return order[:indices] if indices >= 0 else order[indices:]
    wanted = np.asarray(indices)
    if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in 'iu'):
        raise ValueError(
            f'indices must be an integer or a sequence of integers, got {indices!r:.200}.'
        )
    outside = wanted[(wanted < -len(order)) | (wanted >= len(order))] if wanted.size else wanted
    if outside.size:
        raise ValueError(f'indices hold {outside[0]}, but the set has {len(order)} images.')
    return np.asarray(order, dtype=np.int64)[wanted.astype(np.int64)]


def _resolve_root(data_root: str | os.PathLike) -> str:
    """Return the absolute folder that ``data_root`` stands for."""
    check_path('data_root', data_root, cure='it is the folder of a mixed set')
    return os.path.abspath(os.path.expanduser(data_root))
