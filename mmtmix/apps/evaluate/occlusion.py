"""The suite ``occlusion``: accuracy when a share of the patches is hidden.

Random and salient patches, on a grid of 14x14 for images of 224 pixels, follow PatchDrop of
Naseer et al. (2021), which OpenMixup reports. Salient patches are those of the network's own CAM
of its prediction, the most salient first. Hidden patches have the training mean, as 0 is for a
normalised image, while PatchDrop leaves them black.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor

from mmtmix.checks import check_choice, check_integer, check_numbers
from mmtmix.evaluation.trained_classifier import labels_in
from mmtmix.functional.occlusion import centre_order, hide_patches
from mmtmix.visualization import draw_lines, draw_pictures

from .saliency import saliency_of
from .suite import Evaluation, Found, Suite, shown_on_stderr

SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
ORDERS = ('random', 'salient', 'centre')
DEFAULT_ORDERS = ('random', 'salient')
_LARGE, _LARGE_GRID, _SMALL_GRID = 112, 14, 8
_SHOWN = 4


def settings(args: Any) -> dict[str, Any]:
    """Return the settings of parsed arguments."""
    return dict(
        shares=[float(share) for share in args.shares or SHARES],
        orders=list(args.orders or DEFAULT_ORDERS),
        grid=args.grid,
    )


def check(chosen: Mapping[str, Any], cfg: Config) -> None:
    """Refuse shares, orders and grids out of their range."""
    check_numbers('--shares', chosen['shares'], above=0, most=1, ordered=True)
    for order in chosen['orders']:
        check_choice('--orders', order, ORDERS)
    if chosen['grid'] is not None:
        check_integer('--grid', chosen['grid'], 1)


def run(evaluation: Evaluation, chosen: Mapping[str, Any]) -> Found:
    """Measure the accuracy for each order and share."""
    classifier = evaluation.classifier
    # summed on the device, without a wait per batch
    right: dict[str, dict[float, Any]] = {
        order: dict.fromkeys(chosen['shares'], 0) for order in chosen['orders']
    }
    teacher = saliency_of(classifier) if 'salient' in chosen['orders'] else None
    generator = torch.Generator().manual_seed(evaluation.seed)
    count, grid = 0, 0
    for batch in shown_on_stderr(evaluation.loader, 'occlusion'):
        inputs, samples = classifier.prepare(batch)
        labels = labels_in(samples).to(inputs.device)
        grid = chosen['grid'] or _grid_of(inputs)
        places: dict[str, Tensor] = {}
        for order in chosen['orders']:
            if order == 'random':
                places[order] = _random_orders(len(inputs), grid, generator)
            elif order == 'centre':
                places[order] = centre_order(grid).expand(len(inputs), grid, grid)
            else:
                assert teacher is not None
                _, maps = teacher.saliency(inputs)
                places[order] = -F.adaptive_avg_pool2d(_at_least(maps, grid), grid)[:, 0]
        for order, place in places.items():
            for share in chosen['shares']:
                hidden = hide_patches(inputs, place, share)
                predicted = classifier.scores(hidden).argmax(dim=1)
                right[order][share] += (predicted == labels).sum()
        if count == 0 and evaluation.pictures is not None:
            _draw_examples(evaluation, inputs, places, chosen['shares'])
        count += len(labels)
    accuracies = {
        order: [100 * int(right[order][share]) / count for share in chosen['shares']]
        for order in chosen['orders']
    }
    if evaluation.pictures is not None:
        clean = 100 - evaluation.predictions.error
        lines = {f'{order} patches': [clean, *row] for order, row in accuracies.items()}
        hidden_shares = [0, *(100 * share for share in chosen['shares'])]
        figure = draw_lines(hidden_shares, lines, 'hidden patches in %', 'accuracy in %')
        evaluation.save(figure, 'occlusion.png', 'occlusion.svg')
    figures = {}
    for order, row in accuracies.items():
        figures[f'{order}_mean'] = statistics.fmean(row)
        shown = zip(chosen['shares'], row, strict=True)
        figures |= {f'{order}_{100 * share:g}': value for share, value in shown}
    figures['clean'] = 100 - evaluation.predictions.error
    return Found(figures, dict(grid=grid))


def _grid_of(inputs: Tensor) -> int:
    side = min(inputs.shape[-2:])
    return _LARGE_GRID if side >= _LARGE else min(_SMALL_GRID, side)


def _random_orders(count: int, grid: int, generator: torch.Generator) -> Tensor:
    # numbers are drawn one after another, so the orders do not depend on the size of the batches
    return torch.rand(count, grid, grid, generator=generator)


def _at_least(maps: Tensor, grid: int) -> Tensor:
    """Return maps of at least one value per patch; a CAM may be coarser than the grid."""
    size = max(grid, *maps.shape[-2:])
    return F.interpolate(maps, (size, size), mode='bilinear', align_corners=False)


def _draw_examples(
    evaluation: Evaluation, inputs: Tensor, places: Mapping[str, Tensor], shares: list[float]
) -> None:
    shown = inputs[:_SHOWN]
    columns, pictures = ['whole'], [evaluation.to_pictures(shown)]
    middle = shares[len(shares) // 2]
    for order, place in places.items():
        columns.append(f'{order}, {100 * middle:g} %')
        hidden = hide_patches(shown, place[:_SHOWN], middle)
        pictures.append(evaluation.to_pictures(hidden))
    rows = evaluation.names(evaluation.predictions.labels[:_SHOWN])
    table = [[column[number] for column in pictures] for number in range(len(shown))]
    evaluation.save(draw_pictures(table, rows[: len(shown)], columns), 'occlusion_examples.png')


SUITE = Suite(
    settings,
    check,
    run,
    {'random_mean': 'occlusion: accuracy', 'salient_mean': 'salient occlusion: accuracy'},
)
