"""Measure the contrast with a bank in CRD: this library's scores against gathered rows.

For both networks, a step scores each image of a batch against its own row and the rows of many
negatives. It then computes gradients of the embeddings. The rival gathers the rows first.
"""

from __future__ import annotations

import argparse
import sys

import torch
from mmengine.device import get_device
from torch import Tensor

from mmtmix.checks import check_integer
from mmtmix.cli.parser import CommandParser
from mmtmix.functional import ClassOrder, bank_scores, contrast_loss, log_normalizer
from mmtmix.utils import check_device, peak_memory, run_command, time_in_turns

TEMPERATURE = 0.07


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments; the defaults are the paper's for CIFAR-100."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument('--num-images', type=int, default=50000, help='rows of a bank')
    parser.add_argument('--num-classes', type=int, default=100)
    parser.add_argument('--num-negatives', type=int, default=16384)
    parser.add_argument('--feature-dim', type=int, default=128)
    parser.add_argument('--repeats', type=int, default=10)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--device', default=get_device())
    return parser.parse_args(argv)


def gathered_scores(queries: Tensor, bank: Tensor, index: Tensor) -> Tensor:
    """Return the scores of :func:`bank_scores`, from rows that are all gathered first.

    Args:
        queries: Embeddings of the batch, (N, D).
        bank: Embeddings of all images, (M, D).
        index: Rows of the bank, (N, 1 + K).
    """
    return torch.einsum('nd,nkd->nk', queries, bank[index])


class Bench:
    """A batch of embeddings, two banks and the negatives of the batch.

    Args:
        args: Arguments of this tool.
    """

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.generator = torch.Generator(args.device).manual_seed(args.seed)
        shape = (args.num_images, args.feature_dim)
        self.banks = [self._units(*shape) for _ in range(2)]
        batch = args.batch_size, args.feature_dim
        self.queries = [self._units(*batch).requires_grad_() for _ in range(2)]
        self.labels = torch.arange(args.num_images, device=args.device) % args.num_classes
        self.order = ClassOrder.of(self.labels)
        self.own = torch.arange(args.batch_size, device=args.device)
        self.index = self.draw()

    def draw(self) -> Tensor:
        """Return the rows of the batch and of its negatives, (N, 1 + K)."""
        number = self.args.num_negatives
        others = self.order.draw_others(self.labels[self.own], number, self.generator)
        return torch.cat([self.own[:, None], others], dim=1)

    def step(self, score=bank_scores) -> None:
        """Compute the losses and gradients of both networks.

        Args:
            score: Function with the arguments and result of :func:`bank_scores`.
        """
        for queries, bank in zip(self.queries, self.banks, strict=True):
            scores = score(queries, bank, self.index) / TEMPERATURE
            normalizer = log_normalizer(scores, len(bank))
            queries.grad = None
            contrast_loss(scores, normalizer, len(bank)).backward()

    def _units(self, *shape: int) -> Tensor:
        drawn = torch.randn(shape, generator=self.generator, device=self.args.device)
        return torch.nn.functional.normalize(drawn)


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Print the table and return the median seconds."""
    args = parse_args(argv)
    numbers = ('batch_size', 'num_images', 'num_negatives', 'feature_dim', 'repeats')
    for name in numbers:
        check_integer(f'--{name.replace("_", "-")}', getattr(args, name), 1)
    check_integer('--num-classes', args.num_classes, 2)
    check_integer('--batch-size', args.batch_size, 1, args.num_images)
    check_device('--device', args.device)
    bench = Bench(args)
    calls = {
        'rows gathered first': lambda: bench.step(gathered_scores),
        'CRDLoss': bench.step,
        'drawing negatives': bench.draw,
    }
    timings = time_in_turns(calls, args.repeats, args.device)
    seconds = {name: timing.median for name, timing in timings.items()}
    unit = seconds['rows gathered first']
    print(
        f'batch {args.batch_size}, {args.num_negatives} negatives, banks of {args.num_images} x '
        f'{args.feature_dim}, {args.device}, {torch.get_num_threads()} threads, torch '
        f'{torch.__version__}'
    )
    print('| | ms | x gathered | peak (MiB) |\n|---|---|---|---|')
    for name, call in calls.items():
        peak = peak_memory(call, args.device)
        shown = '-' if peak is None else f'{peak / 2**20:.0f}'
        print(f'| {name} | {1e3 * seconds[name]:.1f} | {seconds[name] / unit:.2f} | {shown} |')
    return seconds


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
