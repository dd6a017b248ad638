"""Measure what docs/scale.md needs and no GPU: loading of images, and files of mixed images.

Times are CPU time of one process. Photographs are the two that scikit-learn brings along, as JPEG
files with a long side of 500 pixels, as ImageNet's mostly are.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from sklearn.datasets import load_sample_images

from mmtmix.apps.reproduce import choose_cells, job_graph, read_experiments, runs_of
from mmtmix.apps.reproduce.loaded_images import MIXED, data_of, image_size
from mmtmix.apps.reproduce.work import loaders_of, sets_of
from mmtmix.checks import check_integer
from mmtmix.cli.parser import CommandParser
from mmtmix.datasets.mixed_shards import (
    RAW_BYTES,
    MixedRecords,
    decode_image,
    encode_image,
    pack_shard,
    raw_images,
)
from mmtmix.utils import atomic_path, check_output_file, resolve_config, run_command

LONG_SIDE, QUALITY = 500, 95


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('--experiments', default='configs/experiments.yaml')
    parser.add_argument('--out', type=Path, default=Path('results/scale/measured.json'))
    parser.add_argument('--images', type=int, default=100, help='images per timing')
    parser.add_argument('--repeats', type=int, default=5, help='timings; the median counts')
    return parser.parse_args(argv)


def photographs() -> list[np.ndarray]:
    """Return the photographs, uint8 ``(H, W, 3)`` in the order blue, green, red."""
    found = []
    for image in load_sample_images().images:
        scale = LONG_SIDE / max(image.shape[:2])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found.append(np.ascontiguousarray(small[..., ::-1]))
    return found


def crops(size: int, number: int, draw: random.Random) -> list[np.ndarray]:
    """Return square cuts of the photographs, scaled down.

    Args:
        size: Side of a cut in pixels.
        number: Number of cuts.
        draw: Source of random places.
    """
    found = []
    for index in range(number):
        photo = photographs()[index % 2]
        side = draw.randint(224, min(photo.shape[:2]))
        top, left = (draw.randint(0, length - side) for length in photo.shape[:2])
        cut = photo[top : top + side, left : left + side]
        found.append(cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA))
    return found


def seconds_per_image(call: Callable[[int], Any], args: argparse.Namespace) -> float:
    """Return the median CPU time of a call per image.

    Args:
        call: Function of the number of an image.
        args: Arguments of this tool.
    """
    call(0)
    times = []
    for _ in range(args.repeats):
        start = time.process_time()
        for index in range(args.images):
            call(index)
        times.append((time.process_time() - start) / args.images)
    return median(times)


def time_pipelines(args: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Return the seconds per image of each pipeline of the experiments.

    Args:
        args: Arguments of this tool.
        folder: Folder for files of images.
    """
    draw = random.Random(0)
    photos = photographs()
    for number, image in enumerate([*photos, *crops(64, 2, draw)]):
        quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        cv2.imwrite(str(folder / f'{number}.jpg'), image, quality)
    arrays = crops(32, 8, draw)
    pngs = [encode_image(image, 'bgr') for image in crops(224, 2, draw)]
    found: dict[str, float] = {}
    cells = choose_cells(read_experiments(resolve_config(args.experiments)), ['*'])
    runs = [run for cell in cells if not cell.quoted for run in runs_of(cell, 1, 'work_dirs')]
    graph = job_graph(runs)
    sets = sets_of(graph.values())
    for loader in (each for job in graph.values() for each in loaders_of(job.stage.cfg)):
        data = data_of(loader, sets)
        for name, (_, transforms) in data.parts.items():
            if name in found:
                continue
            with DefaultScope.overwrite_default_scope('mmpretrain'):
                pipeline = Compose(list(transforms))
            is_large = image_size(transforms) > 64
            first = 2 if data.name == 'TinyImageNet' else 0

            def load(
                index: int,
                pipeline: Compose = pipeline,
                first: int = first,
                is_png: bool = is_large and name.startswith(MIXED),
            ) -> None:
                image = decode_image(pngs[index % 2], 'bgr') if is_png else arrays[index % 8]
                path = str(folder / f'{first + index % 2}.jpg')
                pipeline(dict(img=image, gt_label=1, sample_idx=index, img_path=path))

            found[name] = seconds_per_image(load, args)
            print(f'{name}: {1 / found[name]:.0f} images/s', flush=True)
    return found


def measure_files(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return bytes and encoding time of mixed images, by their side in pixels.

    An image is the mean of a cut of each photograph. The bytes are those of a shard of them with
    all fields, for 100 classes of small images and 1,000 of large ones.

    Args:
        args: Arguments of this tool.
    """
    draw = random.Random(1)
    found = {}
    for size, classes in ((32, 100), (224, 1000)):
        pairs = zip(crops(size, 16, draw), crops(size, 17, draw)[1:], strict=True)
        mixed = np.stack([((one.astype(int) + two) // 2).astype(np.uint8) for one, two in pairs])
        seconds, images = 0.0, raw_images(mixed, 'bgr')
        if mixed[0].nbytes > RAW_BYTES:
            images = [encode_image(image, 'bgr') for image in mixed]
            seconds = seconds_per_image(
                lambda index, mixed=mixed: encode_image(mixed[index % 16], 'bgr'), args
            )
        content = pack_shard(_records(images, classes), 0, 'digest')
        found[str(size)] = dict(bytes=len(content) / len(mixed), seconds=seconds)
    return found


def _records(images: Any, classes: int, num_mix: int = 2) -> MixedRecords:
    """Return records of images, whose other fields are zeros."""
    number = len(images)
    fields = dict(sources=np.int64, flips=np.bool_, weights=np.float32, classes=np.int64)
    arrays = {name: np.zeros((number, num_mix), dtype) for name, dtype in fields.items()}
    arrays |= dict(targets=np.zeros((number, classes), np.float32))
    for name, dtype in dict(winners=np.int64, iterations=np.int64, finished=np.bool_).items():
        arrays[name] = np.zeros(number, dtype)
    return MixedRecords(images=images, **arrays)


def measure(args: argparse.Namespace) -> int:
    """Measure, write the file and return the exit status.

    Args:
        args: Arguments of this tool.
    """
    check_integer('--images', args.images, 1)
    check_integer('--repeats', args.repeats, 1)
    check_output_file('--out', args.out)
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        pipelines = time_pipelines(args, Path(folder))
        sizes = [path.stat().st_size for path in Path(folder).glob('[01].jpg')]
    about = dict(clock='CPU time of one process', photograph_bytes=sum(sizes) / len(sizes))
    content = about | dict(seconds_per_image=pipelines, mixed_files=measure_files(args))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(args.out) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the tool."""
    return measure(parse_args(argv))


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
