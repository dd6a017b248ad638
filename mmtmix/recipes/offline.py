"""Training on clean images and a generated set of mixed ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mmtmix.checks import check_choice, check_instance, check_integer
from mmtmix.utils.schedule import scale_epochs

from .augments import product_of

# the setting of each schedule that counts epochs
_COUNTS = {
    'MultiStepLR': 'milestones',
    'CosineAnnealingLR': 'T_max',
    'OneCycleLR': 'total_steps',
}


def mixed_images(mixed: Mapping[str, Any], pipeline: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the config of the data set of mixed images that a required run generates.

    Args:
        mixed: Entry of ``requires`` that generates the set, from :func:`stage`.
        pipeline: Transforms of the clean images. Those that load a file are left out, since the
            set loads its images itself.

    Returns:
        ``dict(type='MixedImages', ...)``.

    Raises:
        TypeError: If `mixed` is no entry of ``requires``, or `pipeline` no list.
        ValueError: If the run produces another file than ``dataset.json``.
    """
    root = os.path.dirname(product_of('mixed', mixed, '.json'))
    check_instance('pipeline', pipeline, list, 'a list of transforms')
    steps = [step for step in pipeline if 'LoadImageFromFile' not in step['type']]
    return dict(type='MixedImages', data_root=root, pipeline=steps)


def clean_and_mixed(clean: Mapping[str, Any], mixed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a data set of clean and mixed images with the same transforms.

    Args:
        clean: Config of the clean images, such as ``_base_.train_dataloader.dataset``.
        mixed: Entry of ``requires`` that generates the mixed images, from :func:`stage`.

    Returns:
        ``dict(type='ConcatDataset', ...)``, which takes the place of an inherited data set.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the run produces another file than ``dataset.json``.
    """
    check_instance('clean', clean, Mapping, 'the config of a data set')
    images = mixed_images(mixed, list(clean['pipeline']))
    return dict(_delete_=True, type='ConcatDataset', datasets=[clean, images])


def scale_schedule(
    base: Mapping[str, Any], num_clean: int, num_mixed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schedule of clean images with as many iterations on clean and mixed ones.

    >>> param_scheduler, train_cfg = scale_schedule(_base_, num_clean=50_000, num_mixed=500_000)

    Args:
        base: Config of training on clean images, with ``param_scheduler`` and ``train_cfg``.
        num_clean: Number of clean images, >= 1.
        num_mixed: Number of mixed images beside them, >= 0.

    Returns:
        Overrides of ``param_scheduler`` and of ``train_cfg``, in whole epochs of at least 1.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a number is out of range, or the schedule is of another kind.

    Source: SuperMix (CVPR 2021), section 4.
    """
    check_integer('num_clean', num_clean, 1)
    check_integer('num_mixed', num_mixed, 0)
    schedule, loop = base['param_scheduler'], base['train_cfg']
    check_instance('param_scheduler', schedule, Mapping, 'a single schedule')
    check_choice('type of param_scheduler', schedule['type'], list(_COUNTS))
    count, images = _COUNTS[schedule['type']], num_clean + num_mixed
    scaled = {}
    for name in ('max_epochs', 'val_interval'):
        scaled[name] = scale_epochs(loop[name], num_clean, images)
    return {count: scale_epochs(schedule[count], num_clean, images)}, scaled
