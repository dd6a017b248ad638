"""Two jobs of a forecast, step by step, for its page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .costs import LARGE as LARGEST_SMALL
from .costs import Costs, job_seconds
from .graph import Job, JobGraph
from .work import phases_of

HOUR = 3600.0


class Example(NamedTuple):
    """A training of a network alone.

    Attributes:
        name: Name of network and data set.
        config: Path of its config.
        variants: Variants of the config, by name.
    """

    name: str
    config: str
    variants: Mapping[str, str] = MappingProxyType({})


LARGE = Example('ResNet-200 on ImageNet', 'configs/simple/resnet200_imagenet.py')
"""One whose time is that of its operations."""

SMALL = Example('WRN-16-2 on CIFAR-100', 'configs/distill/student.py', {'PAIR': 'wrn40_2_wrn16_2'})
"""One whose time is that of starting layers, or of loading images."""


def worked_example(graph: JobGraph, costs: Costs) -> dict[str, Any]:
    """Return the steps from two configs to their times, as plain JSON; empty without these jobs.

    Args:
        graph: Jobs of a grid.
        costs: Costs of the device.

    Raises:
        ValueError: If a cost is missing.
    """
    large, small = _job_of(graph, LARGE), _job_of(graph, SMALL)
    if large is None or small is None:
        return {}
    return dict(
        large=_steps(large, LARGE.name, costs),
        small=_steps(small, SMALL.name, costs),
        layer_seconds=costs['layer_seconds'],
        passes={number: costs[f'supermix_paper_k{number}'] for number in ('2', '3')},
    )


def _job_of(graph: JobGraph, example: Example) -> Job | None:
    wanted = example.config, dict(example.variants)
    found = (job for job in graph.values() if not job.stage.options or job.run is not None)
    return next(
        (job for job in found if (job.stage.config, dict(job.stage.variants)) == wanted), None
    )


def _steps(job: Job, name: str, costs: Costs) -> dict[str, Any]:
    """Return the figures from which the time of a training follows."""
    training = phases_of(job)[0]
    (call,) = training.calls
    (loader,) = training.loaders
    (kind,) = loader.images
    epochs = job.stage.cfg.train_cfg.max_epochs
    operations = call.network.flops * call.passes * training.batch
    rate = costs['rate_large' if training.size > LARGEST_SMALL else 'rate_small']
    parts = job_seconds([job], costs)[job.key]
    return dict(
        name=name,
        epochs=epochs,
        batches=training.steps / epochs,
        batch=training.batch,
        size=training.size,
        steps=training.steps,
        multiplications=call.network.flops / 2,
        layers=call.network.layers,
        operations=operations,
        rate=rate,
        computing=operations / rate,
        starting=call.launches * call.network.layers * costs['layer_seconds'],
        loading=kind,
        loader=costs.loaders[kind],
        processes=loader.processes,
        network=parts['network'] / HOUR,
        validation=parts['validation'] / HOUR,
    )


def example_text(example: Mapping[str, Any]) -> str:
    """Return the example as items of a list.

    Args:
        example: Result of :func:`worked_example`.

    Raises:
        ValueError: If it is empty.
    """
    if not example:
        raise ValueError(
            f'the block example needs a plan with {LARGE.config} and {SMALL.config}, such as of '
            'all cells'
        )
    large, small, passes = example['large'], example['small'], example['passes']
    step, least = _milliseconds(small['computing']), _milliseconds(small['starting'])
    images = small['batch'] * small['loader'] / small['processes']
    lines = (
        f'- {large["name"]}: {large["epochs"]} epochs of {large["batches"]:,.0f} batches of '
        f'{large["batch"]} images are {large["steps"]:,.0f} steps.',
        f'- A forward pass takes {large["multiplications"] / 1e9:.1f} billion multiplications and '
        f'as many additions per image of {large["size"]} pixels. A training step takes three '
        f'times as many operations, so {_power(large["operations"])} per batch.',
        f'- At {_power(large["rate"])} operations per second a step takes '
        f'{large["computing"]:.2f} s, and all steps take {large["network"]:.0f} hours. '
        f'Validations add {large["validation"]:.1f} hours.',
        f'- {small["name"]}: computing a batch of {small["batch"]} images takes {step}. Starting '
        f'the {small["layers"]} layers takes {_milliseconds(example["layer_seconds"])} each, so '
        f'{least}. The larger time counts.',
        f'- A process crops and flips {1 / small["loader"]:,.0f} images per second there. '
        f'{small["processes"]} processes need {_milliseconds(images)} for the batch. The slower '
        'of both counts.',
        f'- SuperMix takes {passes["2"]:.0f} forward passes for two images with the settings of '
        f'the paper, and {passes["3"]:.0f} for three.',
    )
    return '\n'.join(lines)


def _milliseconds(seconds: float) -> str:
    return f'{1e3 * seconds:.2g} ms'


def _power(value: float) -> str:
    return f'{value:.3g}'.replace('e+', 'e')
