"""The parameters of a study: which fields of a config, and which values."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import mmengine
import torch
from mmengine.config import Config
from mmengine.registry import OPTIMIZERS as HOST_OPTIMIZERS
from mmpretrain.registry import MODELS, OPTIM_WRAPPERS, OPTIMIZERS, PARAM_SCHEDULERS

from mmtmix.checks import (
    check_flag,
    check_instance,
    check_keys,
    check_number,
    check_path,
    check_text,
)
from mmtmix.utils.config_options import parse_options

from .presets import PRESETS

_PLAIN = (str, int, float, bool, type(None))
# what a search learns by; all else is what the metric measures, or no setting at all
_ALLOWED = ('model.mixer', 'optim_wrapper', 'param_scheduler', 'train_dataloader', 'custom_hooks')
_REFUSED = ('model.mixer.num_mix', 'model.mixer.type', 'train_dataloader.dataset')
_LENGTH = 'train_cfg.max_epochs'
_REGISTRIES = (MODELS, OPTIM_WRAPPERS, OPTIMIZERS, PARAM_SCHEDULERS)


@dataclass(frozen=True)
class Parameter:
    """A field of a config and its values: a list of choices, or a range.

    Args:
        path: Path of the field, such as ``'optim_wrapper.optimizer.lr'``.
        choices: Values to choose from, at least 2: texts, numbers, flags or None.
        low: Lowest number of a range; if it and ``high`` are integers, so are all values.
        high: Highest number of a range, above ``low``.
        log: Whether the range is searched by its logarithm; ``low`` is then > 0.
        step: Distance of neighbouring values, > 0. Defaults to None: any value, or 1.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If there are fewer than 2 values, or an argument is out of its range.
    """

    path: str
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        """Check that the values are a list or a range."""
        check_text('path', self.path)
        name = f'the space of {self.path}'
        check_flag(f'log in {name}', self.log)
        if self.choices:
            if (self.low, self.high, self.step, self.log) != (None, None, None, False):
                raise ValueError(f'{name} has choices and a range; give one of them')
            for value in self.choices:
                check_instance(
                    f'a choice in {name}', value, _PLAIN, 'a text, number, flag or null'
                )
            if len({repr(value) for value in self.choices}) != len(self.choices) or not (
                len(self.choices) > 1
            ):
                raise ValueError(
                    f'{name} must have at least 2 different choices, got {list(self.choices)}; '
                    'set a fixed value by --cfg-options'
                )
            return
        cure = 'YAML reads 1e-4 as a text: write 1.0e-4'
        check_number(f'low in {name}', self.low, cure=cure, **(dict(above=0) if self.log else {}))
        check_number(
            f'high in {name}', self.high, above=self.low, cure=f'the range is empty; {cure}'
        )
        if self.step is not None:
            check_number(f'step in {name}', self.step, above=0)
            if self.log:
                raise ValueError(f'{name} has a step and log; give one of them')

    @property
    def distribution(self) -> Any:
        """The distribution of Optuna."""
        from optuna import distributions

        if self.choices:
            return distributions.CategoricalDistribution(self.choices)
        if isinstance(self.low, int) and isinstance(self.high, int):
            return distributions.IntDistribution(
                self.low, self.high, log=self.log, step=self.step or 1
            )
        assert self.low is not None and self.high is not None  # checked with the choices
        return distributions.FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    @property
    def extremes(self) -> tuple[Any, ...]:
        """The choices, or both ends of the range."""
        return self.choices or (self.low, self.high)

    def content(self) -> dict[str, Any]:
        """Return the plain form, which a space file has."""
        given = asdict(self)
        if self.choices:
            return dict(choices=list(self.choices))
        return {name: given[name] for name in ('low', 'high', 'log', 'step')}


def read_space(given: str | os.PathLike | Mapping[str, Any], cfg: Config) -> list[Parameter]:
    """Return the parameters of a preset, a file or a mapping, checked against a config.

    Args:
        given: Name of a preset, path of a YAML or JSON file, or its content. That maps paths of
            the config to a list of choices, or to ``dict(low=..., high=...)``, with ``log`` or
            ``step``.
        cfg: Config of a search.

    Returns:
        The parameters, in the order of the file.

    Raises:
        FileNotFoundError: If it is neither a preset nor a file.
        TypeError: If a value is of another type.
        ValueError: If a path or a value does not fit the config.
    """
    content: Any = given
    if not isinstance(given, Mapping):
        check_path('--space', given)
        name = os.fspath(given)
        if name in PRESETS:
            content = PRESETS[name](cfg)
        elif not os.path.isfile(name):
            raise FileNotFoundError(
                f'--space {name!r} is neither a file nor one of {", ".join(PRESETS)}; give a YAML '
                'file such as `optim_wrapper.optimizer.lr: {low: 1.0e-4, high: 1.0e-2, log: true}`'
            )
        else:
            content = _load(name)
    check_instance('--space', content, Mapping, 'paths of the config with their values')
    if not content:
        raise ValueError('--space has no parameter; give at least one')
    space = [_parameter(path, values) for path, values in content.items()]
    check_space(space, cfg)
    return space


def check_space(space: Sequence[Parameter], cfg: Config) -> None:
    """Refuse a parameter that a search's config does not have, or whose values do not fit.

    Args:
        space: Parameters.
        cfg: Config of a search.

    Raises:
        TypeError: If a value is of another type.
        ValueError: If a path names nothing, changes what the metric measures, or a value is out of
            its range.
    """
    for parameter in space:
        path = parameter.path
        _check_path(path, cfg)
        for value in parameter.extremes:
            if parse_options([f'{path}={value}']) != {path: value}:
                raise ValueError(
                    f'{value!r} of {path} cannot be given by --cfg-options, which reads '
                    f'{parse_options([f"{path}={value}"])[path]!r}; choose another value'
                )
            try:
                _try(path, value, cfg)
            except (TypeError, ValueError) as error:
                raise ValueError(f'--space: {path}={value!r} does not fit: {error}') from error


def _load(path: str) -> Any:
    try:
        return mmengine.load(path)
    except Exception as error:  # of a parser, or of MMEngine for another suffix
        raise ValueError(f'--space {path!r} cannot be read as YAML or JSON: {error}') from error


def _parameter(path: Any, values: Any) -> Parameter:
    check_text('a path in --space', path)
    if isinstance(values, Sequence) and not isinstance(values, str):
        values = dict(choices=values)
    name = f'the space of {path}'
    check_instance(name, values, Mapping, 'a list of choices, or {low: ..., high: ...}')
    check_keys(name, dict(values), ('choices', 'low', 'high', 'log', 'step'))
    given = dict(values)
    if 'choices' in given:
        check_instance(f'choices in {name}', given['choices'], (list, tuple), 'a list')
        given['choices'] = tuple(given['choices'])
        if not given['choices']:
            raise ValueError(f'{name} has no choices; give at least 2')
    return Parameter(path, **given)


def _check_path(path: str, cfg: Config) -> None:
    """Raise ValueError unless a field exists, or is an argument that its config leaves out."""
    inside = any(path.startswith(f'{part}.') for part in _ALLOWED) or path == _LENGTH
    if not inside or any(f'{path}.'.startswith(f'{part}.') for part in _REFUSED):
        raise ValueError(
            f'--space: {path} is no setting of the search itself. Trials with another teacher, '
            'other images, weights or numbers of images per mix measure something else, so their '
            f'metrics do not compare. Allowed are {_LENGTH} and what is in '
            f'{", ".join(_ALLOWED)}'
        )
    there: Any = cfg
    *parents, last = path.split('.')
    for key in parents:
        there = _child(there, key)
    if _child(there, last) is not None or last in (there if isinstance(there, Mapping) else ()):
        return
    known = sorted(there) if isinstance(there, Mapping) else []
    if isinstance(there, Mapping) and 'type' in there:
        known += _arguments(there['type'])
    if last not in known:
        raise ValueError(f'--space: the config has no {path}; there it has {sorted(set(known))}')


def _child(there: Any, key: str) -> Any:
    if isinstance(there, (list, tuple)) and key.isdigit() and int(key) < len(there):
        return there[int(key)]
    return there.get(key) if isinstance(there, (Mapping, Config)) else None


def _arguments(kind: Any) -> list[str]:
    """Return the names of the arguments of a registered class; none if it is unknown."""
    found = [registry.get(kind) for registry in _REGISTRIES] if isinstance(kind, str) else [kind]
    return [
        name for each in found if each is not None for name in inspect.signature(each).parameters
    ]


def _try(path: str, value: Any, cfg: Config) -> None:
    """Build the small part of a config that holds a value, so that its own checks are made."""
    if path == _LENGTH:
        check_number(path, value, 1)
        if not isinstance(value, int):
            raise ValueError(f'{path} must be an integer, got {value!r}')
    changed = copy.deepcopy(cfg)
    changed.merge_from_dict({path: value})
    if path.startswith('model.mixer.'):
        MODELS.build(dict(changed.model.mixer, _scope_='mmpretrain'))
    if path.startswith('optim_wrapper.optimizer.'):
        weight = torch.nn.Parameter(torch.zeros(1))
        HOST_OPTIMIZERS.build(dict(changed.optim_wrapper.optimizer, params=[weight]))
