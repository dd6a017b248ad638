"""Draw the first training batches of a config as its network gets them."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import Tensor

from mmtmix.checks import check_integer
from mmtmix.datasets import check_data, name_image_files
from mmtmix.datasets.class_names import iter_names
from mmtmix.models.teachers import InputStats, loaded_order, preprocessor_config
from mmtmix.utils import (
    check_device,
    check_output_file,
    check_output_folder,
    load_config,
    load_safely,
    unwrap,
)
from mmtmix.visualization import check_format, denormalize, save_figure
from mmtmix.visualization.batch import LabelledBatch, draw_batches
from mmtmix.visualization.labels import class_label

from .browsing import browsing_config
from .loop import BrowseLoop, Group
from .notes import (
    batch_note,
    chance_note,
    colour_note,
    find_alarms,
    mixing_note,
    normalisation_note,
    undo,
)

_MOST_LINES = 3
_LEAST_SHARE = 0.005


def run(args: argparse.Namespace) -> list[Figure]:
    """Draw the batches, write the pictures and return the figures.

    Args:
        args: Arguments of :mod:`mmtmix.cli.browse`.

    Raises:
        FileNotFoundError: If the config, a file that mixing needs or the data does not exist.
        ValueError: If a config or an argument is wrong.
    """
    args.device = args.device or get_device()
    load_safely(args.trust_checkpoint)
    files = output_files(args.out, args.batches)
    for name, value, least in (('--num', args.num, 1), ('--seed', args.seed, 0)):
        check_integer(name, value, least)
    check_device('--device', args.device)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    check_data(dict(train_dataloader=cfg.get('train_dataloader')))
    options = dict(
        epoch=args.epoch,
        batches=len(files),
        num=args.num,
        seed=args.seed,
        no_mix=args.no_mix,
        checkpoint=args.checkpoint,
    )
    with (
        tempfile.TemporaryDirectory() as work_dir,
        DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'),
    ):
        browsing = browsing_config(cfg, options, work_dir)
        name_image_files(list(browsing.values()))
        runner = Runner.from_cfg(browsing)
        runner.model.to(args.device)
        runner.train()
    figures = draw(cfg, runner, args)
    for figure, file in zip(figures, files, strict=False):
        save_figure(figure, file)
        print(f'wrote {file}')
    if args.show:
        show(files[0])
    return figures


def output_files(out: str, batches: int | None) -> list[Path]:
    """Return the files of the batches, and check that they can be written.

    Args:
        out: A picture for one batch, or a folder.
        batches: Number of batches; None for 1 in a picture and 4 in a folder.

    Raises:
        ValueError: If several batches are to be one file, or there are none.
    """
    if batches is not None:
        check_integer('--batches', batches, 1)
    if Path(out).suffix and not Path(out).is_dir():
        check_format(out)
        check_output_file('--out', out)
        if batches not in (None, 1):
            raise ValueError(
                f'--batches {batches} need a folder, and --out {out} is one file; give a folder'
            )
        return [Path(out)]
    check_output_folder('--out', out)
    return [Path(out, f'batch_{number}.png') for number in range(1, (batches or 4) + 1)]


def draw(cfg: Config, runner: Runner, args: argparse.Namespace) -> list[Figure]:
    """Draw the batches of a run.

    Args:
        cfg: Config that is drawn.
        runner: Runner whose ``BrowseLoop`` has run.
        args: Arguments of the command.
    """
    loop: Any = runner.train_loop
    assert isinstance(loop, BrowseLoop)
    stats = InputStats.from_preprocessor(preprocessor_config(cfg) or {}, loaded_order(cfg))
    names = class_names(loop)
    note = mixing_note(cfg, unwrap(runner.model), args.checkpoint is not None)
    note += chance_note(
        unwrap(runner.model), [group.title for drawn in loop.drawn for group in drawn]
    )
    figures = []
    for number, groups in enumerate(loop.drawn, 1):
        inputs = groups[0].inputs
        notes = [batch_note(cfg, vars(args), len(inputs)), note, normalisation_note(stats, inputs)]
        if inputs.size(1) == 3:
            notes.append(colour_note(stats, args.channel_order))
        alarms = find_alarms(stats, inputs, undo(stats, inputs))
        pictures = [
            labelled(group, stats, names, args, f'Batch {number} of epoch {args.epoch}')
            for group in groups
        ]
        figures.append(draw_batches(pictures, notes, alarms))
    return figures


def labelled(
    group: Group, stats: InputStats, names: Sequence[str], args: argparse.Namespace, title: str
) -> LabelledBatch:
    """Return the pictures of a group with their labels.

    Args:
        group: Images and labels.
        stats: Normalisation of the images.
        names: Names of the classes; empty where they are unknown.
        args: Arguments of the command.
        title: Name of the batch.
    """
    shown = group.inputs[: args.num]
    title = ': '.join(part for part in (title, group.title) if part)
    labels = [''] * len(shown)
    if group.labels is not None:
        labels = [label_text(label, names) for label in group.labels[: args.num].cpu()]
    return LabelledBatch(title, denormalize(shown, stats, args.channel_order), labels)


def label_text(label: Tensor, names: Sequence[str]) -> str:
    """Return the label of an image, with the shares of its classes where it has several.

    Args:
        label: Class number (), or scores (num_classes,).
        names: Names of the classes; empty where they are unknown.
    """
    if label.dim() == 0:
        return _class_name(int(label), names)
    shares, classes = label.sort(descending=True)
    count = int((shares > _LEAST_SHARE).sum())
    if count == 1 and float(shares[0]) > 1 - _LEAST_SHARE:
        return _class_name(int(classes[0]), names)
    shown = min(count, _MOST_LINES)
    lines = [f'{float(shares[i]):.2f} {_class_name(int(classes[i]), names)}' for i in range(shown)]
    return '\n'.join([*lines, *([f'and {count - shown} more'] if count > shown else [])])


def class_names(loop: BrowseLoop) -> tuple[str, ...]:
    """Return the names of the classes of the training; empty where they are unknown.

    Args:
        loop: Loop with the training's loader.
    """
    found = [each.classes for each in iter_names(loop.dataloader.dataset, 'train_dataloader')]
    return next((names for names in found if names), ())


def show(file: Path) -> None:
    """Open a picture in the system's viewer.

    Args:
        file: Picture of a pixel format.
    """
    from PIL import Image

    with Image.open(file) as picture:
        picture.show(title=file.name)


def _class_name(number: int, names: Sequence[str]) -> str:
    return class_label(names[number]) if number < len(names) else f'class {number}'
