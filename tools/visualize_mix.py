"""Draw how a config's mixer mixes real images of its data set.

By default the images are the training set's. They go through the pipeline of the validation
set, which has no random crops and flips.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict

import torch
from matplotlib.figure import Figure
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.functional import draw_weights
from mmtmix.models import BatchMixer
from mmtmix.models.teachers import InputStats
from mmtmix.utils import load_config
from mmtmix.visualization import (
    CHANNEL_ORDERS,
    LAYOUTS,
    RealImages,
    check_format,
    draw_panel,
    draw_sweep,
    load_images,
    preprocessor_config,
    save_figure,
    sweep_lambda,
    sweep_temperature,
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What to draw, of which images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of a classifier that trains with a learned mix')
    parser.add_argument('--out', required=True, help='picture to write (.png, .pdf, .svg)')
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        '--lam-sweep',
        action='store_true',
        help='draw the same images at shares of the first from 0.1 to 0.9',
    )
    kind.add_argument(
        '--temperature-sweep',
        action='store_true',
        help='draw the same images, in equal shares, at several softmax temperatures',
    )
    parser.add_argument('--num', type=int, default=4, help='number of mixes')
    parser.add_argument('--seed', type=int, default=0, help='of images, weights and noise')
    parser.add_argument(
        '--indices',
        type=int,
        nargs='+',
        help='images in the data set, k for each mix, in place of --num mixes of images of '
        'different classes',
    )
    parser.add_argument('--split', choices=['train', 'val'], default='train')
    parser.add_argument(
        '--layout', choices=LAYOUTS, default='rows', help='a mix a row, or a mix a column'
    )
    parser.add_argument(
        '--channel-order',
        choices=CHANNEL_ORDERS,
        help='of colour images as the network gets them; by default BGR where the pipeline has '
        'LoadImageFromFile and the data_preprocessor has not to_rgb=True',
    )
    parser.add_argument('--device', default=get_device())
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='overrides')
    return parser.parse_args(argv)


def build_mixer(cfg: Config) -> BatchMixer:
    """Build the first mixer of this library among a config's batch augments.

    Raises:
        FileNotFoundError: If a file of the mixer or its teacher is missing.
        ValueError: If there is none.
    """
    preprocessor = preprocessor_config(cfg)
    settings = cfg.model.get('train_cfg') or {}
    settings = settings if 'augments' in settings else preprocessor.get('batch_augments') or {}
    augments = settings.get('augments') or []
    for augment in [augments] if isinstance(augments, Mapping) else augments:
        kind = augment['type']
        kind = BATCH_AUGMENTS.get(kind) if isinstance(kind, str) else kind
        if not isinstance(kind, type) or not issubclass(kind, BatchMixer):
            continue
        augment = ConfigDict(augment)
        if isinstance(augment.get('teacher'), Mapping):
            # no Runner is there to tell the teacher how the images are normalised
            stats = asdict(InputStats.from_preprocessor(preprocessor))
            augment.teacher = ConfigDict({'input_stats': stats, **augment.teacher})
        return BATCH_AUGMENTS.build(augment)
    raise ValueError(
        f'none of the augments in model.train_cfg is a mixer of mmtmix: {augments!r}. Give the '
        'config of a classifier that trains with one, such as '
        'configs/transformmix/wrn16_fashionmnist_mini.py'
    )


def draw(mixer: BatchMixer, images: RealImages, args: argparse.Namespace) -> Figure:
    """Mix the images and draw what the arguments ask for."""
    batch = (images.inputs, images.scores)
    options = dict(
        names=images.names,
        rows=images.rows,
        channel_order=args.channel_order or images.channel_order,
    )
    if args.lam_sweep:
        sweep = sweep_lambda(mixer, *batch, images.index, seed=args.seed)
        return draw_sweep(sweep, images.inputs, images.stats, **options)
    if args.temperature_sweep:
        weights = torch.full(images.index.shape, 1 / mixer.num_mix, device=args.device)
        sweep = sweep_temperature(mixer, *batch, weights, images.index, seed=args.seed)
        return draw_sweep(sweep, images.inputs, images.stats, steps=True, **options)
    generator = torch.Generator().manual_seed(args.seed)
    weights = draw_weights(len(images.inputs), mixer.num_mix, mixer.alpha, generator)
    weights = weights.to(args.device)
    mixed, details = mixer.mix(*batch, weights, images.index, generator)
    details = dict(weights=weights, index=images.index, **details)
    options['layout'] = args.layout
    return draw_panel(images.inputs, mixed, details, images.stats, **options)


def main(argv: list[str] | None = None) -> Figure:
    """Draw and write; returns the figure."""
    args = parse_args(argv)
    check_format(args.out)  # before the work rather than after it
    cfg = load_config(args.config, args.cfg_options)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmpretrain')):
        mixer = build_mixer(cfg)
        images = load_images(
            cfg, mixer.num_mix, args.split, args.num, args.indices, args.seed, args.device
        )
    figure = draw(mixer, images, args)
    save_figure(figure, args.out)
    print(f'wrote {args.out}')
    return figure


if __name__ == '__main__':
    main()
