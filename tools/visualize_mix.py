"""Draw how a config's mixer mixes real images of its data set.

The mixer is the first one of mmtmix (TransformMix, SuperMix, SampleMixup, SampleCutMix) among the
config's batch augments; what is drawn depends on the steps that it has. By default the images are
the training set's. They go through the pipeline of the validation set, which has no random crops
and flips.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from torch import Tensor

from mmtmix.checks import check_integer
from mmtmix.functional import draw_weights
from mmtmix.models import BatchAugment, FrozenTeacher
from mmtmix.models.augments import augment_config, build_augment
from mmtmix.models.saliency import LiveModel, set_live_model
from mmtmix.utils import (
    CommandParser,
    add_trust_argument,
    add_variant_argument,
    check_device,
    check_output_file,
    load_config,
    load_safely,
    run_command,
)
from mmtmix.visualization import (
    CHANNEL_ORDERS,
    LAYOUTS,
    RealImages,
    check_format,
    draw_comparison,
    draw_panel,
    draw_sweep,
    load_images,
    save_figure,
    sweep_lambda,
    sweep_temperature,
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What to draw, of which images."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('config', help='config of a classifier that trains with a mixer of mmtmix')
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
        help='draw the same images, in equal shares, at several softmax temperatures '
        '(TransformMix alone)',
    )
    kind.add_argument(
        '--num-mix',
        type=int,
        nargs='+',
        metavar='K',
        help='draw mixes of K images for each K, such as 2 3 4 (not TransformMix)',
    )
    parser.add_argument('--num', type=int, default=4, help='number of mixes, of each K')
    parser.add_argument('--seed', type=int, default=0, help='of images, weights and noise')
    parser.add_argument(
        '--indices',
        type=int,
        nargs='+',
        help='images in the data set, k for each mix, in place of --num mixes of images of '
        'different classes; with --num-mix as many as the largest K, smaller ones take the first',
    )
    parser.add_argument('--split', choices=['train', 'val'], default='train')
    parser.add_argument(
        '--layout',
        choices=LAYOUTS,
        default='rows',
        help='a mix a row, or a mix a column; sweeps and --num-mix have rows',
    )
    parser.add_argument(
        '--channel-order',
        choices=CHANNEL_ORDERS,
        help='of colour images as the network gets them; by default what the '
        "config's data set, pipeline and data_preprocessor make of them",
    )
    parser.add_argument(
        '--checkpoint',
        help='weights of the classifier, which then stands in for the network in training, where '
        'a mixer such as PuzzleMix asks it',
    )
    parser.add_argument('--device', default=get_device())
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='overrides')
    add_variant_argument(parser)
    add_trust_argument(parser)
    return parser.parse_args(argv)


def build_augments(cfg: Config, num_mix: Sequence[int] | None) -> list[BatchAugment]:
    """Build a config's mixer, or one like it for each number of images.

    Raises:
        ValueError: If there are numbers, but for a TransformMix.
    """
    if not num_mix:
        return [build_augment(cfg)]
    settings = augment_config(cfg)
    if 'mixer' in settings:
        raise ValueError(
            f'--num-mix {" ".join(map(str, num_mix))} is not for TransformMix, whose module was '
            f'searched for mixes of {settings.get("num_mix", 2)} images; draw the config of each '
            'search by itself'
        )
    return [build_augment(cfg, num_mix=k) for k in num_mix]


def mix(
    mixer: BatchAugment, images: RealImages, index: Tensor, seed: int
) -> tuple[Tensor, dict[str, Tensor]]:
    """Mix with drawn weights.

    Returns:
        The mixes and their details.
    """
    generator = torch.Generator().manual_seed(seed)
    weights = draw_weights(len(index), mixer.num_mix, mixer.alpha, generator).to(index.device)
    return mixer.mix_with_details(images.inputs, images.scores, weights, index, generator)


def draw(mixers: Sequence[BatchAugment], images: RealImages, args: argparse.Namespace) -> Figure:
    """Mix the images and draw what the arguments ask for."""
    mixer, batch = mixers[0], (images.inputs, images.scores)
    options = dict(names=images.names, channel_order=args.channel_order or images.channel_order)
    if args.num_mix:
        groups = images.index[list(images.rows)]
        mixes = [mix(each, images, groups[:, : each.num_mix], args.seed) for each in mixers]
        return draw_comparison(images.inputs, mixes, images.stats, **options)
    options['rows'] = images.rows
    if args.lam_sweep:
        sweep = sweep_lambda(mixer, *batch, images.index, seed=args.seed)
        return draw_sweep(sweep, images.inputs, images.stats, **options)
    if args.temperature_sweep:
        weights = torch.full(images.index.shape, 1 / mixer.num_mix, device=args.device)
        sweep = sweep_temperature(mixer, *batch, weights, images.index, seed=args.seed)
        return draw_sweep(sweep, images.inputs, images.stats, steps=True, **options)
    mixed, details = mix(mixer, images, images.index, args.seed)
    options['layout'] = args.layout
    return draw_panel(images.inputs, mixed, details, images.stats, **options)


def main(argv: list[str] | None = None) -> Figure:
    """Draw and write; returns the figure."""
    args = parse_args(argv)
    load_safely(args.trust_checkpoint)
    # before the work rather than after it
    check_format(args.out)
    check_output_file('--out', args.out)
    check_integer('--num', args.num, 1)
    check_device('--device', args.device)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'):
        mixers = build_augments(cfg, args.num_mix)
        most = max(mixer.num_mix for mixer in mixers)
        images = load_images(cfg, most, args.split, args.num, args.indices, args.seed, args.device)
        if args.checkpoint:
            set_live_model(LiveModel(FrozenTeacher(cfg, args.checkpoint).model.to(args.device)))
    try:
        figure = draw(mixers, images, args)
    finally:
        set_live_model(None)
    save_figure(figure, args.out)
    print(f'wrote {args.out}')
    return figure


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
