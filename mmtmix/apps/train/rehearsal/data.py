"""Build data loaders, transforms and data sets without reading data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, TRANSFORMS

from mmtmix.datasets import ResidentDataset

from .lookup import HOSTS, check_signature, find_class
from .problems import Problems
from .stand_ins import RehearsalRunner, UnreadDataset, is_instance_of

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def rehearse_loader(field: str, loader: Any, problems: Problems) -> Any:
    """Build a data loader around a stand-in for its data set, and the data set by itself.

    Args:
        field: Place in the config.
        loader: Config of the loader.
        problems: Collector of the errors.

    Returns:
        The data set, not read; None if it is a wrapper, or can't be built without reading.
    """
    if not isinstance(loader, Mapping):
        return None
    settings = dict(deepcopy(loader))
    dataset = settings.get('dataset')
    found = None
    if isinstance(dataset, Mapping):
        found = rehearse_dataset(f'{field}.dataset', dataset, problems)
        settings['dataset'] = UnreadDataset()
    elif dataset is None:
        problems.add(field, ValueError(f'{field} needs dataset=dict(type=...)'))
    with problems.of(field):
        RehearsalRunner.build_dataloader(settings, seed=0)
    return found


def rehearse_dataset(field: str, settings: Mapping[str, Any], problems: Problems) -> Any:
    """Build a data set and those that it wraps, without reading them.

    Args:
        field: Place in the config.
        settings: Config of the data set.
        problems: Collector of the errors.

    Returns:
        The data set; None if it is a wrapper, or can't be built without reading.
    """
    inner: list[tuple[str, Any]] = [('dataset', settings.get('dataset'))]
    listed = settings.get('datasets')
    if isinstance(listed, Sequence) and not isinstance(listed, str):
        inner += [(f'datasets[{number}]', each) for number, each in enumerate(listed)]
    inner = [(name, each) for name, each in inner if isinstance(each, Mapping)]
    parts = [rehearse_dataset(f'{field}.{name}', each, problems) for name, each in inner]
    built = None
    with problems.of(field):
        cls = find_class(DATASETS, settings)
        if not rehearse_pipeline(f'{field}.pipeline', settings.get('pipeline'), problems):
            return None
        check_signature(cls, settings)
        if cls is ResidentDataset and parts and parts[0] is not None:
            given = {key: value for key, value in settings.items() if key != 'type'}
            ResidentDataset(**{**given, 'dataset': parts[0]})  # checks the transforms
        # constructors of these data sets read nothing with lazy_init
        is_lazy = is_instance_of(cls, BaseDataset) and cls.__module__.startswith(HOSTS)
        if is_lazy and not inner:
            try:
                built = DATASETS.build(dict(deepcopy(settings), lazy_init=True))
            except OSError:  # check_data reports missing files
                return None
    return built


def rehearse_pipeline(field: str, pipeline: Any, problems: Problems) -> bool:
    """Build each transform of a pipeline, and return whether all could be built.

    Args:
        field: Place in the config.
        pipeline: List of configs and callables.
        problems: Collector of the errors.
    """
    before = len(problems.found)
    if isinstance(pipeline, Sequence) and not isinstance(pipeline, str):
        for number, transform in enumerate(pipeline):
            if isinstance(transform, Mapping):
                with problems.of(f'{field}[{number}]'):
                    find_class(TRANSFORMS, transform)
                    TRANSFORMS.build(deepcopy(dict(transform)))
    return len(problems.found) == before
