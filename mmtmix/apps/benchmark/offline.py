"""Reading of images from an offline set, beside a memory-mapped array and a folder of PNGs.

``offline_reads`` writes the same images in each form, and returns a function per form that reads a
random batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from mmtmix.apps.generate.folder import SetFolder
from mmtmix.apps.generate.settings import GenerationSettings
from mmtmix.apps.generate.shard_maker import Statistics
from mmtmix.checks import check_integer, check_path
from mmtmix.datasets import MixedImages
from mmtmix.datasets.mixed_shards import (
    RAW_BYTES,
    MixedRecords,
    encode_image,
    raw_images,
)

OFFLINE, OFFLINE_SINGLE = 'offline set, batched', 'offline set, one by one'
OFFLINE_MANY = 'offline set of many shards, one by one'
MEMMAP, PNG_FOLDER = 'memory-mapped array', 'folder of PNGs'
_NUM_CLASSES = 100
_MANY = 200  # shards, as in a set of 400,000 images


def offline_reads(
    folder: str | os.PathLike,
    image_size: int = 32,
    num: int = 4000,
    shard_size: int = 2000,
    batch_size: int = 128,
    seed: int = 0,
    raw_bytes: int = RAW_BYTES,
) -> dict[str, Callable[[], object]]:
    """Write images in every form, and return the functions that read a random batch of them.

    Args:
        folder: Empty folder for the files; the caller deletes it. They take about
            ``12 * num * image_size**2`` bytes.
        image_size: Edge of the images in pixels, >= 1.
        num: Number of images, >= 1.
        shard_size: Number of images per shard of the offline set, >= 1.
        batch_size: Number of images per call, >= 1.
        seed: Seed of the images and of the order in which they are read, >= 0.
        raw_bytes: Size in bytes of the largest image that the set stores as raw pixels, >= 0.

    Returns:
        Functions by name: :data:`OFFLINE` reads a batch through ``MixedImages.__getitems__``,
        :data:`OFFLINE_SINGLE` image by image through ``MixedImages[i]``, both without a pipeline;
        :data:`OFFLINE_MANY` does so in a set of the same images in up to 200 shards;
        :data:`MEMMAP` copies the images out of a mapped ``.npy`` file, one by one;
        :data:`PNG_FOLDER` reads one file per image with OpenCV. Each call reads other images.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a number is out of its range.
    """
    check_path('folder', folder)
    given = dict(image_size=image_size, num=num, shard_size=shard_size, batch_size=batch_size)
    for name, value in given.items():
        check_integer(name, value, 1)
    check_integer('seed', seed, 0)
    check_integer('raw_bytes', raw_bytes, 0)
    root = Path(folder)
    rng = np.random.default_rng(seed)
    images = make_images(num, image_size, rng)
    write_set(root / 'set', images, shard_size, raw_bytes)
    write_set(root / 'many', images, -(-num // _MANY), raw_bytes)
    np.save(root / 'images.npy', images)
    pictures = root / 'pictures'
    pictures.mkdir()
    for number, image in enumerate(images):
        cv2.imwrite(str(pictures / f'{number}.png'), image)
    dataset, many = MixedImages(root / 'set'), MixedImages(root / 'many')
    many.__getitems__(list(range(num)))  # opened once, as by the first batches of a training
    mapped = np.load(root / 'images.npy', mmap_mode='r')
    chosen = (rng.integers(0, num, batch_size).tolist() for _ in iter(int, 1))
    return {
        OFFLINE: lambda: dataset.__getitems__(next(chosen)),
        OFFLINE_SINGLE: lambda: [dataset[number] for number in next(chosen)],
        OFFLINE_MANY: lambda: [many[number] for number in next(chosen)],
        MEMMAP: lambda: [np.array(mapped[number]) for number in next(chosen)],
        PNG_FOLDER: lambda: [cv2.imread(f'{pictures}/{number}.png') for number in next(chosen)],
    }


def make_images(num: int, image_size: int, rng: np.random.Generator) -> np.ndarray:
    """Return random images that PNG compresses about as well as photos.

    Args:
        num: Number of images, >= 1.
        image_size: Edge in pixels, >= 1.
        rng: Source of randomness.

    Returns:
        Images, uint8 ``(num, image_size, image_size, 3)``: smooth colours with a little noise.
    """
    coarse = rng.integers(0, 240, (num, 6, 6, 3), dtype=np.uint8)
    size = (image_size, image_size)
    smooth = np.stack([cv2.resize(each, size, interpolation=cv2.INTER_CUBIC) for each in coarse])
    return smooth + rng.integers(0, 16, smooth.shape, dtype=np.uint8)


def write_set(path: Path, images: np.ndarray, shard_size: int, raw_bytes: int) -> None:
    """Write a complete offline set of given images, with made-up labels.

    Args:
        path: Folder of the set, which is made.
        images: Images, uint8 ``(N, H, W, 3)`` in the order RGB.
        shard_size: Number of images per shard, >= 1.
        raw_bytes: Size in bytes of the largest image that is stored as raw pixels, >= 0.
    """
    settings = GenerationSettings(len(images), shard_size=shard_size)
    folder = SetFolder(path, settings, dict(num=len(images)))
    pixels = iter(images)
    for number, size in enumerate(settings.shards):
        folder.write(number, _records(islice(pixels, size), raw_bytes), Statistics(drawn=size))
    folder.finish(None, _NUM_CLASSES, 2, 'rgb')


def _records(images: Iterator[np.ndarray], raw_bytes: int) -> MixedRecords:
    """Return the records of a shard, all of class 0."""
    pixels = np.stack(list(images))
    num = len(pixels)
    is_raw = pixels[0].nbytes <= raw_bytes
    targets = np.zeros((num, _NUM_CLASSES), dtype=np.float32)
    targets[:, 0] = 1
    return MixedRecords(
        images=raw_images(pixels, 'rgb') if is_raw else [encode_image(i, 'rgb') for i in pixels],
        sources=np.zeros((num, 2), dtype=np.int64),
        flips=np.zeros((num, 2), dtype=bool),
        weights=np.full((num, 2), 0.5, dtype=np.float32),
        classes=np.zeros((num, 2), dtype=np.int64),
        targets=targets,
        winners=np.zeros(num, dtype=np.int64),
        iterations=np.zeros(num, dtype=np.int64),
        finished=np.ones(num, dtype=bool),
    )
