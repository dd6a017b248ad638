"""The suites ``fgsm`` and ``pgd``: errors on images within a small distance of the clean ones.

Distances are in units of a pixel's 0 to 255, in the maximum norm. PuzzleMix and OpenMixup report
the error under FGSM at 8 for CIFAR and 4 for ImageNet. PGD has 10 steps of a quarter of the
distance, as Madry et al. (2018) take 2 of 8. Both attack the network that is evaluated, in
float32, with batch normalisation in eval mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from mmtmix.checks import check_integer, check_numbers
from mmtmix.engine.seeded_batches import seed_from
from mmtmix.evaluation.pixels import PixelSpace
from mmtmix.evaluation.trained_classifier import labels_in
from mmtmix.functional.attacks import fgsm, pgd
from mmtmix.visualization import draw_pictures

from .suite import Evaluation, Found, Suite, shown_on_stderr

EPS = (1.0, 2.0, 4.0, 8.0)
STEPS = 10
_HIGH = 255.0
_SHOWN = 4


def fgsm_settings(args: Any) -> dict[str, Any]:
    """Return the settings of parsed arguments."""
    return dict(eps=[float(eps) for eps in args.eps or EPS])


def pgd_settings(args: Any) -> dict[str, Any]:
    """Return the settings of parsed arguments."""
    return dict(fgsm_settings(args), steps=args.steps)


def check(chosen: Mapping[str, Any], cfg: Config) -> None:
    """Refuse distances out of range."""
    check_numbers('--eps', chosen['eps'], above=0, most=_HIGH, cure='in units of 0 to 255')
    if 'steps' in chosen:
        check_integer('--steps', chosen['steps'], 1)


def run_fgsm(evaluation: Evaluation, chosen: Mapping[str, Any]) -> Found:
    """Measure the error under FGSM."""
    return _run(evaluation, chosen, 'fgsm')


def run_pgd(evaluation: Evaluation, chosen: Mapping[str, Any]) -> Found:
    """Measure the error under PGD."""
    return _run(evaluation, chosen, 'pgd')


def _run(evaluation: Evaluation, chosen: Mapping[str, Any], name: str) -> Found:
    space = PixelSpace(evaluation.classifier)
    wrong: dict[Any, Any] = dict.fromkeys(['clean', *chosen['eps']], 0)  # summed on the device
    count = 0
    examples: list[Tensor] = []
    loader = evaluation.loader
    for batch in shown_on_stderr(loader, name):
        inputs, samples = evaluation.classifier.prepare(batch)
        labels = labels_in(samples).to(inputs.device)
        pixels = space.to_pixels(inputs)
        space.check(pixels)
        found = {'clean': pixels}
        start = _starts(evaluation.seed, count, pixels) if name == 'pgd' else pixels
        for eps in chosen['eps']:
            given = space.logits, pixels, labels, eps, 0.0, _HIGH
            found[eps] = fgsm(*given) if name == 'fgsm' else pgd(*given, start, chosen['steps'])
        predicted = {eps: _classes(space, images) for eps, images in found.items()}
        for eps, classes in predicted.items():
            wrong[eps] += (classes != labels).sum()
        if not examples and evaluation.pictures is not None:
            examples = [images[:_SHOWN] for images in found.values()]
            shown = [classes[:_SHOWN].tolist() for classes in predicted.values()]
            _draw(evaluation, space, name, examples, shown, chosen['eps'])
        count += len(labels)
    errors = {eps: 100 * int(number) / count for eps, number in wrong.items()}
    figures = {f'error_{eps:g}': errors[eps] for eps in chosen['eps']}
    return Found(figures | dict(clean_error=errors['clean']))


@torch.no_grad()
def _classes(space: PixelSpace, pixels: Tensor) -> Tensor:
    return space.logits(pixels).argmax(dim=1)


def _starts(seed: int, first: int, pixels: Tensor) -> Tensor:
    """Return a start for each image, which does not depend on the batch that it is in."""
    generator = torch.Generator()
    drawn = [
        torch.rand(pixels.shape[1:], generator=generator.manual_seed(seed_from((seed, number))))
        for number in range(first, first + len(pixels))
    ]
    return (2 * torch.stack(drawn) - 1).to(pixels.device)


def _draw(
    evaluation: Evaluation,
    space: PixelSpace,
    name: str,
    examples: list[Tensor],
    shown: list[list[int]],
    eps: list[float],
) -> None:
    columns = ['clean', *(f'eps {each:g}' for each in eps), f'change x {_HIGH / 2 / max(eps):.3g}']
    change = (examples[-1] - examples[0]) * (_HIGH / 2 / max(eps)) + _HIGH / 2
    pictures = [evaluation.to_pictures(space.to_inputs(images)) for images in (*examples, change)]
    rows = [
        ' > '.join(dict.fromkeys(evaluation.names(classes[number] for classes in shown)))
        for number in range(len(examples[0]))
    ]
    table = [[np.asarray(column[number]) for column in pictures] for number in range(len(rows))]
    evaluation.save(draw_pictures(table, rows, columns), f'{name}.png')


FGSM = Suite(
    fgsm_settings,
    check,
    run_fgsm,
    {f'error_{eps}': f'FGSM {eps}/255: error' for eps in (1, 2, 4, 8)},
)
PGD = Suite(
    pgd_settings,
    check,
    run_pgd,
    {f'error_{eps}': f'PGD {eps}/255: error' for eps in (1, 2, 4, 8)},
)
