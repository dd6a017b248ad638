"""Make a network from a config or another network, and load its weights."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.program import program
from mmtmix.utils import (
    check_finite_weights,
    load_checkpoint,
    load_config,
    read_weights,
    unwrap,
)

from .class_names import recorded_classes
from .input_stats import InputStats


def build_classifier(
    config: str | os.PathLike | dict | None, variants: Mapping[str, Any] | None = None
) -> tuple[nn.Module, InputStats]:
    """Build an MMPretrain classifier without its training-time parts.

    Args:
        config: Path of a config, a whole config as a dict (``model=...``), or a model dict with
            its own ``data_preprocessor``.
        variants: Values, by name, of the variants of a config that is a file.

    Returns:
        The network, with random weights and in eval mode, and the statistics of its inputs.

    Raises:
        FileNotFoundError: If the config file does not exist.
        ValueError: If the config has no model or no normalisation of the inputs.
    """
    if isinstance(config, (str, os.PathLike)):
        cfg = load_config(config, variants=variants)
    else:
        # a bare model dict has a type of its own
        settings = dict(config or {})
        cfg = Config(dict(model=settings) if 'type' in settings else settings)
    if 'model' not in cfg:
        raise ValueError(f'the teacher config {config!r} has no `model`')
    stats = InputStats.from_config(cfg)
    if stats is None:
        raise ValueError(
            'the teacher config has no data_preprocessor, so it is unknown how its inputs were '
            'normalised; add data_preprocessor=dict(mean=[...], std=[...], to_rgb=...) to it'
        )
    model_cfg = cfg.model.copy()
    # a teacher mixes nothing and downloads nothing, whatever its training did
    for training_only in ('train_cfg', 'pretrained', 'data_preprocessor'):
        model_cfg.pop(training_only, None)
    scope = DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmpretrain'))
    # Building draws random weights that are then overwritten. The generator is forked so that a
    # classifier built next to it keeps its own initialisation.
    with scope, torch.random.fork_rng(devices=[]):
        model = MODELS.build(model_cfg)
    return model.eval(), stats


def copy_module(model: nn.Module) -> nn.Module:
    """Copy a network, so that freezing the copy leaves a network in training as it is.

    Args:
        model: A trained network, which may be wrapped.

    Returns:
        A copy, with weights that serve gradients later even if those of the model don't.

    Raises:
        ValueError: If it cannot be copied, or a weight is not finite; all such keys are named.
    """
    try:
        with torch.no_grad():
            copied = copy.deepcopy(unwrap(model))
    except Exception as error:  # whatever a module that holds files or locks raises
        raise ValueError(
            f'the model {type(model).__name__} cannot be copied, which freezing it would take '
            f'({type(error).__name__}: {error}); give one that copy.deepcopy takes'
        ) from error
    # a mask among the buffers may be infinite on purpose
    trained: dict[str, Tensor] = dict(copied.named_parameters())
    trained |= {name: value for name, value in copied.named_buffers() if value.isnan().any()}
    check_finite_weights(trained, f'the model {type(model).__name__}')
    return copied


def load_weights(
    model: nn.Module, checkpoint: str | os.PathLike, config_name: str = ''
) -> tuple[str, ...]:
    """Load a checkpoint that fits the model exactly.

    Args:
        model: The network to fill.
        checkpoint: An MMEngine checkpoint or a bare state dict, as a file or http(s) address.
        config_name: Path and variants of the config that makes it, as on a command line, for an
            error; empty if there is none.

    Returns:
        Names of the classes in the checkpoint, by label; empty where it has none.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a key is missing, left over or of another shape, all kinds are listed; or a
            weight is not finite.
    """
    try:
        content = load_checkpoint(checkpoint)
    except FileNotFoundError as error:
        command = f': {program("train")} {config_name}' if config_name else ''
        raise FileNotFoundError(f"the teacher's {error}; train it first{command}") from None
    model.load_state_dict(read_weights(model, checkpoint, content))
    return recorded_classes(content)
