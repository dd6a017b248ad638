"""Write the configs of a folder of images."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmtmix.checks import check_integer, check_number
from mmtmix.models.mixers import load_mixer
from mmtmix.program import program
from mmtmix.utils import atomic_path, check_output_folder, local_file, resolve_config

from .forecast import advise
from .images import ImageFolder, Samples, measure, read_folder
from .network import build_model
from .templates import FILES, GIVEN_TEACHER, MODULE, OWN_TEACHER

IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
BACKBONE, EPOCHS, SEARCH_EPOCHS = 'resnet18', 100, 10
# --quick: minutes on two cores for any folder of up to a few thousand images
QUICK_BACKBONE, QUICK_SIZE, QUICK_BATCH, QUICK_IMAGES, QUICK_EPOCHS = 'wrn16_1', 64, 32, 6000, 5
SMALL = 128  # smaller images are padded and cropped, others are cropped at random scales


def run(args: argparse.Namespace) -> list[Path]:
    """Write the configs, print the next command, and return the files.

    Args:
        args: Arguments of :mod:`mmtmix.cli.init`.

    Raises:
        FileExistsError: If one of the files exists.
        FileNotFoundError: If there are no images, or no such checkpoint.
        ValueError: If the images or an argument cannot be used.
    """
    for name in ('image_size', 'epochs', 'search_epochs', 'batch_size'):
        if getattr(args, name) is not None:
            check_integer(f'--{name.replace("_", "-")}', getattr(args, name), 1)
    if args.lr is not None:
        check_number('--lr', args.lr, 0)
    root = Path(args.data_dir)
    out = args.out or Path('configs', root.resolve().name)
    check_output_folder('--out', out)
    for name, path in (('DATA_DIR', root), ('--out', out)):
        if set(str(path)) & set('\'"\\\n{}'):
            raise ValueError(f'{name}: configs cannot name {str(path)!r}; rename the folder')
    folder = read_folder(root)
    args = with_defaults(args, len(folder.train))
    model, files = texts(args, folder, out)
    existing = [out / name for name in files if (out / name).exists()]
    if existing and not args.force:
        raise FileExistsError(
            f'{", ".join(map(str, existing))} exist; give --force to replace them, or '
            'another --out'
        )
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        with atomic_path(out / name) as temporary:
            temporary.write_text(text, encoding='utf-8')
    split = '' if folder.val_name else ', split from the others'
    first = 'makes the teacher and the search first'
    if args.mixer:
        first = 'trains nothing before' if args.teacher else 'makes the teacher first'
    lines = [
        f'{len(folder.classes)} classes, {len(folder.train)} images to train on, '
        f'{len(folder.val)} to validate on{split}',
        f'wrote {", ".join(str(out / name) for name in files)}',
        advise(model, len(folder.train), args.epochs, 0 if args.mixer else args.search_epochs),
        f'next: {program("train")} {shlex.quote(str(out / "transformmix.py"))}   # {first}; '
        'cutmix.py is to compare with',
    ]
    print('\n'.join(line for line in lines if line))
    return [out / name for name in files]


def with_defaults(args: argparse.Namespace, num_images: int) -> argparse.Namespace:
    """Return the arguments with values for those that were not given.

    Args:
        args: Arguments of :mod:`mmtmix.cli.init`.
        num_images: Number of training images, >= 1.
    """
    values = dict(backbone=BACKBONE, epochs=EPOCHS, search_epochs=SEARCH_EPOCHS)
    if args.quick:
        epochs = args.epochs or min(max(QUICK_IMAGES // num_images, QUICK_EPOCHS), EPOCHS)
        values = dict(backbone=QUICK_BACKBONE, image_size=QUICK_SIZE, epochs=epochs)
        values |= dict(search_epochs=max(1, epochs // 2))
        values |= dict(batch_size=min(QUICK_BATCH, fit_batch(None, num_images)))
    given = {name: value for name, value in vars(args).items() if value is not None}
    return argparse.Namespace(**{**vars(args), **values, **given})


def texts(
    args: argparse.Namespace, folder: ImageFolder, out: Path
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the config of the classifier, and the content of each file by its name.

    Args:
        args: Arguments of :mod:`mmtmix.cli.init`, with defaults.
        folder: Images and their classes.
        out: Folder of the files.
    """
    size, mean, std, stats = size_and_stats(args, folder)
    batch_size = fit_batch(args.batch_size, len(folder.train))
    model = build_model(args.backbone, len(folder.classes), size, args.pretrained)
    lr = args.lr or 0.1 * batch_size / 256 * (0.1 if args.pretrained else 1)
    values: dict[str, Any] = dict(
        title=f'{folder.root.resolve().name}, {args.backbone}',
        name=out.name,
        out=out.as_posix(),
        command=f'{program("init")} {shlex.join(one for one in args.argv if one != "--force")}',
        model=Config(dict(model=model)).pretty_text,
        num_classes=len(folder.classes),
        mean=mean,
        std=std,
        stats=stats,
        size=size,
        test_edge=size if size < SMALL else size * 8 // 7,
        train_steps=train_steps(size),
        batch_size=batch_size,
        workers=min(4, os.cpu_count() or 1),
        train_data=data_lines(folder, out, 'train'),
        val_data=data_lines(folder, out, 'val'),
        topk=(1, 5) if len(folder.classes) > 5 else (1,),
        lr=float(f'{lr:.3g}'),
        epochs=args.epochs,
        # few images make short epochs, in which a validation takes as long as the training
        val_interval=max(1, args.epochs // 10) if args.quick else 1,
        cam_size=min(size, 64),
        search_epochs=args.search_epochs,
        interval=max(1, args.search_epochs // 2),
    )
    files = dict(FILES)
    if args.mixer:
        del files['search.py']
        files['transformmix.py'] = MODULE
        values |= module_values(args, values)
    found = {name: text.format(**values) for name, text in files.items()}
    found['classes.txt'] = ''.join(f'{name}\n' for name in folder.classes)
    if folder.val_name is None:
        found |= {'train.txt': lines_of(folder.train), 'val.txt': lines_of(folder.val)}
    return dict(model, image_size=size), found


def size_and_stats(
    args: argparse.Namespace, folder: ImageFolder
) -> tuple[int, list[float], list[float], str]:
    """Return the edge of the images in pixels, mean and std of their channels, and their origin.

    Args:
        args: Arguments of the command.
        folder: Images and their classes.
    """
    size, mean, std = measure(folder, args.image_size)
    if (args.stats or ('imagenet' if args.pretrained else 'measured')) == 'imagenet':
        return size, *IMAGENET, "ImageNet's"
    return size, mean, std, 'of the training images'


def module_values(args: argparse.Namespace, values: dict[str, Any]) -> dict[str, Any]:
    """Return what a config with a given mixing module has beside other configs.

    Args:
        args: Arguments of the command, with ``mixer``.
        values: Values of the other configs' texts.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If the module cannot be read, or the package has no weights of a name.
    """
    about, lines, cam_class = GIVEN_TEACHER if args.teacher else OWN_TEACHER
    config, checkpoint = args.teacher or ('', '')
    if args.teacher:
        resolve_config(config)
        is_address = checkpoint.startswith(('http://', 'https://'))
        if not is_address and not local_file(checkpoint).is_file():
            raise FileNotFoundError(f'--teacher: checkpoint {checkpoint!r} does not exist')
    return dict(
        mixer=args.mixer,
        num_mix=load_mixer(args.mixer).num_mix,
        about_teacher=about,
        teacher_lines=lines.format(config=config, checkpoint=checkpoint, **values),
        cam_class=cam_class,
    )


def fit_batch(given: int | None, num_images: int) -> int:
    """Return the number of images per step.

    Args:
        given: Number that the user gave; None takes 64, or half the images if they are fewer
            than 128.
        num_images: Number of training images, >= 1.

    Raises:
        ValueError: If the batch exceeds the images, since a search takes full batches alone.
    """
    if given is None:
        return max(1, min(64, num_images // 2))
    if given > num_images:
        raise ValueError(
            f'--batch-size must be at most {num_images}, the number of training images; got '
            f'{given}'
        )
    return given


def train_steps(size: int) -> str:
    """Return the lines of the pipeline that make training images of a size.

    Args:
        size: Edge of the images in pixels.
    """
    if size >= SMALL:
        return f"    dict(type='RandomResizedCrop', scale={size}),"
    return (
        f"    dict(type='ResizeEdge', scale={size}, edge='short'),\n"
        f"    dict(type='CenterCrop', crop_size={size}),\n"
        f"    dict(type='RandomCrop', crop_size={size}, padding={size // 8}),"
    )


def data_lines(folder: ImageFolder, out: Path, split: str) -> str:
    """Return the lines of a data set that name its files.

    Args:
        folder: Images and their classes.
        out: Folder of the configs.
        split: Part of the images, ``'train'`` or ``'val'``.
    """
    indent = ' ' * 8
    root = folder.root.as_posix()
    if folder.val_name is None:
        ann_file = f'{out.as_posix()}/{split}.txt'
        return f'{indent}data_prefix={root!r},\n{indent}ann_file={ann_file!r},'
    prefix = 'train' if split == 'train' else folder.val_name
    return f'{indent}data_root={root!r},\n{indent}data_prefix={prefix!r},'


def lines_of(samples: Samples) -> str:
    """Return the text of an annotation file, with one path and label per line.

    Args:
        samples: Paths and labels of the images.
    """
    return ''.join(f'{path} {label}\n' for path, label in samples)
