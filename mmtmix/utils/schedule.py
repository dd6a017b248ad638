"""Schedules for training on more images at the same number of iterations."""

from __future__ import annotations

from typing import TypeVar

from mmtmix.checks import check_integer

Epochs = TypeVar('Epochs', int, list[int])


def scale_epochs(epochs: Epochs, num_clean: int, num_images: int) -> Epochs:
    """Divide epochs by kappa, so that training takes as many iterations (SuperMix, section 4).

    It is meant for ``max_epochs``, milestones and validation intervals. It is not for a warm-up,
    since the public code's 5 epochs are epochs of the mixed set, whatever its size. kappa is
    ``num_images / num_clean``. If an epoch has the mixed images alone, as in the paper's
    distillation, it is the paper's |D'| / |D|: 600 epochs on CIFAR-100's 50,000 images become 60
    on 500,000 mixed ones. If an epoch has both, ``num_images`` counts both.

    Args:
        epochs: Number of epochs on clean images alone, or a list of such numbers, >= 1.
        num_clean: Number of images of the clean data set |D|, > 0.
        num_images: Number of images per epoch, > 0.

    Returns:
        The number or the list, each rounded to a whole epoch, at least 1.

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
