"""Draw how a config's augment mixes real images of its data set."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, cast

import torch
from matplotlib.figure import Figure
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from mmengine.runner import set_random_seed
from torch import Tensor

from mmtmix.checks import check_integer
from mmtmix.functional import draw_weights
from mmtmix.models import BatchAugment, Draw, FrozenTeacher, TransformMix, mix_with_details
from mmtmix.models.augments import augment_config, build_augment, build_batch_augments
from mmtmix.models.foreign_mix import ForeignAugment
from mmtmix.models.saliency import LiveModel, object_masks, set_live_model
from mmtmix.utils import (
    check_device,
    check_output_file,
    load_config,
    load_safely,
)
from mmtmix.visualization import (
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

_FOREIGN_MIX = 2  # images per mix of MMPretrain's augments


def build_augments(
    cfg: Config, num_mix: Sequence[int] | None
) -> list[BatchAugment] | list[ForeignAugment]:
    """Build a config's augment, or one like it for each number of images per mix.

    Of several, the first one of this library is built, or else the first one of MMPretrain.

    Args:
        cfg: Config of a classifier that trains with the augment.
        num_mix: Numbers of images per mix, each >= 2; None takes the config's.

    Raises:
        ValueError: If there are numbers and the augment is a TransformMix.
    """
    if not num_mix:
        built = [augment for augment in build_batch_augments(cfg).augments if augment is not None]
        own = [augment for augment in built if isinstance(augment, BatchAugment)]
        return own[:1] or built[:1]
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
    """Mix images with drawn weights.

    Args:
        mixer: Augment that mixes.
        images: Images of the data set.
        index: Positions of the images of each mix, int64 (N, k).
        seed: Seed of the weights and of the augment.

    Returns:
        The mixes and their details.
    """
    generator = torch.Generator().manual_seed(seed)
    weights = draw_weights(len(index), mixer.num_mix, mixer.alpha, generator).to(index.device)
    return mixer.mix_with_details(images.inputs, images.scores, Draw(weights, index, generator))


def draw_foreign(mixer: ForeignAugment, images: RealImages, args: argparse.Namespace) -> Figure:
    """Draw the mixes of an augment of MMPretrain, which draws shares and partners itself.

    Args:
        mixer: Augment, such as MMPretrain's ``CutMix``.
        images: Images of the data set.
        args: Arguments of :mod:`mmtmix.cli.visualize_mix`.

    Raises:
        ValueError: If the picture needs shares that are given.
    """
    name = type(mixer).__name__
    if args.lam_sweep or args.temperature_sweep:
        raise ValueError(
            f'{name} of MMPretrain draws its shares itself, so they cannot be swept; use '
            f"dict(type='Sample{name}'), the same method of mmtmix"
        )
    set_random_seed(args.seed)
    mixed, _, details, _ = mix_with_details(mixer, images.inputs, images.scores)
    order = args.channel_order or images.channel_order
    options: dict[str, Any] = dict(rows=images.rows, layout=args.layout, channel_order=order)
    return draw_panel(images.inputs, mixed, details, images.stats, images.names, **options)


def draw(mixers: Sequence[Any], images: RealImages, args: argparse.Namespace) -> Figure:
    """Mix the images and draw the picture that the arguments choose.

    Args:
        mixers: Augments, one per number of images.
        images: Images of the data set.
        args: Arguments of :mod:`mmtmix.cli.visualize_mix`.
    """
    if not isinstance(mixers[0], BatchAugment):
        return draw_foreign(mixers[0], images, args)
    mixer, batch = mixers[0], (images.inputs, images.scores)
    order = args.channel_order or images.channel_order
    options: dict[str, Any] = dict(names=images.names, channel_order=order)
    if args.num_mix:
        groups = images.index[list(images.rows)]
        mixes = [mix(each, images, groups[:, : each.num_mix], args.seed) for each in mixers]
        options['saliency_title'] = mixer.saliency_title
        return draw_comparison(images.inputs, mixes, images.stats, **options)
    options['rows'] = images.rows
    if args.lam_sweep:
        sweep = sweep_lambda(mixer, *batch, images.index, seed=args.seed)
        return draw_sweep(sweep, images.inputs, images.stats, **options)
    if args.temperature_sweep:
        weights = torch.full(images.index.shape, 1 / mixer.num_mix, device=args.device)
        learned = cast(TransformMix, mixer)  # others are refused below
        sweep = sweep_temperature(learned, *batch, weights, images.index, seed=args.seed)
        return draw_sweep(sweep, images.inputs, images.stats, steps=True, **options)
    mixed, details = mix(mixer, images, images.index, args.seed)
    options.update(layout=args.layout, saliency_title=mixer.saliency_title)
    return draw_panel(images.inputs, mixed, details, images.stats, **options)


def run(args: argparse.Namespace) -> Figure:
    """Draw a config's mixes, write the picture and return the figure.

    Args:
        args: Arguments of :mod:`mmtmix.cli.visualize_mix`.

    Raises:
        FileNotFoundError: If the config, a checkpoint or the data does not exist.
        ValueError: If a config or an argument is wrong.
    """
    args.device = args.device or get_device()
    load_safely(args.trust_checkpoint)
    # errors of the arguments come before the work
    check_format(args.out)
    check_output_file('--out', args.out)
    check_integer('--num', args.num, 1)
    check_device('--device', args.device)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'):
        mixers = build_augments(cfg, args.num_mix)
        most = max(getattr(mixer, 'num_mix', _FOREIGN_MIX) for mixer in mixers)
        images = load_images(cfg, most, args.split, args.num, args.indices, args.seed, args.device)
        if args.checkpoint:
            set_live_model(LiveModel(FrozenTeacher(cfg, args.checkpoint).model.to(args.device)))
    try:
        with object_masks(images.samples):
            figure = draw(mixers, images, args)
    finally:
        set_live_model(None)
    save_figure(figure, args.out)
    print(f'wrote {args.out}')
    return figure
