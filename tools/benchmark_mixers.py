"""What mixing a batch costs: every mixer on the same batch in one run, as ratios.

The unit is one forward pass of the teacher on the same batch, without gradients. Each time is the
median of interleaved repeats, so that a busy machine slows all of them alike. With --config the
teacher is a trained classifier and the batch real images, and SuperMix is timed as well: how long
it takes depends on both. Its two rivals try to finish as many samples as SuperMix did, in up to
--rival-iters steps. Then they and SuperMix are timed until they have finished the share that the
rival came to, giving nothing up. Each of these runs is done once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from mmengine.config import DictAction
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from mmengine.utils import digit_version
from mmpretrain.registry import BATCH_AUGMENTS, MODELS
from torch import Tensor

import mmtmix
from mmtmix.engine.launch import default_work_dir
from mmtmix.functional import blend
from mmtmix.models import FrozenTeacher
from mmtmix.utils import atomic_path, load_config, median_seconds, peak_memory, seconds_of
from mmtmix.visualization import load_images

TEACHERS = {
    'wrn16_1': dict(depth=16, widen_factor=1),
    'wrn40_2': dict(depth=40, widen_factor=2),
    'wrn28_10': dict(depth=28, widen_factor=10, layout='puzzle'),
}
FORWARD, SUPERMIX = 'teacher forward', 'SuperMix'
RIVALS = {'SuperMix without smooth projection': 'newton_tv', 'SuperMix by SGD': 'sgd'}

Call = Callable[[], object]


@dataclass
class Row:
    """What a mixer costs.

    Attributes:
        seconds: Median time of a batch.
        forwards: The same in forward passes of the teacher.
        iterations: The solver's mean steps a sample.
        finished: Share of samples in which the teacher sees all images.
        megabytes: Peak memory.
    """

    seconds: float
    forwards: float
    iterations: float | None = None
    finished: float | None = None
    megabytes: float | None = None


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--config', help='a trained classifier: the teacher, and real images')
    parser.add_argument(
        '--checkpoint', help="its weights (default: last.pth of the config's work dir)"
    )
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='overrides of it')
    parser.add_argument(
        '--teacher',
        choices=TEACHERS,
        default='wrn40_2',
        help='without --config: of random weights',
    )
    parser.add_argument('--image-size', type=int, default=32, help='without --config')
    parser.add_argument('--num-classes', type=int, default=100, help='without --config')
    parser.add_argument('--batch-size', type=int, default=128)
    parser.add_argument('--repeats', type=int, default=20)
    parser.add_argument('--rival-iters', type=int, default=200, help='0 leaves the rivals out')
    parser.add_argument('--bfloat16', action='store_true', help='run under bfloat16 autocast')
    parser.add_argument('--compile', action='store_true', help='compile the teacher')
    parser.add_argument('--seed', type=int, default=0, help='of images, weights and pairs')
    parser.add_argument('--json', help='also write the figures to this file')
    parser.add_argument('--device', default=get_device())
    return parser.parse_args(argv)


def random_teacher(args: argparse.Namespace) -> FrozenTeacher:
    """A teacher with random weights: what a forward costs doesn't depend on them."""
    settings = TEACHERS[args.teacher]
    config = dict(
        model=dict(
            type='ImageClassifier',
            backbone=dict(type='WideResNet', **settings),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(
                type='LinearClsHead',
                num_classes=args.num_classes,
                in_channels=64 * settings['widen_factor'],
            ),
        ),
        data_preprocessor=dict(mean=[0.0] * 3, std=[1.0] * 3),
    )
    model = MODELS.build(dict(config['model'], _scope_='mmpretrain'))
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder, 'teacher.pth')
        torch.save(model.state_dict(), checkpoint)
        return FrozenTeacher(config, checkpoint, compile=args.compile)


def make_batch(args: argparse.Namespace) -> tuple[FrozenTeacher, Tensor, Tensor]:
    """Teacher, inputs and one-hot labels: trained and real, or random."""
    if args.config is None:
        teacher = random_teacher(args)
        inputs = torch.randn(args.batch_size, 3, args.image_size, args.image_size)
        labels = torch.randint(args.num_classes, (args.batch_size,))
        scores = torch.nn.functional.one_hot(labels, args.num_classes).float()
        return teacher, inputs.to(args.device), scores.to(args.device)
    cfg = load_config(args.config, args.cfg_options)
    checkpoint = args.checkpoint or f'{default_work_dir(args.config)}/last.pth'
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        teacher = FrozenTeacher(cfg, checkpoint, compile=args.compile)
        images = load_images(cfg, 2, indices=range(args.batch_size), device=args.device)
    return teacher, images.inputs, images.scores


class Bench:
    """The batch, and the mixers that are timed on it."""

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.teacher, self.inputs, self.scores = make_batch(args)
        # MMPretrain's CutMix writes into its batch
        self.own = self.inputs.clone()

    def mixer(self, **config: object) -> Call:
        """A mixer's call; of ours with details, on the same pairs and weights at every call."""
        augment = BATCH_AUGMENTS.build(config)
        if not isinstance(augment, mmtmix.models.BatchMixer):
            return lambda: augment(self.own, self.scores)

        def call() -> dict[str, Tensor]:
            torch.manual_seed(self.args.seed)
            return augment(self.inputs, self.scores, return_details=True)[2]

        return call

    def subjects(self) -> dict[str, Call]:
        """What is timed in turns."""
        count = len(self.inputs)
        order = torch.randperm(count, device=self.inputs.device)
        half = torch.full((count, 2, 1, 1, 1), 0.5, device=self.inputs.device)

        def plain() -> Tensor:
            return blend(torch.stack([self.inputs, self.inputs[order]], dim=1), half)

        found = {
            FORWARD: torch.no_grad()(lambda: self.teacher(self.inputs)),
            'plain blend': plain,
            "MMPretrain's Mixup": self.mixer(type='Mixup', alpha=1.0),
            "MMPretrain's CutMix": self.mixer(type='CutMix', alpha=1.0),
            'SampleMixup': self.mixer(type='SampleMixup'),
            'SampleCutMix': self.mixer(type='SampleCutMix'),
        }
        for num_mix in (2, 3):
            suffix = '' if num_mix == 2 else f' k={num_mix}'
            options = dict(teacher=self.teacher, num_mix=num_mix)
            module = dict(type='TransformMixer', cam_size=self.inputs.size(-1), num_mix=num_mix)
            found[f'TransformMix{suffix}'] = self.mixer(
                type='TransformMix', mixer=module, **options
            )
            if self.args.config is not None:
                found[f'{SUPERMIX}{suffix}'] = self.mixer(type='SuperMix', **options)
        return found

    def until(self, share: float, method: str = 'newton') -> Call:
        """SuperMix by a method, until it has finished this share of the samples."""
        return self.mixer(
            type='SuperMix',
            teacher=self.teacher,
            method=method,
            max_iters=self.args.rival_iters,
            max_unfinished_ratio=1 - share + 1e-6,
            min_change=0.0,
        )


def row(call: Call, unit: float, device: str, median: float | None = None) -> Row:
    """A row of the table from one more call: its memory, its time unless known, its details."""
    kept: list[object] = []
    seconds: list[float] = []
    timed = partial(seconds_of, lambda: kept.append(call()), device)
    peak = peak_memory(lambda: seconds.append(timed()), device)
    taken = seconds[0] if median is None else median
    found = Row(taken, taken / unit, megabytes=None if peak is None else peak / 2**20)
    details = kept[0]
    if isinstance(details, dict) and 'iterations' in details:
        found.iterations = details['iterations'].float().mean().item()
        found.finished = details['finished'].float().mean().item()
    return found


def benchmark(args: argparse.Namespace) -> dict[str, Row]:
    """Measure everything."""
    bench = Bench(args)
    calls = bench.subjects()
    with torch.autocast(args.device, torch.bfloat16, enabled=args.bfloat16):
        medians = median_seconds(calls, args.repeats, args.device)
        unit = medians[FORWARD]
        rows = {name: row(call, unit, args.device, medians[name]) for name, call in calls.items()}
        if SUPERMIX not in rows or not args.rival_iters:
            return rows
        for name, method in RIVALS.items():
            aim = row(bench.until(rows[SUPERMIX].finished, method), unit, args.device)
            share = aim.finished
            rows[name] = aim
            for solver, chosen in ((name, method), (SUPERMIX, 'newton')):
                label = f'{solver}, until {100 * share:.1f} %'
                rows[label] = row(bench.until(share, chosen), unit, args.device)
    return rows


def table(rows: dict[str, Row]) -> str:
    """The figures as Markdown."""
    lines = [
        '| | ms | x teacher forward | iterations | finished (%) | peak (MiB) |',
        '|---|---|---|---|---|---|',
    ]
    for name, found in rows.items():
        iterations = '-' if found.iterations is None else f'{found.iterations:.1f}'
        finished = '-' if found.finished is None else f'{100 * found.finished:.1f}'
        peak = '-' if found.megabytes is None else f'{found.megabytes:.0f}'
        lines.append(
            f'| {name} | {1e3 * found.seconds:.1f} | {found.forwards:.2f} | {iterations} | '
            f'{finished} | {peak} |'
        )
    return '\n'.join(lines)


def main(argv: list[str] | None = None) -> dict[str, Row]:
    """Print the table; returns its rows."""
    args = parse_args(argv)
    torch.manual_seed(args.seed)
    rows = benchmark(args)
    setting = dict(
        teacher=args.config or args.teacher,
        batch_size=args.batch_size,
        precision='bfloat16' if args.bfloat16 else 'float32',
        device=args.device,
        threads=torch.get_num_threads(),
        torch='.'.join(map(str, digit_version(torch.__version__)[:3])),
        mmtmix=mmtmix.__version__,
        seed=args.seed,
    )
    print(', '.join(f'{name} {value}' for name, value in setting.items()))
    print(table(rows))
    if args.json:
        with atomic_path(args.json) as temporary:
            content = dict(setting, rows={name: asdict(found) for name, found in rows.items()})
            temporary.write_text(json.dumps(content, indent=1) + '\n')
    return rows


if __name__ == '__main__':
    main()
