"""Find the augments of a run that would never mix, before it begins."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, cast, runtime_checkable

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop
from mmpretrain.engine import SwitchRecipeHook
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn
from torch.utils.data import DataLoader

from mmtmix.engine.labels import count_model_classes
from mmtmix.models.augments import BatchAugment
from mmtmix.models.augments.reach import can_mix, prepare_switch, watch
from mmtmix.utils import unwrap


@runtime_checkable
class Mixes(Protocol):
    """An augment, or a classifier that mixes inside the network.

    Attributes:
        num_mix: Number of images per mix.
    """

    num_mix: int


def check_mixing(runner: Any) -> None:
    """Refuse a training whose augments would not be applied.

    MMPretrain reports no augments that it drops or never calls.

    Args:
        runner: A Runner whose training loop is built.

    Raises:
        ValueError: If the data preprocessor lacks an augment of the config, or a mix has more
            images than a batch. Or if the task has too few classes, or a schedule can't switch its
            augment on.
    """
    model = unwrap(runner.model)
    preprocessor = getattr(model, 'data_preprocessor', None)
    first = getattr(preprocessor, 'batch_augments', None)
    _check_arrived(runner.cfg, list(_own_augments(first)))
    later = list(_scheduled(runner.hooks))
    _check_schedules(runner, model, later)
    choices = [first, *(recipe.get('batch_augments') for _, recipe in later)]
    loader = runner.train_loop.dataloader
    num_classes = count_model_classes(model)
    if isinstance(model, Mixes):  # inside the network
        check_batch_size(loader, model)
    for augment in {augment for choice in choices for augment in _own_augments(choice)}:
        check_batch_size(loader, augment)
        if num_classes is not None:
            augment.check_classes(num_classes)
        if not any(_probability(choice, augment) for choice in choices):
            print_log(
                f'{type(augment).__name__} has the probability 0 in all of the training: it never '
                'mixes; set probs in model.train_cfg, or in batch_augments of SwitchRecipeHook',
                logger='current',
                level=logging.WARNING,
            )
    if preprocessor is not None and list(_own_augments(first)) and can_mix(preprocessor):
        watch(preprocessor)


def check_batch_size(loader: DataLoader, augment: Mixes) -> None:
    """Refuse batches of which none is large enough to mix.

    Args:
        loader: Loader of the training.
        augment: An augment, or a classifier that mixes.

    Raises:
        ValueError: If a full batch has fewer images than a mix.
    """
    sizes = batch_sizes(loader)
    if sizes is not None and sizes[0] < augment.num_mix:
        raise ValueError(
            f'{type(augment).__name__} has num_mix={augment.num_mix} images per mix, and '
            f'train_dataloader.batch_size={sizes[0]}, so nothing would be mixed; set a larger '
            'batch_size or a smaller num_mix'
        )


def batch_sizes(loader: DataLoader) -> tuple[int, int] | None:
    """Return the sizes of a full batch and of the last one; None if they are unknown.

    Args:
        loader: A data loader.
    """
    batches, sampler = cast(Any, loader.batch_sampler), cast(Any, loader.sampler)
    size = getattr(batches, 'batch_size', None)
    if size is None:
        return None
    rest = 0 if batches.drop_last else len(sampler) % size
    return size, rest or size


def _own_augments(choice: Any) -> Iterator[BatchAugment]:
    """Yield our augments in a ``RandomBatchAugment``, which may be None."""
    return (one for one in getattr(choice, 'augments', ()) if isinstance(one, BatchAugment))


def _probability(choice: Any, augment: BatchAugment) -> float:
    augments, probs = getattr(choice, 'augments', ()), getattr(choice, 'probs', None)
    shares = [1.0] * len(augments) if probs is None else probs
    return sum(share for one, share in zip(augments, shares, strict=True) if one is augment)


def _check_arrived(cfg: Config, built: list[BatchAugment]) -> None:
    """Compare the augments that a config names with those of the model."""
    model = cfg.get('model')
    if not isinstance(model, Mapping):
        return  # an object has no settings in the config
    own, shared = model.get('data_preprocessor'), cfg.get('data_preprocessor')
    places = {
        'model.train_cfg.augments': model.get('train_cfg'),
        'model.data_preprocessor.batch_augments': _augments_of(own),
        'data_preprocessor.batch_augments': _augments_of(shared),
    }
    named = {place: list(_kinds(settings)) for place, settings in places.items()}
    named = {place: kinds for place, kinds in named.items() if kinds}
    kinds = [one for found in named.values() for one in found]
    ours = [one for one in kinds if isinstance(one, type) and issubclass(one, BatchAugment)]
    missing = {one.__name__ for one in ours} - {type(one).__name__ for one in built}
    if ours and len(named) > 1:
        raise ValueError(
            f'batch augments are set in {" and in ".join(named)}, and MMPretrain applies those of '
            'one place alone, in silence; keep one of them, such as model.train_cfg.augments'
        )
    if missing:
        raise ValueError(
            f'{", ".join(sorted(missing))} in {next(iter(named))} did not arrive in the data '
            'preprocessor, so nothing would be mixed; take batch_augments out of '
            'model.data_preprocessor, and set model.train_cfg=dict(augments=...)'
        )


def _augments_of(preprocessor: Any) -> Any:
    return preprocessor.get('batch_augments') if isinstance(preprocessor, Mapping) else None


def _kinds(settings: Any) -> Iterator[type | None]:
    """Yield the classes of the augments of ``dict(augments=...)``."""
    augments = settings.get('augments') if isinstance(settings, Mapping) else None
    augments = [augments] if isinstance(augments, Mapping) else augments or ()
    for one in augments:
        kind = one.get('type') if isinstance(one, Mapping) else type(one)
        yield BATCH_AUGMENTS.get(kind) if isinstance(kind, str) else kind


def _scheduled(hooks: Iterable[Any]) -> Iterator[tuple[int, Mapping]]:
    """Yield the epochs and recipes of all ``SwitchRecipeHook``s."""
    for hook in hooks:
        if isinstance(hook, SwitchRecipeHook):
            yield from hook.schedule.items()


def _check_schedules(runner: Any, model: nn.Module, later: list[tuple[int, Mapping]]) -> None:
    """Refuse recipes that would not be applied, and prepare the model for the others."""
    for epoch, recipe in later:
        if 'train_augments' in recipe:
            raise ValueError(
                f'SwitchRecipeHook, action_epoch={epoch}: MMPretrain reads batch_augments, and '
                'passes over train_augments in silence; rename it'
            )
        if not list(_own_augments(recipe.get('batch_augments'))):
            continue
        prepare_switch(model)
        if isinstance(runner.train_loop, IterBasedTrainLoop) and epoch > 1:
            raise ValueError(
                f'SwitchRecipeHook, action_epoch={epoch}: a training by iterations has one epoch, '
                'so its augment never comes; set train_cfg=dict(by_epoch=True, max_epochs=...)'
            )
        if not 1 <= epoch <= runner.max_epochs:
            print_log(
                f'SwitchRecipeHook, action_epoch={epoch}: the training has {runner.max_epochs} '
                'epochs, counted from 1, so its augment never comes',
                logger='current',
                level=logging.WARNING,
            )
