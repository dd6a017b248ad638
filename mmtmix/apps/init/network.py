"""Config of a classifier around a backbone that is given by its name."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import mmpretrain
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.models import backbones
from mmpretrain.registry import MODELS

from mmtmix.utils import is_shipped, load_checkpoint, local_file

_MODELS = Path(mmpretrain.__file__).parent / '.mim' / 'configs' / '_base_' / 'models'
_TORCHVISION = ('resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152')


def build_model(name: str, num_classes: int, size: int, pretrained: str | None) -> dict[str, Any]:
    """Return the config of a classifier, whose backbone was built once to check it.

    Args:
        name: Name of a file in MMPretrain's ``configs/_base_/models``, or of a class of its
            backbones. ``wrnD_W`` is a wide ResNet of depth D and widen factor W.
        num_classes: Number of classes, >= 2.
        size: Edge of the images in pixels.
        pretrained: Checkpoint of the backbone; ``'default'`` takes torchvision's, None none.

    Returns:
        ``model`` of a config, whose head has as many inputs as the backbone has outputs.

    Raises:
        FileNotFoundError: If the checkpoint does not exist.
        ValueError: If the name is unknown, or the backbone cannot be built by its name alone. If
            it does not take images of that size, or reduces them to one position.
    """
    backbone, neck = find_backbone(name)
    channels, neck = measure_channels(name, backbone, neck, size)
    if pretrained is not None:
        backbone['init_cfg'] = initialisation(name, pretrained)
    return dict(
        type='ImageClassifier',
        backbone=backbone,
        neck=neck,
        head=dict(type='LinearClsHead', num_classes=num_classes, in_channels=channels),
    )


def find_backbone(name: str) -> tuple[dict[str, Any], Any]:
    """Return the configs of a backbone and of the neck that belongs to it; None for no neck.

    Args:
        name: Name of the backbone, as for :func:`build_model`.

    Raises:
        ValueError: If the name is unknown.
    """
    wide = re.fullmatch(r'wrn(\d+)_(\d+)', name)
    if wide:
        depth, factor = map(int, wide.groups())
        return dict(type='WideResNet', depth=depth, widen_factor=factor), 'pool'
    files = {
        path.relative_to(_MODELS).with_suffix('').as_posix() for path in _MODELS.rglob('*.py')
    }
    if name in files:
        model = Config.fromfile(str(_MODELS / f'{name}.py')).model.to_dict()
        if model.get('type') == 'ImageClassifier':
            return dict(model['backbone']), model.get('neck')
    classes = [each for each in backbones.__all__ if each in MODELS.module_dict]
    if name in classes:
        return dict(type=name), 'pool'
    close = difflib.get_close_matches(name, [*files, *classes], 3, cutoff=0.5)
    raise ValueError(
        f'--backbone: {name!r} is neither a classifier in configs/_base_/models of MMPretrain nor '
        'one of its backbones nor a wide ResNet such as wrn16_2'
        + (f'; did you mean {" or ".join(close)}?' if close else '')
    )


def measure_channels(name: str, backbone: dict, neck: Any, size: int) -> tuple[int, Any]:
    """Build a backbone and its neck once, and return their output channels and the neck.

    Args:
        name: Name that the user gave.
        backbone: Config of the backbone.
        neck: Config of the neck; ``'pool'`` pools where the backbone returns maps.
        size: Edge of the images in pixels.

    Raises:
        ValueError: If it cannot be built or does not take such images.
    """
    config = {key: value for key, value in backbone.items() if key != 'init_cfg'}
    with DefaultScope.overwrite_default_scope('mmpretrain'), torch.random.fork_rng([]):
        try:
            module = MODELS.build(dict(config))
        except (TypeError, AssertionError, KeyError, ValueError) as error:
            raise ValueError(
                f'--backbone: {name} cannot be built by its name alone ({error}); give the name '
                'of a file in configs/_base_/models of MMPretrain'
            ) from error
        module.train(False)  # not eval(), which returns nothing in MMPretrain's backbones
        with torch.no_grad():
            try:
                output = _last(module(torch.zeros(2, 3, size, size)))
            except (RuntimeError, AssertionError, ValueError) as error:
                expected = backbone.get('img_size')
                raise ValueError(
                    f'--backbone: {name} does not take images of {size} pixels'
                    + (f'; --image-size {expected} fits it' if expected else f': {error}')
                ) from error
            if output.ndim == 4 and output.shape[-2:].numel() == 1:
                raise ValueError(
                    f'--backbone: {name} reduces images of {size} pixels to one position, where '
                    'nothing shows which part of an image matters; take a network for small '
                    'images such as wrn16_2 or resnet18_cifar, or a larger --image-size'
                )
            if neck == 'pool' or (neck is None and output.ndim == 4):
                neck = dict(type='GlobalAveragePooling') if output.ndim == 4 else None
            if neck is not None:
                output = _last(MODELS.build(dict(neck))((output,)))
    if output.ndim != 2:
        raise ValueError(
            f'--backbone: {name} ends in {tuple(output.shape)}, not in a vector per image; give '
            'the name of a file in configs/_base_/models of MMPretrain'
        )
    return output.shape[1], neck


def initialisation(name: str, pretrained: str) -> dict[str, Any]:
    """Return the ``init_cfg`` of a backbone that starts from a checkpoint.

    Args:
        name: Name of the backbone.
        pretrained: Checkpoint of the backbone, as for :func:`build_model`.

    Raises:
        FileNotFoundError: If the checkpoint does not exist.
        ValueError: If the backbone has no default checkpoint.
    """
    if pretrained == 'default':
        if name not in _TORCHVISION:
            raise ValueError(
                f'--pretrained: without a value there are weights for {", ".join(_TORCHVISION)} '
                f'alone, not for {name}; give a checkpoint'
            )
        return dict(type='Pretrained', checkpoint=f'torchvision://{name}')
    found = dict(type='Pretrained', checkpoint=pretrained)
    if '://' in pretrained and not is_shipped(pretrained):
        is_classifier = 'openmmlab' in pretrained  # MMPretrain's files hold whole classifiers
    else:
        if not local_file(pretrained).is_file():
            raise FileNotFoundError(f'--pretrained: {pretrained!r} does not exist')
        content = load_checkpoint(pretrained)
        state = content.get('state_dict', content)
        is_classifier = any(key.startswith('backbone.') for key in state)
    return {**found, 'prefix': 'backbone'} if is_classifier else found


def _last(output: Any) -> torch.Tensor:
    while isinstance(output, (tuple, list)):
        output = output[-1]
    return output
