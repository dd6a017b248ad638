"""List the networks and data sets that configs are made of, as the tables of docs/zoo.md.

The tables come from the files in configs/_base_ and the networks that these build. With --check
the tool only compares them with the page, as the tests do.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path

import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch.utils.flop_counter import FlopCounterMode

from mmtmix.apps.convert import ARCHS
from mmtmix.cli.parser import CommandParser
from mmtmix.datasets import flowers102_818
from mmtmix.datasets.sources import DATA_SETS
from mmtmix.models.teachers.cam import has_exact_cam
from mmtmix.recipes import PAIRS
from mmtmix.utils import atomic_path, check_output_file, load_config, run_command
from mmtmix.utils.config import declared_variants

ROOT = Path(__file__).resolve().parents[1]
MODELS_FOLDER = ROOT / 'configs' / '_base_' / 'models'
MODEL_FILES = sorted(MODELS_FOLDER.glob('*.py'))
DATASET_FILES = sorted(ROOT.glob('configs/_base_/datasets/*.py'))
SIZES = {'imagenet': 224, 'tinyimagenet': 64, 'fashionmnist': 28}
CIFAR_SIZE = 32
# numbers of training and test images of data set types with another division
_TEST = flowers102_818.NUM_TEST
DIVISIONS = {'Flowers102Split818': (flowers102_818.NUM_IMAGES - _TEST, _TEST)}

HEAD = """# Networks and data sets

Made by `python tools/list_zoo.py`; don't edit. Every file below is in `configs/_base_`.
"""

FLOWERS = """`flowers102_818_transfer` tests on 818 images, the size that TransformMix's Table 3
fits. Which images those were isn't published, so the division is our own: a fixed draw by class,
see `Flowers102Split818`."""


def input_size(name: str) -> int:
    """Return the edge of a network's images in pixels, by the end of its file's name.

    Args:
        name: Name of the file, without suffix.
    """
    return SIZES.get(name.rsplit('_', 1)[-1], CIFAR_SIZE)


@cache
def bases(path: Path) -> list[Path]:
    """Return the files that a config names in ``_base_``.

    Args:
        path: Path of the config.
    """
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', None) == '_base_':
            named = ast.literal_eval(node.value)
            names = [named] if isinstance(named, str) else named
            return [file for name in names for file in path.parent.glob(name)]
    return []


@cache
def network_files(path: Path) -> set[Path]:
    """Return the files in ``models`` that a config or its bases use.

    Args:
        path: Path of the config.
    """
    found: set[Path] = set()
    if 'student_of(' in path.read_text(encoding='utf-8'):
        pairs = [PAIRS[name] for name in declared_variants(path)['PAIR'].values]
        found = {(MODELS_FOLDER / f'{pair.student}.py').resolve() for pair in pairs}
    for base in map(Path.resolve, bases(path)):
        # a file in models with a base is a network of its own
        found |= {base} if base.parent.name == 'models' else network_files(base)
    return found


def used_by(path: Path) -> str:
    """Return the experiments that use a network's file.

    Args:
        path: Path of the file.
    """
    folder = ROOT / 'configs'
    by_method: dict[str, list[str]] = {}
    for experiment in sorted(folder.glob('*/*.py')):
        if path in network_files(experiment):
            by_method.setdefault(experiment.parent.name, []).append(experiment.stem)
    found = [
        f'{method}/{names[0]}' if len(names) == 1 else f'{method} ({len(names)})'
        for method, names in by_method.items()
    ]
    return ', '.join(found) or '-'


def in_papers(path: Path) -> str:
    """Return the papers' tables that a file is for, from its line ``# Used in: ``.

    Args:
        path: Path of the file.
    """
    found = re.search(r'^# Used in: (.+)$', path.read_text(encoding='utf-8'), re.MULTILINE)
    return found[1] if found else ''


def model_row(path: Path) -> list[str]:
    """Return file, size, multiply-adds, CAM, checkpoints, tables and experiments of a network.

    Args:
        path: Path of the network's file.
    """
    cfg = load_config(path)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model).eval()
    size, channels = input_size(path.stem), cfg.model.backbone.get('in_channels', 3)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(torch.zeros(1, channels, size, size))
    parameters = sum(weight.numel() for weight in model.parameters())
    converted = [name for name, arch in ARCHS.items() if arch.config == path.stem]
    return [
        f'`{path.stem}`',
        f'{parameters:,}',
        f'{size}x{size}x{channels}',
        f'{counter.get_total_flops() / 2e6:,.1f}',  # a multiply-add counts as two
        'exact' if has_exact_cam(model) else 'Grad-CAM',
        ', '.join(f'`{name}`' for name in converted) or '-',
        in_papers(path) or '-',
        used_by(path),
    ]


def dataset_rows() -> list[list[str]]:
    """Return images, classes, files, command and origin of each data set."""
    # files that choose another one by a variant are no data sets of their own
    own = [path for path in DATASET_FILES if 'read_base(' not in path.read_text('utf-8')]
    files = {path: repr(load_config(path).to_dict()) for path in own}
    rows = []
    for name, data_set in DATA_SETS.items():
        sizes = ['{:,} + {:,}'.format(*data_set.images)]
        configs = []
        for path, text in files.items():
            if f"'data/{name}'" not in text:
                continue
            configs.append(f'`{path.stem}`: {in_papers(path)}'.removesuffix(': '))
            for kind, images in DIVISIONS.items():
                if f"'{kind}'" in text:
                    sizes.append('{:,} + {:,} (`{}`)'.format(*images, path.stem))
        rows.append(
            [
                data_set.title,
                '<br>'.join(sizes),
                str(data_set.classes),
                '<br>'.join(configs) or '-',
                f'`python tools/prepare_data.py {name}`',
                data_set.page,
            ]
        )
    return rows


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return rows as a table in Markdown.

    Args:
        header: Cells of the first line.
        rows: Cells of the other lines.
    """
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def render() -> str:
    """Return the whole page."""
    models = table(
        [
            'file in `models`',
            'parameters',
            'input',
            'multiply-adds (M)',
            'CAM',
            'converts (`--arch`)',
            'tables of the papers',
            'used by',
        ],
        [model_row(path) for path in MODEL_FILES],
    )
    datasets = table(
        [
            'data set',
            'images',
            'classes',
            'files in `datasets`: tables of the papers',
            'command',
            'from',
        ],
        dataset_rows(),
    )
    return (
        f'{HEAD}\n## Networks\n\nParameters and multiply-adds with the classes that the file '
        f'names.\n\n{models}\n\n## Data sets\n\nBeside the bundled part of Fashion-MNIST '
        f'(`fashionmnist_mini`); images to train on and to test on.\n\n{datasets}\n\n{FLOWERS}\n'
    )


def main(argv: list[str] | None = None) -> int:
    """Write the page, or compare it, and return the exit status."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT / 'docs' / 'zoo.md')
    parser.add_argument(
        '--check', action='store_true', help='only compare; the exit status is 1 if it differs'
    )
    args = parser.parse_args(argv)
    if not args.check:
        check_output_file('--out', args.out, ('.md',))
    text = render()
    if not args.check:
        with atomic_path(args.out) as temporary:
            temporary.write_text(text, encoding='utf-8')
        return 0
    is_current = args.out.is_file() and args.out.read_text(encoding='utf-8') == text
    if not is_current:
        print(f'{args.out} is out of date; run python tools/list_zoo.py', file=sys.stderr)
    return 0 if is_current else 1


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
