"""Groups of arguments that several commands share, with the same names and the same help."""

from __future__ import annotations

import argparse
import os
from typing import Any

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


def add_config(parser: argparse.ArgumentParser, text: str, flag: str = 'config') -> None:
    """Add a config, and the flags that change it: ``--variant`` and ``--cfg-options``.

    Args:
        parser: Parser of the command.
        text: Help of the config.
        flag: Name of the argument, ``'config'`` or ``'--config'``.
    """
    group = parser.add_argument_group('config')
    group.add_argument(flag, metavar='CONFIG', help=f'{text}; a path, or mmtmix::METHOD/NAME.py')
    group.add_argument(
        '--variant',
        nargs='+',
        action='extend',
        type=_pair,
        metavar='NAME=VALUE',
        help='variants of the config such as ABLATION=mask_only; also of the configs that it '
        'requires. The error for a wrong name or value lists the valid ones',
    )
    group.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        type=_pair,
        metavar='KEY=VALUE',
        help='overrides of fields such as optim_wrapper.optimizer.lr=0.01; they apply to '
        'CONFIG alone, not to the stages that it requires',
    )
    add_trust(group)


def add_trust(parser: Any) -> None:
    """Add ``--trust-checkpoint``, for :func:`mmtmix.utils.load_safely`.

    Args:
        parser: Parser of a command, or a group of its arguments.
    """
    parser.add_argument(
        '--trust-checkpoint',
        action='append',
        default=[],
        metavar='FILE',
        help='load this checkpoint even if it holds more than tensors and plain data. FILE is its '
        'name in the config or the command. Loading it runs whatever code its author put into it. '
        'May be given several times',
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Add ``--launcher`` and the ``--local_rank`` that old launchers pass.

    Args:
        parser: Parser of the command.
    """
    group = parser.add_argument_group('processes')
    group.add_argument(
        '--launcher',
        choices=LAUNCHERS,
        default='none',
        help='program that started the processes that share the work',
    )
    group.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``.

    Args:
        parser: Parser of the command.
    """
    parser.add_argument(
        '--device', help='device such as cpu or cuda:1; by default the accelerator'
    )


def complete(args: argparse.Namespace) -> None:
    """Convert the arguments that need the host stack, once it is imported.

    The texts of ``--cfg-options`` become a dict by MMEngine's rules, and those of ``--variant``
    a dict of texts by name. ``LOCAL_RANK`` is set for MMEngine where no launcher has set it.

    Args:
        args: Parsed arguments, which are changed in place.

    Raises:
        ValueError: If a variant is given twice.
    """
    from mmtmix.utils.config_options import parse_options
    from mmtmix.utils.variants import parse_variants

    if getattr(args, 'cfg_options', None):
        args.cfg_options = parse_options(args.cfg_options)
    if hasattr(args, 'variant'):
        args.variant = parse_variants(args.variant or [])
    if hasattr(args, 'local_rank'):
        os.environ.setdefault('LOCAL_RANK', str(args.local_rank))


def _pair(text: str) -> str:
    """Return a text unchanged, if it has the form NAME=VALUE."""
    if not text.partition('=')[0].strip() or '=' not in text:
        raise argparse.ArgumentTypeError(f'{text!r} is not of the form NAME=VALUE')
    return text
