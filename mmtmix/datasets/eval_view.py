"""Images of a config's data set in the pipeline of its validation, without random crops."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config, ConfigDict
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice

from .loading import find_type, name_image_files
from .preflight import check_data
from .resident import ResidentDataset


def eval_view_config(
    cfg: Config, split: str, pipeline: Sequence[dict] | None = None
) -> tuple[ConfigDict, Sequence[dict]]:
    """Return a data set's settings with the pipeline of the validation set.

    Args:
        cfg: Full config.
        split: Loader whose images are taken: ``'train'``, ``'val'`` or ``'test'``.
        pipeline: Pipeline to use in place of the validation set's; None for that.

    Returns:
        The settings and the pipeline.

    Raises:
        ValueError: If the config has no such data set, or no pipeline to read it with.
    """
    check_choice('split', split, ('train', 'val', 'test'))
    pipelines = [pipeline] if pipeline else []
    pipelines += [
        part.pipeline
        for loader in ('val_dataloader', 'test_dataloader')
        for part in iter_parts((cfg.get(loader) or {}).get('dataset'))
        if part.get('pipeline')
    ]
    field = f'{split}_dataloader'
    if not pipelines or not (cfg.get(field) or {}).get('dataset'):
        raise ValueError(
            f'the config needs a {field} for the images, and a val_dataloader or '
            'test_dataloader for the pipeline that they go through, each with a dataset'
        )
    dataset = copy.deepcopy(cfg[field].dataset)
    unwrap_resident(dataset)
    for part in iter_parts(dataset):
        if 'dataset' not in part and 'datasets' not in part:
            part.pipeline = pipelines[0]
    return dataset, pipelines[0]


def build_eval_view(
    cfg: Config, split: str, pipeline: Sequence[dict] | None = None
) -> tuple[Any, Sequence[dict]]:
    """Build the data set of :func:`eval_view_config`.

    Args:
        cfg: Full config.
        split: Loader whose images are taken.
        pipeline: Pipeline to use in place of the validation set's; None for that.

    Returns:
        The data set and the pipeline.

    Raises:
        FileNotFoundError: If its files are missing.
        ValueError: See :func:`eval_view_config`.
    """
    dataset, pipeline = eval_view_config(cfg, split, pipeline)
    check_data({f'{split}_dataloader': dict(dataset=dataset)})
    dataset = copy.deepcopy(dataset)  # the pipeline is a part of the config
    name_image_files(dataset)
    return DATASETS.build(dataset), pipeline


def unwrap_resident(dataset: ConfigDict) -> bool:
    """Put the inner data set in place of each ``ResidentDataset``, which would read all images.

    Args:
        dataset: Settings of a data set, changed in place.

    Returns:
        Whether there was any.
    """
    found = False
    for part in iter_parts(dataset):
        while _is_resident(part):
            inner = part['dataset']
            part.clear()
            part.update(inner)
            found = True
    return found


def _is_resident(dataset: ConfigDict) -> bool:
    return find_type(DATASETS, dataset.get('type')) is ResidentDataset


def iter_parts(dataset: Any) -> Iterator[ConfigDict]:
    """Yield a data set's settings and, where it wraps others, theirs.

    What it wraps is read after the caller has had its settings, which may change them.

    Args:
        dataset: Settings of a data set; other values yield nothing.
    """
    if isinstance(dataset, Mapping):
        yield dataset
        for inner in (dataset.get('dataset'), *(dataset.get('datasets') or ())):
            yield from iter_parts(inner)
