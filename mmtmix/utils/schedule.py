"""Schedules for training on more images at the same number of iterations."""

from __future__ import annotations

from typing import TypeVar

from mmtmix.checks import check_integer

Epochs = TypeVar('Epochs', int, list[int])


def scale_epochs(epochs: Epochs, num_clean: int, num_images: int) -> Epochs:
    """Divide epochs by kappa, so that training takes as many iterations (SuperMix, section 4).

    For ``max_epochs``, milestones and validation intervals, but not for a warm-up: the public
    code's 5 epochs are epochs of the mixed set, whatever its size. kappa is
    ``num_images / num_clean``. Where an epoch goes through the mixed images alone, as the paper's
    distillation does, that is the paper's |D'| / |D|: 600 epochs on CIFAR-100's 50,000 images
    become 60 on 500,000 mixed ones. Where it goes through both, ``num_images`` counts both.

    Args:
        epochs: Of the schedule on clean images alone: a number, or a list of them.
        num_clean: Images of the clean data set |D|, > 0.
        num_images: Images that an epoch goes through, > 0.

    Returns:
        As given, each rounded to a whole epoch, at least 1.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a number isn't positive.
    """
    check_integer('num_clean', num_clean, 1)
    check_integer('num_images', num_images, 1)
    if isinstance(epochs, (list, tuple)):
        return [scale_epochs(epoch, num_clean, num_images) for epoch in epochs]
    check_integer('epochs', epochs, 1)
    return max(1, round(epochs * num_clean / num_images))
