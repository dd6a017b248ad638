"""Mixers that see no image: this library's beside those of others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

from mmtmix.apps.benchmark.bench import Bench, Call
from mmtmix.apps.benchmark.report import BLEND
from mmtmix.models.augments import AUGMENTS, BLIND

from .calls import Calls

_MODES = {'Mixup': dict(mixup_alpha=1.0, cutmix_alpha=0.0)}
_MODES['CutMix'] = dict(mixup_alpha=0.0, cutmix_alpha=1.0)


def blind(bench: Bench) -> Calls:
    """Return a plain blend, the blind mixers, and those of other libraries on the same batch.

    Args:
        bench: Batch.
    """
    calls = Calls({BLEND: bench.blend()})
    for name in BLIND:
        calls.timed[name] = bench.mixer(**AUGMENTS[name])
    for library, add in RIVALS.items():
        names = [f"{library}'s {name}" for name in _RIVAL_ROWS[library]]
        if find_spec(library.lower()):
            calls.timed |= dict(zip(names, add(bench), strict=True))
        else:
            calls.missing |= dict.fromkeys(names, f'{library} is not installed')
    return calls


def _mmpretrain(bench: Bench) -> list[Call]:
    """Return MMPretrain's batch augments, called as its classifiers call them."""
    return [bench.mixer(type=name, alpha=1.0) for name in _RIVAL_ROWS['MMPretrain']]


def _timm(bench: Bench) -> list[Call]:
    """Return timm's ``Mixup``, called as its training script does.

    It writes into its batch, which is a copy that was made before, and takes an even number of
    images.
    """
    from timm.data import Mixup

    even = len(bench.own) // 2 * 2
    labels = bench.scores.argmax(dim=1)[:even]
    size = bench.scores.size(1)
    return [
        partial(
            Mixup(mode=mode, num_classes=size, label_smoothing=0.0, **_MODES[name]),
            bench.own[:even],
            labels,
        )
        for name in ('Mixup', 'CutMix')
        for mode in ('batch', 'elem')
    ]


def _torchvision(bench: Bench) -> list[Call]:
    """Return torchvision's transforms v2, called as its guide does after the data loader."""
    from torchvision.transforms import v2

    size, labels = bench.scores.size(1), bench.scores.argmax(dim=1)
    return [
        partial(getattr(v2, name)(num_classes=size), bench.inputs, labels)
        for name in _RIVAL_ROWS['torchvision']
    ]


def _kornia(bench: Bench) -> list[Call]:
    """Return kornia's augmentations, called as its documentation does; they keep raw labels."""
    from kornia import augmentation

    labels = bench.scores.argmax(dim=1)
    return [
        partial(getattr(augmentation, name)(data_keys=['input', 'class']), bench.inputs, labels)
        for name in _RIVAL_ROWS['kornia']
    ]


RIVALS: dict[str, Callable[[Bench], list[Call]]] = {
    'MMPretrain': _mmpretrain,
    'timm': _timm,
    'torchvision': _torchvision,
    'kornia': _kornia,
}
"""Functions that return the mixers of a library, by the library's name."""

_RIVAL_ROWS = {
    'MMPretrain': ('Mixup', 'CutMix', 'ResizeMix'),
    'timm': ('Mixup, batch', 'Mixup, elem', 'CutMix, batch', 'CutMix, elem'),
    'torchvision': ('MixUp', 'CutMix'),
    'kornia': ('RandomMixUpV2', 'RandomCutMixV2'),
}
