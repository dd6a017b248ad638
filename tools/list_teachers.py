"""List the saliency maps of teachers of MMPretrain's families, as the table of docs/teachers.md.

Each family of tools/teacher_families.py is built small, with random weights, and its maps are
computed. With --check the tool only compares the table with the page, as the tests do.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import nn

from mmtmix.cli.parser import CommandParser
from mmtmix.models import FrozenTeacher
from mmtmix.models.teachers.network import last_linear
from mmtmix.utils import atomic_path, check_output_file, run_command

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = Path(__file__).with_name('teacher_families.py')
BEGIN, END = '<!-- table: python tools/list_teachers.py -->\n', '<!-- end of the table -->'
NUM_IMAGES, NUM_CLASSES = 2, 5


def read_families() -> tuple[dict[str, dict], dict[str, str]]:
    """Return the families by name, and the reasons by backbone that is left out."""
    content = Config.fromfile(FAMILIES).to_dict()
    return content['families'], content['left_out']


def build(family: dict) -> nn.Module:
    """Build a family's classifier; weights that start constant are drawn at random.

    Args:
        family: Configs of its backbone, neck and head.
    """
    head = dict(family['head'])
    if head['type'] != 'ClsHead':  # that head leaves classifying to the backbone
        head['num_classes'] = NUM_CLASSES
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'), torch.no_grad():
        model = MODELS.build(dict(family, type='ImageClassifier', head=head))
        for name, weight in model.named_parameters():
            if weight.dim() <= 1 and not name.endswith('bias'):  # norms and scales of layers
                weight.uniform_(0.5, 1.5)
            elif not weight.flatten()[:8].any():
                weight.normal_(std=0.3)
    return model


def describe(family: dict) -> tuple[str, str, str]:
    """Return the method of a family's maps, their layer, and their number of cells.

    Args:
        family: Configs as for :func:`build`, with ``size`` and ``channels`` of the images.
    """
    family = dict(family)
    size, channels = family.pop('size', 64), family.pop('channels', 3)
    model = build(family)
    pixels = dict(mean=[0.0], std=[255.0], channel_order='rgb')
    images = torch.randn(NUM_IMAGES, channels, size, size)
    cells = f'{{}} of {size}x{size} pixels'
    try:
        teacher = FrozenTeacher(model=model, **pixels, input_stats=pixels)
        maps = teacher.saliency(images)[1]
    except ValueError:
        try:
            teacher = FrozenTeacher(
                model=model, **pixels, input_stats=pixels, saliency='input_gradient'
            )
            maps = teacher.saliency(images)[1]
        except (ValueError, RuntimeError) as error:
            return f'not: {error}', '-', '-'
    if teacher.saliency_source.startswith('exact'):
        check_exactness(teacher, images)
    how, _, layer = teacher.saliency_source.partition(' of ')
    how = how.replace('exact class activation maps', 'exact CAM')
    return how, layer or 'what the neck pools', cells.format('x'.join(map(str, maps.shape[2:])))


def check_exactness(teacher: FrozenTeacher, images: torch.Tensor) -> None:
    """Check that the mean of each map is the logit without its bias, for every class.

    Args:
        teacher: Teacher whose maps are named exact.
        images: Images in its own normalisation, (N, C, H, W).

    Raises:
        RuntimeError: If they are not exact.
    """
    _, layer = last_linear(teacher.model)
    for number in range(NUM_CLASSES):
        logits, maps = teacher.cam(images, torch.full((len(images),), number))
        expected = logits[:, number] - (0 if layer.bias is None else layer.bias[number])
        found = maps.mean(dim=(1, 2, 3))
        if not torch.allclose(found, expected, atol=1e-4 * float(logits.abs().max()), rtol=1e-3):
            raise RuntimeError(f'{teacher.saliency_source}: {found} is not {expected}')


def render() -> str:
    """Return the table in Markdown."""
    rows = [['family', 'backbone', 'maps', 'of the layer', 'cells']]
    rows.append(['---'] * len(rows[0]))
    for name, family in read_families()[0].items():
        how, layer, cells = describe(family)
        rows.append([name, f'`{family["backbone"]["type"]}`', how, layer.replace("'", '`'), cells])
    return '\n'.join(f'| {" | ".join(row)} |' for row in rows)


def main(argv: list[str] | None = None) -> int:
    """Write the table into the page, or compare it, and return the exit status."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT / 'docs' / 'teachers.md')
    parser.add_argument(
        '--check', action='store_true', help='only compare; the exit status is 1 if it differs'
    )
    args = parser.parse_args(argv)
    if not args.check:
        check_output_file('--out', args.out, ('.md',))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # networks warn of their own deprecated parts
        table = render()
    page = args.out.read_text(encoding='utf-8')
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    text = f'{before}{BEGIN}\n{table}\n\n{END}{after}'
    if not args.check:
        with atomic_path(args.out) as temporary:
            temporary.write_text(text, encoding='utf-8')
        return 0
    if text != page:
        print(f'{args.out} is out of date; run python tools/list_teachers.py', file=sys.stderr)
    return int(text != page)


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
