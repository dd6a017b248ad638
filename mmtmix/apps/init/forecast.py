"""How long the networks of a folder of images compute on a CPU."""

from __future__ import annotations

import time
from typing import Any

import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

from mmtmix.program import program

_IMAGES = 4
# A pass is forward and backward, of which the forward is a third. TransformMix runs the teacher
# once per image of every other batch; a search runs it twice forward and once backward.
_CLASSIFIER, _WITH_TEACHER, _SEARCH = 1, 7 / 6, 4 / 3
_LONG = 30 * 60  # seconds


def advise(model: dict[str, Any], num_images: int, epochs: int, search_epochs: int) -> str:
    """Return a line on the time that teacher, search and TransformMix compute on this machine.

    It is the time of the networks' passes. Loading, validation and start-up are not measured.

    Args:
        model: Config of the classifier, with ``image_size``, the edge of the images in pixels.
        num_images: Number of training images, >= 1.
        epochs: Epochs of each classifier, >= 1.
        search_epochs: Epochs of the search, 0 where a given module is used.

    Returns:
        The line; an empty text on a machine with a GPU, whose speed is not measured.
    """
    if torch.cuda.is_available():
        return ''
    passes = epochs * (_CLASSIFIER + _WITH_TEACHER) + search_epochs * _SEARCH
    seconds = seconds_per_image(model) * num_images * passes
    line = (
        f'no GPU was found; the networks compute for about {duration(seconds)} on one core of '
        'this CPU, and loading, validation and start-up come on top'
    )
    if seconds <= _LONG:
        return line
    return f'{line}. `{program("init")} ... --quick` writes configs for a first try in minutes'


def seconds_per_image(model: dict[str, Any]) -> float:
    """Return the time of a forward and a backward pass per image, of one CPU core.

    Args:
        model: Config of the classifier, with ``image_size``, the edge of the images in pixels.
    """
    size = model['image_size']
    backbone = {key: value for key, value in model['backbone'].items() if key != 'init_cfg'}
    threads, times = torch.get_num_threads(), []
    torch.set_num_threads(1)  # several would wait for each other on a machine with other work
    try:
        with DefaultScope.overwrite_default_scope('mmpretrain'), torch.random.fork_rng([]):
            module = MODELS.build(backbone)
            images = torch.zeros(_IMAGES, 3, size, size)
            for _ in range(2):  # the first pass also makes the buffers
                start = time.process_time()
                outputs = module(images)
                while isinstance(outputs, (tuple, list)):
                    outputs = outputs[-1]
                outputs.sum().backward()
                times.append(time.process_time() - start)
    finally:
        torch.set_num_threads(threads)
    return min(times) / _IMAGES


def duration(seconds: float) -> str:
    """Return a time in the largest unit that fits, rounded.

    Args:
        seconds: Time in seconds, >= 0.
    """
    if seconds < 90:
        return 'a minute'
    minutes = round(seconds / 60)
    return f'{minutes} minutes' if minutes < 120 else f'{round(minutes / 60)} hours'
