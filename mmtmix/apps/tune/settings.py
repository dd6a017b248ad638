"""The settings of a study: which search, which metric, which seeds."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmtmix.checks import check_choice, check_flag, check_integer, check_text
from mmtmix.utils import atomic_path

from .space import Parameter

SETTINGS_FILE = 'study.json'
"""Settings of a study, which all processes that work on it share."""

DIRECTIONS = ('minimize', 'maximize')
_DOWN = ('ce', 'loss', 'error', 'nll', 'ece', 'shift')
_UP = ('accuracy', 'acc', 'top_k', 'top1', 'top5', 'precision', 'recall', 'f1-score', 'auroc')


@dataclass(frozen=True)
class TuneSettings:
    """What all trials of a study share.

    Args:
        config: Path of the search's config.
        space: Parameters of the study, at least one.
        metric: Metric of the validation, such as ``'mix/transformmix/ce'``.
        direction: Direction that is better, ``'minimize'`` or ``'maximize'``.
        num_seeds: Number of searches per trial, >= 1; their seeds are 1, 2, ...
        seed: Seed of the choice of parameters, >= 0.
        variants: Variants of the config, by name.
        options: Overrides of the config as on a command line, such as ``'model.alpha=0.5'``.
        prune: Whether a trial may end within or after its first search. It ends if that is worse
            than the median of the earlier trials at the same part of their length.
        digest: Digest of the config with its variants and options.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    config: str
    space: Sequence[Parameter]
    metric: str
    direction: str
    num_seeds: int = 3
    seed: int = 0
    variants: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    prune: bool = True
    digest: str = ''

    def __post_init__(self) -> None:
        """Check the settings."""
        check_text('--metric', self.metric)
        check_choice('--direction', self.direction, DIRECTIONS)
        check_integer('--seeds', self.num_seeds, 1)
        check_integer('--seed', self.seed, 0)
        check_flag('prune', self.prune)
        if not self.space:
            raise ValueError('--space has no parameter; give at least one')

    @property
    def seeds(self) -> range:
        """The seeds of a trial's searches."""
        return range(1, self.num_seeds + 1)

    def is_better(self, value: float, other: float) -> bool:
        """Return whether a value of the metric is better than another one.

        Args:
            value: Value of the metric.
            other: Value to compare it with.
        """
        return value < other if self.direction == 'minimize' else value > other

    def content(self) -> dict[str, Any]:
        """Return the plain form of all that the values of trials depend on."""
        return dict(
            digest=self.digest,
            metric=self.metric,
            direction=self.direction,
            seeds=self.num_seeds,
            seed=self.seed,
            prune=self.prune,
            space={parameter.path: parameter.content() for parameter in self.space},
        )


def direction_of(metric: str) -> str:
    """Return the direction that is better, by the last word of a metric's name.

    Args:
        metric: Name such as ``'mix/transformmix/ce'`` or ``'accuracy/top1'``.

    Raises:
        TypeError: If it is no text.
        ValueError: If the direction does not follow from the name.
    """
    check_text('--metric', metric)
    words = metric.lower().split('/')
    if words[-1] in _DOWN:
        return 'minimize'
    if words[-1] in _UP or 'accuracy' in words:
        return 'maximize'
    raise ValueError(
        f'whether --metric {metric!r} should be low or high does not follow from its name; give '
        '--direction minimize or --direction maximize'
    )


def check_search(cfg: Config, config: str) -> None:
    """Refuse a config that is no search, or has no validation.

    Args:
        cfg: Content of the config.
        config: Path of the config.

    Raises:
        ValueError: If it is none.
    """
    if (cfg.get('train_cfg') or {}).get('type') != 'MixerSearchLoop':
        raise ValueError(
            f'{config} is no search: its train_cfg.type is not MixerSearchLoop. Give one of '
            'configs/transformmix/search_*.py'
        )
    if cfg.get('val_cfg') is None or cfg.get('val_evaluator') is None:
        raise ValueError(
            f'{config} has no validation, whose metric a study needs; set val_cfg, val_dataloader '
            'and val_evaluator'
        )


def agree_on(settings: TuneSettings, out: str | os.PathLike) -> None:
    """Write the settings of a new study, or compare them with those of the folder.

    Args:
        settings: Settings of this process.
        out: Folder of the study.

    Raises:
        ValueError: If the folder holds a study of other settings, or something else.
    """
    path, own = Path(out, SETTINGS_FILE), settings.content()
    if not path.is_file():
        foreign = [each.name for each in Path(out).glob('[!.]*')]
        if foreign:
            raise ValueError(
                f'--out {os.fspath(out)} is not empty, it holds {foreign[0]!r}, and is no study; '
                'give another folder'
            )
        shown = dict(config=settings.config, variants=dict(settings.variants))
        with atomic_path(path) as temporary:
            content = shown | dict(options=list(settings.options)) | own
            temporary.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')
        return
    try:
        found = json.loads(path.read_bytes())
        different = [name for name, value in own.items() if found[name] != _plain(value)]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{path} is damaged ({error}); give another --out') from error
    if different:
        pairs = [f'{name} is {found[name]!r} there and {own[name]!r} here' for name in different]
        raise ValueError(
            f'--out {os.fspath(out)} holds a study of other settings: {"; ".join(pairs)}. Its '
            'trials would not compare with new ones; give another folder'
        )


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
