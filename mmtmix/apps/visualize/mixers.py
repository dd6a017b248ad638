"""Draw the mixes of augments from the same images, with the same shares."""

from __future__ import annotations

import argparse
from typing import Any

import torch
from matplotlib.figure import Figure
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from torch import Tensor

from mmtmix.checks import check_choice, check_integer
from mmtmix.models import Draw, FrozenTeacher
from mmtmix.models.augments import AUGMENTS, WITH_TEACHER, build_for
from mmtmix.models.saliency import LiveModel, set_live_model
from mmtmix.utils import (
    check_device,
    check_output_file,
    default_work_dir,
    load_config,
    load_safely,
)
from mmtmix.visualization import check_format, draw_gallery, load_images, save_figure


def mix(
    name: str,
    args: argparse.Namespace,
    cfg: Config,
    teacher: FrozenTeacher,
    batch: tuple[Tensor, Tensor, Tensor, Tensor],
) -> Tensor:
    """Return the mixes of one method.

    Args:
        name: Name of the method in ``AUGMENTS``.
        args: Arguments of :mod:`mmtmix.cli.visualize_mixers`.
        cfg: Config of the trained classifier.
        teacher: Trained classifier.
        batch: Images (N, C, H, W), labels (N, K), weights (n, 2) and index (n, 2).
    """
    options: dict[str, Any] = dict(teacher=teacher) if name in WITH_TEACHER else {}
    if name == 'TransformMix':
        options['mixer'] = args.mixer
    mixer = build_for(dict(AUGMENTS[name], **options), cfg)
    generator = torch.Generator().manual_seed(args.seed)
    torch.manual_seed(args.seed)
    images, scores, weights, index = batch
    if not mixer.follows_index:  # such an augment mixes all images of the batch
        rows = len(index)
        weights = weights.repeat(len(images) // rows, 1)
        index = torch.arange(len(images))[:, None]
        return mixer.mix(images, scores, Draw(weights, index, generator))[0][:rows]
    return mixer.mix(images, scores, Draw(weights, index, generator))[0]


def run(args: argparse.Namespace) -> Figure:
    """Mix by every augment, draw, write the picture and return the figure.

    Args:
        args: Arguments of :mod:`mmtmix.cli.visualize_mixers`.

    Raises:
        FileNotFoundError: If the config, a checkpoint or the data does not exist.
        ValueError: If a config or an argument is wrong.
    """
    args.device = args.device or get_device()
    for name in args.methods or ():
        check_choice('--methods', name, AUGMENTS)
    load_safely(args.trust_checkpoint)
    # errors of the arguments come before the work
    check_format(args.out)
    check_output_file('--out', args.out)
    check_integer('--num', args.num, 1)
    check_device('--device', args.device)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    checkpoint = args.checkpoint or f'{default_work_dir(args.config, args.variant)}/last.pth'
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'):
        teacher = FrozenTeacher(cfg, checkpoint)
        images = load_images(cfg, 2, args.split, args.num, seed=args.seed, device=args.device)
    teacher.model.to(args.device)
    index = images.index[list(images.rows)]
    weights = torch.tensor([[args.lam, 1 - args.lam]], device=args.device).repeat(len(index), 1)
    names = args.methods or [name for name in AUGMENTS if name != 'TransformMix' or args.mixer]
    batch = (images.inputs, images.scores, weights, index)
    set_live_model(LiveModel(teacher.model))
    try:
        mixes = {name: mix(name, args, cfg, teacher, batch) for name in names}
    finally:
        set_live_model(None)
    options: dict[str, Any] = dict(names=images.names, channel_order=images.channel_order)
    figure = draw_gallery(images.inputs, weights, index, mixes, images.stats, **options)
    save_figure(figure, args.out)
    print(f'wrote {args.out}')
    return figure
