"""Draw what all mixers make of the same images, with the same shares.

The config is that of a trained classifier. It is the teacher of the mixers that have one, and it
stands in for the network in training for those that ask that one. TransformMix is drawn where
--mixer names the module of a search. Co-Mixup chooses for itself which of the images it mixes.
"""

from __future__ import annotations

import argparse
import sys

import torch
from matplotlib.figure import Figure
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from torch import Tensor

from mmtmix.checks import check_integer
from mmtmix.models import FrozenTeacher
from mmtmix.models.augments import MIXERS, WITH_TEACHER, build_for
from mmtmix.models.saliency import LiveModel, set_live_model
from mmtmix.utils import (
    CommandParser,
    add_trust_argument,
    add_variant_argument,
    check_device,
    check_output_file,
    default_work_dir,
    load_config,
    load_safely,
    run_command,
)
from mmtmix.visualization import check_format, draw_gallery, load_images, save_figure


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What to draw."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('config', help='config of a trained classifier')
    parser.add_argument('--out', required=True, help='picture to write (.png, .pdf, .svg)')
    parser.add_argument(
        '--checkpoint', help="its weights (default: last.pth of the config's work dir)"
    )
    parser.add_argument('--mixer', help='mixer.pth of a search, for TransformMix')
    parser.add_argument('--methods', nargs='+', choices=MIXERS, metavar='NAME', help='only these')
    parser.add_argument('--num', type=int, default=5, help='number of pairs')
    parser.add_argument('--lam', type=float, default=0.5, help='share of the first image')
    parser.add_argument('--seed', type=int, default=0, help='of pairs and whatever is drawn')
    parser.add_argument('--split', choices=['train', 'val'], default='train')
    parser.add_argument('--device', default=get_device())
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='overrides')
    add_variant_argument(parser)
    add_trust_argument(parser)
    args = parser.parse_args(argv)
    if not 0 <= args.lam <= 1:
        parser.error(f'--lam must be in [0, 1], got {args.lam}')
    if args.methods and 'TransformMix' in args.methods and not args.mixer:
        parser.error('TransformMix needs --mixer')
    return args


def mix(
    name: str,
    args: argparse.Namespace,
    cfg: Config,
    teacher: FrozenTeacher,
    batch: tuple[Tensor, ...],
) -> Tensor:
    """The mixes of one method."""
    options = dict(teacher=teacher) if name in WITH_TEACHER else {}
    if name == 'TransformMix':
        options['mixer'] = args.mixer
    mixer = build_for(dict(MIXERS[name], **options), cfg)
    generator = torch.Generator().manual_seed(args.seed)
    torch.manual_seed(args.seed)
    if name == 'Co-Mixup':  # as many mixes as there are images
        *images, weights, index = batch
        count = len(images[0]) // len(index)
        every = (weights.repeat(count, 1), index.repeat(count, 1))
        return mixer.mix(*images, *every, generator)[0][: len(index)]
    return mixer.mix(*batch, generator)[0]


def main(argv: list[str] | None = None) -> Figure:
    """Mix, draw and write; returns the figure."""
    args = parse_args(argv)
    load_safely(args.trust_checkpoint)
    # before the work rather than after it
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
    names = args.methods or [name for name in MIXERS if name != 'TransformMix' or args.mixer]
    batch = (images.inputs, images.scores, weights, index)
    set_live_model(LiveModel(teacher.model))
    try:
        mixes = {name: mix(name, args, cfg, teacher, batch) for name in names}
    finally:
        set_live_model(None)
    order = images.channel_order
    figure = draw_gallery(images.inputs, weights, index, mixes, images.stats, images.names, order)
    save_figure(figure, args.out)
    print(f'wrote {args.out}')
    return figure


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
