"""A whole data set in memory, which gives batches instead of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.dataset import BaseDataset, ConcatDataset
from mmengine.device import get_device
from mmpretrain.registry import DATASETS
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from mmtmix.checks import check_instance, check_integer
from mmtmix.datasets.seeding import rank_generator
from mmtmix.functional.pixel_maps import pick_pixels

from .erasing import Erasing
from .plan import plan_pipeline
from .samples import ResidentBatch
from .storage import Part, Stored, store

MAX_BYTES = 4 * 2**30


@DATASETS.register_module()
class ResidentDataset(Dataset):
    """A data set whose images are read once and stay in memory as uint8.

    Each batch is cut, flipped, padded and erased as one tensor, on the device of the images. The
    images of a batch, and for equal draws each pixel, are those of the ordinary data set. The
    draws come from torch's random state instead of NumPy's. So a run on it is seeded and resumed
    as any other, with other draws of the same distribution.

    The data set reads each image through its own class and the transforms before the first random
    one. Images need one shape after these. Random transforms may be MMPretrain's ``RandomFlip``,
    ``RandomCrop`` and ``RandomErasing``, and ``Pad`` and ``CenterCrop`` between them. Any other is
    refused by name. A ``gt_mask`` moves with the image, where ``CarryMask`` holds what moves it.

    A loader needs ``num_workers=0`` and ``collate_fn=dict(type='resident_collate')``, which
    :func:`mmtmix.recipes.resident` sets. Other collate functions get the items of the batch.

    Args:
        dataset: Data set of MMEngine or its config: one with a pipeline that ends with
            ``PackInputs``, or a ``ConcatDataset`` of such. Meta information that only some of its
            parts have is left out.
        device: Device of the images and labels, such as ``'cpu'`` or ``'cuda'``; by default the
            GPU of this process, or the CPU where there is none.
        max_bytes: Number of bytes that the images may take, >= 1. A larger set is refused before
            it is read. Defaults to 4 GiB.
        read_workers: Number of processes that read the images, >= 0. Defaults to 0: this process.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range, or a transform cannot be batched.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any] | BaseDataset | ConcatDataset,
        device: str | torch.device | None = None,
        max_bytes: int = MAX_BYTES,
        read_workers: int = 0,
    ):
        check_integer('max_bytes', max_bytes, 1)
        check_integer('read_workers', read_workers, 0)
        self.device = _find_device(device)
        self.max_bytes = max_bytes
        self.read_workers = read_workers
        kinds = (Mapping, BaseDataset, ConcatDataset)
        check_instance('dataset', dataset, kinds, 'a data set of MMEngine or its config')
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, Mapping) else dataset
        self._parts = _parts_of(self.dataset)
        self._stored: Stored | None = None
        self._erasing: list[Erasing] = []

    @property
    def metainfo(self) -> dict[str, Any]:
        """Meta information of the data set, as a copy."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Read all images, once.

        Raises:
            ValueError: If the images don't fit into the memory or are of several shapes, or
                labels are no single integers.
        """
        if self._stored is not None:
            return
        self.dataset.full_init()
        parts = [part for part in self._parts if len(part.dataset)]
        if not parts:
            raise ValueError(f'{type(self.dataset).__name__} has no image to keep in memory')
        self._stored = store(parts, self.device, self.max_bytes, self.read_workers)
        size = self._stored.geometry.size
        erasing = parts[0].plan.erasing
        self._erasing = [Erasing(transform, size, self.device) for transform in erasing]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Return one item, with its random transforms.

        Args:
            number: Number of the item, counted from the end if negative.

        Raises:
            IndexError: If there is no such item.
        """
        if not -len(self) <= number < len(self):
            raise IndexError(f'item {number} of {len(self)}')
        return self.__getitems__([number % len(self)])[0]

    def __getitems__(self, numbers: Sequence[int]) -> ResidentBatch:
        """Return a batch.

        Args:
            numbers: Numbers of its N images, in [0, len(self)).

        Returns:
            The batch, a sequence of items ``dict(inputs, data_samples)``.

        Raises:
            RuntimeError: If the images are on a GPU and this is a worker of a loader.
        """
        self.full_init()
        stored = self._stored
        assert stored is not None
        if self.device.type != 'cpu' and get_worker_info() is not None:
            raise RuntimeError(
                f'the images are on {self.device}, which a worker of a data loader cannot use; '
                "set num_workers=0, or device='cpu' of ResidentDataset"
            )
        count = len(numbers)
        generator = rank_generator()
        draws = stored.geometry.draw(count, generator)
        patches = [erasing.draw(count, generator) for erasing in self._erasing]
        maps = [*stored.geometry.maps(count, draws), *(drawn[0] for drawn in patches)]
        index, rows, cols, *boxes = self._send([torch.tensor(numbers)[:, None], *maps])
        index = index.flatten()
        inputs = pick_pixels(stored.images, index, rows, cols)
        masks = None
        if stored.has_mask:
            inputs, masks = inputs[:, :-1].contiguous(), (inputs[:, -1] > 127).to(torch.uint8)
        for erasing, box, (_, seed) in zip(self._erasing, boxes, patches, strict=True):
            inputs = erasing.apply(inputs, box, seed)
        directions = stored.geometry.directions(draws)
        return ResidentBatch(inputs, stored.samples.pick(numbers, index, directions, masks))

    def get_data_info(self, number: int) -> dict[str, Any]:
        """Return an item of the data set before its pipeline.

        Args:
            number: Number of the item.
        """
        return self.dataset.get_data_info(number)

    def get_cat_ids(self, number: int) -> list[int]:
        """Return the classes of an item, which MMEngine's wrappers read.

        Args:
            number: Number of the item.
        """
        return self.dataset.get_cat_ids(number)

    def __repr__(self) -> str:
        state = 'not read yet' if self._stored is None else f'in memory of {self.device}'
        return f'{type(self).__name__}, {state}, of\n{self.dataset!r}'

    def _send(self, columns: Sequence[Tensor]) -> list[Tensor]:
        """Return columns (N, d) of integers on the device of the images, after one copy."""
        if self.device.type == 'cpu':
            return list(columns)
        packed = torch.cat(list(columns), dim=1)
        packed = packed.pin_memory() if self.device.type == 'cuda' else packed
        packed = packed.to(self.device, non_blocking=True)
        return list(packed.split([column.size(1) for column in columns], dim=1))


def _find_device(device: str | torch.device | None) -> torch.device:
    """Return the device of the images.

    Raises:
        TypeError: If it is neither a name nor a device.
        ValueError: If there is no such device.
    """
    if device is None:
        device = 'cuda' if get_device() == 'cuda' else 'cpu'
    check_instance('device', device, (str, torch.device), "a device such as 'cpu' or 'cuda'")
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device must be one such as 'cpu' or 'cuda', got {device!r}") from error
    if found.type == 'cuda' and not torch.cuda.is_available():
        raise ValueError(f"device={str(device)!r}, and torch has no CUDA here; set device='cpu'")
    if found.type == 'cuda' and found.index is None:
        found = torch.device('cuda', torch.cuda.current_device())
    return found


def _parts_of(dataset: Any) -> list[Part]:
    """Return the data sets that one is or concatenates, with their pipelines.

    Raises:
        TypeError: If one is of a kind whose items this library cannot read apart.
        ValueError: If a pipeline cannot be batched, or two treat a batch differently.
    """
    datasets = dataset.datasets if isinstance(dataset, ConcatDataset) else [dataset]
    parts = []
    for each in datasets:
        name = type(each).__name__
        if (
            not isinstance(each, BaseDataset)
            or type(each).__getitem__ is not BaseDataset.__getitem__
            or type(each).prepare_data is not BaseDataset.prepare_data
        ):
            raise TypeError(
                f'ResidentDataset needs a data set with a pipeline of transforms, got {name}, '
                'which makes its items in another way; wrap a plain data set, or use the '
                'ordinary one'
            )
        parts.append(Part(each, plan_pipeline(each.pipeline.transforms, name)))
        if parts[0].plan.differs(parts[-1].plan):
            raise ValueError(
                f'{type(parts[0].dataset).__name__} and {name} have different random transforms; '
                'a resident set batches both, so give them the same'
            )
    return parts
