"""Goals of this library's speed, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mmtmix.models.augments import BLIND

from .report import BLEND, FORWARD
from .topics.data_path import BARE_STEP, OFFLINE, ORDINARY, RESIDENT, RESIDENT_STEP
from .topics.learned import FROM_CAMS, TRANSFORMMIX
from .topics.memory import FAULTS
from .topics.processes import HELP, IMPORT
from .topics.search import BOTH_PASSES, SEARCH_STEP
from .topics.supermix import SUPERMIX

Field = Literal['seconds', 'megabytes', 'finished', 'value']


@dataclass(frozen=True)
class Goal:
    """Bound of one quantity: a row's figure, as a ratio of other rows' where there are some.

    Attributes:
        name: What is bounded.
        topic: Topic whose table has the rows.
        top: Name of the row.
        bound: Bound of the quantity.
        before: Figure before the work on speed, as text; empty if there is none.
        bottom: Names of the rows whose sum it is divided by; none for a plain figure.
        fastest: Whether it is divided by the smallest of those, not by their sum.
        field: Figure of the rows.
        unit: Unit behind the figure.
        scale: Factor of a plain figure, such as 1e6 for microseconds.
        per_image: Whether a plain figure is divided by the row's number of images.
        at_least: Whether the quantity is bounded from below.
        teacher: Name of the network that it holds for; empty for any.
        size: Number and side of the images that it holds for; None for any.
        trained: Whether it holds for a trained teacher alone.
        device: Part of the name of the device that it holds for; empty for any.
        margin: Factor of the bound at which the short form fails; 0 leaves the goal out.
    """

    name: str
    topic: str
    top: str
    bound: float
    before: str = ''
    bottom: tuple[str, ...] = ()
    fastest: bool = False
    field: Field = 'seconds'
    unit: str = ''
    scale: float = 1.0
    per_image: bool = False
    at_least: bool = False
    teacher: str = ''
    size: tuple[int, int] | None = None
    trained: bool = False
    device: str = ''
    margin: float = 0.0


SMALL, LARGE = (128, 32), (64, 224)
RIVALS = {
    'Mixup': ("timm's Mixup, batch", "timm's Mixup, elem", "torchvision's MixUp"),
    'CutMix': ("timm's CutMix, batch", "timm's CutMix, elem", "torchvision's CutMix"),
}


# The code before the work on speed, timed twice as the rows are: one thread, freed memory kept.
BLIND_BEFORE = ('2.7', '3.2 to 3.7', '6.0 to 6.6', '3.9 to 4.4', '3.5 to 4.2', '9.8 to 10.4')
# Blocks per side, bound and figures before. The bounds are the quieter run's by 1.7, 1.7 and 1.4,
# which leads from 6, 6 and 21 times the public code's speed to 10, 10 and 30 times.
PUZZLE = (
    (4, 0.0566, '0.096 to 0.122'),
    (8, 0.0798, '0.136 to 0.154'),
    (16, 0.537, '0.71 to 0.75'),
)


def _ratio(name: str, topic: str, top: str, bound: float, before: str = '', **more: Any) -> Goal:
    """Return a goal in forward passes of the teacher."""
    more = dict(bottom=(FORWARD,), unit='f') | more
    return Goal(name, topic, top, bound, before, **more)


GOALS: tuple[Goal, ...] = (
    Goal(FAULTS, 'faults', FAULTS, 20242, '277,042', field='value', teacher='wrn16_1', size=SMALL),
    _ratio(
        'TransformMix, WRN-16-1',
        'learned',
        TRANSFORMMIX,
        1.3,
        '2.30',
        teacher='wrn16_1',
        size=SMALL,
        margin=2.0,
    ),
    _ratio(
        'memory of TransformMix, WRN-16-1, x the forward pass',
        'learned',
        TRANSFORMMIX,
        1.25,
        '1.2 to 1.6',
        field='megabytes',
        unit='x',
        teacher='wrn16_1',
        size=SMALL,
    ),
    _ratio(
        'TransformMix, ResNet-18',
        'resnet18',
        TRANSFORMMIX,
        1.05,
        '1.07',
        teacher='resnet18_cifar',
        size=SMALL,
    ),
    _ratio(
        'TransformMix beyond the forward pass, ResNet-18',
        'resnet18',
        FROM_CAMS,
        0.05,
        '0.07',
        teacher='resnet18_cifar',
        size=SMALL,
    ),
    _ratio(
        'TransformMix beyond the forward pass, ResNet-50, 224 px',
        'imagenet',
        FROM_CAMS,
        0.03,
        '0.053',
        teacher='resnet50',
    ),
    _ratio('TransformMix in bfloat16', 'bfloat16', f'{TRANSFORMMIX} in bfloat16', 0.65),
    Goal(
        'correlation of saliency in bfloat16',
        'bfloat16',
        'correlation of saliency',
        0.99,
        field='value',
        at_least=True,
        trained=True,
    ),
    Goal(
        'search step / (2 forward + 1 backward)',
        'search',
        SEARCH_STEP,
        1.15,
        '2.01',
        (FORWARD, BOTH_PASSES),
        unit='x',
        teacher='wrn16_1',
        margin=2.0,
    ),
    _ratio('SuperMix, k = 2', 'supermix', SUPERMIX, 10.0, '28.7', trained=True, size=SMALL),
    Goal(
        'SuperMix, k = 2, finished',
        'supermix',
        SUPERMIX,
        86.0,
        '86.7',
        field='finished',
        unit='%',
        scale=100,
        at_least=True,
        trained=True,
        size=SMALL,
    ),
    _ratio('SuperMix, k = 3', 'supermix', f'{SUPERMIX} k=3', 18.0, '41.9', trained=True),
    Goal(
        'SuperMix, k = 3, finished',
        'supermix',
        f'{SUPERMIX} k=3',
        80.0,
        '81.2',
        field='finished',
        unit='%',
        scale=100,
        at_least=True,
        trained=True,
    ),
    *(
        Goal(
            f'{name}, 32 px',
            'blind',
            name,
            2.0,
            before,
            (BLEND,),
            unit='blends',
            size=SMALL,
            margin=8.0,
        )
        for name, before in zip(BLIND, BLIND_BEFORE, strict=True)
    ),
    *(
        Goal(
            f'{name}, 224 px, x the fastest of timm and torchvision',
            'blind224',
            name,
            1.0,
            before,
            rivals,
            True,
            unit='x',
            size=LARGE,
        )
        for (name, rivals), before in zip(RIVALS.items(), ('1.9', '3.6'), strict=True)
    ),
    *(
        _ratio(
            f"PuzzleMix's mixing, {blocks} blocks",
            'puzzle',
            f'PuzzleMix without saliency, {blocks} blocks',
            bound,
            before,
            teacher='wrn16_1',
            size=SMALL,
        )
        for blocks, bound, before in PUZZLE
    ),
    Goal(
        'offline set, one 32x32 image',
        'offline',
        OFFLINE,
        15.0,
        '94',
        unit='µs',
        scale=1e6,
        per_image=True,
    ),
    Goal(
        'resident loader, images/s x the ordinary one',
        'loader',
        ORDINARY,
        8.0,
        '1',
        (RESIDENT,),
        unit='x',
        at_least=True,
    ),
    Goal(
        'training step with the resident loader, x a bare loop',
        'loader',
        RESIDENT_STEP,
        1.03,
        '',
        (BARE_STEP,),
        unit='x',
    ),
    Goal(IMPORT, 'startup', IMPORT, 0.2, '0.39', unit='s'),
    Goal(HELP, 'startup', HELP, 0.5, '7.5 to 8.3', unit='s'),
    Goal(
        'TransformMix, Table 5',
        'learned',
        TRANSFORMMIX,
        10.0,
        '11.4 (H200)',
        unit='ms',
        scale=1e3,
        teacher='wrn28_10',
        size=SMALL,
        device='H100',
    ),
    Goal(
        'SuperMix, Table 5',
        'supermix',
        SUPERMIX,
        40.0,
        '',
        unit='ms',
        scale=1e3,
        teacher='wrn28_10',
        size=SMALL,
        trained=True,
        device='H100',
    ),
)
