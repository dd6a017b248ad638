"""Schedules for training on more images at the same number of iterations."""

from __future__ import annotations

from typing import TypeVar

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
        ValueError: If a number isn't positive.
    """
    for name, value in (('num_clean', num_clean), ('num_images', num_images)):
        if not value > 0:
            raise ValueError(f'{name} must be > 0 images, got {value!r}')
    if isinstance(epochs, (list, tuple)):
        return [scale_epochs(epoch, num_clean, num_images) for epoch in epochs]
    if not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f'epochs must be integers >= 1, got {epochs!r}')
    return max(1, round(epochs * num_clean / num_images))
