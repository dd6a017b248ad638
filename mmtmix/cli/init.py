"""Write the configs of a folder of images: teacher, search, TransformMix and CutMix.

With --mixer there is no search. With --teacher no teacher is trained either; the class activation
maps are then those of the classes that it predicts.

DATA_DIR holds train/CLASS/*.jpg and val/CLASS/*.jpg, as ImageNet's folder does, or CLASS/*.jpg
alone. Then a tenth of each class, at least one image, becomes the validation set: the images are
ordered by the SHA-1 of their paths below DATA_DIR, and the first ones are taken. The configs are
run from the folder in which this command is run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLE = 'data/birds --backbone resnet18'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the images, the network and the training."""
    _add_images_and_network(parser)
    _add_training(parser)
    parser.add_argument(
        '--out',
        type=Path,
        help='folder of the configs (default: configs/ and the name of DATA_DIR)',
    )
    parser.add_argument('--force', action='store_true', help='replace configs that exist')


def _add_images_and_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('data_dir', metavar='DATA_DIR', help='folder of the images')
    parser.add_argument(
        '--quick',
        action='store_true',
        help='a first try that takes minutes on a CPU: the defaults become --backbone wrn16_1, '
        '--image-size 64, --batch-size 32, and as many epochs as see about 6,000 images (5 to '
        '100), half as many for the search',
    )
    parser.add_argument(
        '--backbone',
        metavar='NAME',
        help='file in configs/_base_/models of MMPretrain such as resnet50 or '
        "swin_transformer/tiny_224, one of its backbones' class names such as ConvNeXt, or a "
        'wide ResNet for small images, wrn16_2 (depth 16, widen factor 2) (default: resnet18)',
    )
    parser.add_argument(
        '--pretrained',
        nargs='?',
        const='default',
        metavar='CHECKPOINT',
        help='start from these weights of the backbone, a file or an address; without a value '
        "torchvision's, for resnet18, 34, 50, 101 and 152",
    )
    parser.add_argument(
        '--image-size',
        type=int,
        help='edge of the images in pixels (default: 32, 64, 96, 128, 160 or 224, the first that '
        'is not below the median short edge)',
    )
    parser.add_argument(
        '--stats',
        choices=['measured', 'imagenet'],
        help="mean and std of the channels (default: imagenet's with --pretrained, else measured)",
    )


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--epochs', type=int, help='epochs of each classifier (100)')
    parser.add_argument(
        '--mixer',
        metavar='FILE',
        help='mixing module that is used in place of a search: the mixer.pth of a search, or '
        'mmtmix://fashionmnist_k2 and others that `mmtmix weights` lists',
    )
    parser.add_argument(
        '--teacher',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='trained classifier of any classes that is the teacher; only with --mixer',
    )
    parser.add_argument('--search-epochs', type=int, help='epochs of the search (10)')
    parser.add_argument(
        '--batch-size', type=int, help='images per step (default: 64, or fewer for few images)'
    )
    parser.add_argument('--lr', type=float, help='learning rate (default: 0.1 per 256 images)')


def check(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse a teacher of other classes where a search would need its classes."""
    if args.teacher and not args.mixer:
        parser.error(
            '--teacher needs --mixer, since a search needs a teacher that was trained on these '
            'images; give --mixer mmtmix://fashionmnist_k2, or leave --teacher out'
        )
