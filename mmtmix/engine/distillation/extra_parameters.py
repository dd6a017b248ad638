"""Parameters beside the model's that the same optimizer trains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mmengine.optim import OptimWrapperDict
from torch import nn


def add_parameters(runner: Any, parameters: Iterable[nn.Parameter]) -> None:
    """Add a group to the optimizer of a run, after its schedulers were built.

    AMP, accumulation and clipping apply to it as to the rest. Rate, decay and schedules are those
    of the group with the largest rate, and among these the largest decay: a group that no
    ``paramwise_cfg`` reduced.

    Args:
        runner: Runner in ``before_run``.
        parameters: Parameters on the model's device.

    Raises:
        TypeError: If the run has several optimizers.
    """
    if isinstance(runner.optim_wrapper, OptimWrapperDict):
        raise TypeError(
            'a distillation loss with parameters needs one optimizer, and this run has '
            f'{type(runner.optim_wrapper).__name__}; use losses without parameters, such as KDLoss'
        )
    optimizer = runner.optim_wrapper.optimizer
    groups = optimizer.param_groups
    model = max(
        range(len(groups)),
        key=lambda number: tuple(
            groups[number].get(name, 0) for name in ('initial_lr', 'lr', 'weight_decay')
        ),
    )
    count = len(groups)
    settings = {name: value for name, value in groups[model].items() if name != 'params'}
    optimizer.add_param_group(dict(settings, params=list(parameters)))
    for scheduler in runner.param_schedulers or ():
        for values in vars(scheduler).values():
            # base values, lower bounds and the like, one per group
            if isinstance(values, list) and len(values) == count:
                values.append(values[model])


def split_state(optimizer: dict[str, Any]) -> dict[str, Any]:
    """Take the added group out of an optimizer's state; the rest is that of a plain run.

    Args:
        optimizer: State dict, changed in place.

    Returns:
        The group and the state of its parameters.
    """
    group = optimizer['param_groups'].pop()
    state = optimizer['state']
    own = {number: state.pop(number) for number in group['params'] if number in state}
    return dict(param_group=group, state=own)


def join_state(optimizer: dict[str, Any], extra: dict[str, Any]) -> None:
    """Undo :func:`split_state`, in place.

    Args:
        optimizer: State dict, changed in place.
        extra: Value that :func:`split_state` returned.
    """
    optimizer['param_groups'].append(extra['param_group'])
    optimizer['state'].update(extra['state'])
