"""Compare the classes of labels in two places by their names."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.logging import print_log
from mmpretrain.datasets import CustomDataset

_MOST = 3  # labels that a message lists


@dataclass(frozen=True)
class ClassNames:
    """Names of classes in the order of their labels.

    Attributes:
        owner: Origin of the names, for a message.
        classes: Names of the classes by label, as in ``metainfo['classes']``; empty if unknown.
        folders: Names of the folders that labels number; empty if labels come from elsewhere.
    """

    owner: str
    classes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def as_names(classes: Any) -> tuple[str, ...]:
    """Return a list of class names as a tuple; an empty one for other values.

    Args:
        classes: Any value.
    """
    is_list = isinstance(classes, Sequence) and not isinstance(classes, str)
    return tuple(classes) if is_list and all(isinstance(one, str) for one in classes) else ()


def iter_names(dataset: Any, loader: str) -> Iterator[ClassNames]:
    """Yield the class names of the data sets that a data set is or wraps.

    Args:
        dataset: A data set, built and initialised.
        loader: Name of the config field, for a message.

    Yields:
        Names of each part that has any.
    """
    parts = getattr(dataset, 'datasets', None)
    if isinstance(parts, (list, tuple)):
        for part in parts:
            yield from iter_names(part, loader)
        return
    if hasattr(dataset, 'dataset'):
        yield from iter_names(dataset.dataset, loader)
        return
    info = getattr(dataset, 'metainfo', None)
    classes = as_names(info.get('classes')) if isinstance(info, Mapping) else ()
    folders: tuple[str, ...] = ()
    if isinstance(dataset, CustomDataset) and not dataset.ann_file:
        folders = tuple(getattr(dataset, 'folder_to_idx', None) or ())
    if classes or folders:
        place = getattr(dataset, 'data_root', '') or getattr(dataset, 'img_prefix', '')
        where = f' in {os.path.abspath(place)}' if place and '://' not in place else ''
        yield ClassNames(f'{loader} ({type(dataset).__name__}{where})', classes, folders)


def compare_names(reference: ClassNames, other: ClassNames, cure: str = '') -> None:
    """Compare two lists of class names, label by label.

    Different names that neither has at another label may be two names of one class. They are
    logged as a warning. Nothing is compared if one side has no names.

    Args:
        reference: Names that the labels should have, such as those of the training images.
        other: Names that are compared with them.
        cure: Advice for an error; by default for a data set.

    Raises:
        ValueError: If a class has another label in ``other`` than in ``reference``.
    """
    # labels number the folders, whatever the classes are called
    ours, theirs = reference.classes, other.classes
    if reference.folders and other.folders:
        ours, theirs = reference.folders, other.folders
    if ours == theirs or not ours or not theirs:
        return
    moved = _moved(ours, theirs) or _moved(_plain(ours), _plain(theirs))
    if moved:
        raise ValueError(_refusal(reference, other, ours, theirs, moved, cure))
    pairs = zip(ours, theirs, strict=False)
    differ = [label for label, (one, two) in enumerate(pairs) if one != two]
    if differ:
        listed = _list(f'label {i} is {ours[i]!r} and {theirs[i]!r}' for i in differ)
        _warn(
            f'{reference.owner} and {other.owner} name their classes differently: {listed}. '
            'Labels are compared as numbers: check that each means the same class in both'
        )
    elif len(theirs) > len(ours):
        listed = _list(repr(name) for name in theirs[len(ours) :])
        _warn(f'{other.owner} has classes that {reference.owner} lacks: {listed}')


def compare_datasets(reference: Any, other: Any, fields: tuple[str, str]) -> None:
    """Compare the class names of two data sets.

    Args:
        reference: Data set whose names the labels should have.
        other: Data set that is compared with it.
        fields: Names of the config fields of both.

    Raises:
        ValueError: If a class has another label in ``other`` than in ``reference``.
    """
    first = next(iter_names(reference, fields[0]), None)
    if first is not None:
        for names in iter_names(other, fields[1]):
            compare_names(first, names)


def _plain(names: Sequence[str]) -> tuple[str, ...]:
    """Return names without case, spaces and joining signs, so that spellings of one agree."""
    return tuple(re.sub(r'[\s_\-/.]+', '', name.casefold()) or name for name in names)


def _moved(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int]]:
    """Return (label in ours, label in theirs) of the names that both have, in two places.

    A name that one side has several times, as ImageNet's two cranes, proves nothing.
    """
    once = [{n for n, count in Counter(names).items() if count == 1} for names in (ours, theirs)]
    there = {name: label for label, name in enumerate(theirs) if name in once[1]}
    return [
        (label, there[name])
        for label, name in enumerate(ours)
        if name in once[0] and there.get(name, label) != label
    ]


def _refusal(
    reference: ClassNames,
    other: ClassNames,
    ours: Sequence[str],
    theirs: Sequence[str],
    moved: Sequence[tuple[int, int]],
    cure: str,
) -> str:
    listed = _list(
        f'{ours[one]!r} has the label {one} in the first and {two} in the second'
        for one, two in moved
    )
    names = set(_plain(theirs))
    lacks = [name for name, plain in zip(ours, _plain(ours), strict=True) if plain not in names]
    text = f'{reference.owner} and {other.owner} give their classes other labels: {listed}'
    if lacks:
        text += f'. The second lacks {_list(map(repr, lacks))}'
    if not cure and other.folders:
        cure = (
            'give both the same folders: labels count them in the order of their names, and an '
            'empty folder keeps the place of a class without images'
        )
    return f'{text}; {cure or "give both the same classes in the same order"}'


def _list(texts: Any) -> str:
    found = list(texts)
    more = f' and {len(found) - _MOST} more' if len(found) > _MOST else ''
    return ', '.join(found[:_MOST]) + more


def _warn(text: str) -> None:
    print_log(text, logger='current', level=logging.WARNING)
