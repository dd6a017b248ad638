"""Notes about a batch: what its picture assumes, and signs of wrong inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from mmtmix.engine.mixing import Mixes
from mmtmix.models import ViewsPreprocessor
from mmtmix.models.classifiers import AutoMixClassifier
from mmtmix.models.search import MixerSearch
from mmtmix.models.teachers import InputStats

UNMIXED = 'not mixed'
"""Title of a batch that its augments left as it was."""

_FAR_MEAN, _SMALL_STD, _LARGE_STD = 1.5, 0.2, 5.0
_FEW = 0.01  # share of pixels that rounding may put outside
_DARK = 4.0  # of 255


def normalisation_note(stats: InputStats, inputs: Tensor) -> str:
    """Describe how pictures were made from the inputs of a network.

    Args:
        stats: Normalisation of the inputs.
        inputs: Inputs, (N, C, H, W).
    """
    channels = inputs.transpose(0, 1).flatten(1).float()
    figures = ', '.join(
        f'{name} {" ".join(f"{float(value):.2f}" for value in values)}'
        for name, values in (('mean', channels.mean(dim=1)), ('std', channels.std(dim=1)))
    )
    if stats.mean or stats.std:
        undone = (
            f'Pictures undo the data preprocessor: mean {_numbers(stats.mean)}, '
            f'std {_numbers(stats.std)}.'
        )
    else:
        undone = 'The data preprocessor has no mean and std, so pictures are drawn as 0 to 255.'
    return f'{undone} The network gets {figures}; about 0 and 1 are usual.'


def colour_note(stats: InputStats, drawn_as: str) -> str:
    """Describe the order of the colour channels.

    Args:
        stats: Normalisation of the inputs, with their channel order.
        drawn_as: Order in which the channels are drawn, ``'rgb'`` or ``'bgr'``.
    """
    letters = ', '.join(drawn_as.upper())
    taken = f'Colours: the three channels at the network are drawn as {letters}'
    order = stats.channel_order
    if order is None:
        return f'{taken}; the config does not determine their order.'
    known = f'by data set, pipeline and to_rgb the network gets {order.upper()}'
    if order == drawn_as:
        return f'{taken}; {known}.'
    return (
        f'{taken}, but {known}: red and blue are exchanged here. That is right only for a network '
        f'that is trained on {order.upper()}; --channel-order {order} draws its natural colours.'
    )


def mixing_note(cfg: Config, model: Any, has_checkpoint: bool) -> str:
    """Describe what mixes the images of a training.

    Args:
        cfg: Config that is drawn.
        model: Model of the run.
        has_checkpoint: Whether the model has trained weights.
    """
    weights = '' if has_checkpoint else ', which is untrained without --checkpoint'
    if isinstance(model, MixerSearch):
        return f'Mixing: the module of the search{weights}.'
    if isinstance(model, AutoMixClassifier):
        name = model.method
        return f'Mixing: the mix block of {name}{weights}; the clean batch is learned as well.'
    if isinstance(model, Mixes):
        name = type(model).__name__
        return f'Mixing: {name} mixes inside the network, so the images are as they enter it.'
    if isinstance(model.data_preprocessor, ViewsPreprocessor):
        return 'Mixing: no batch augment; the pipeline makes several views of each image.'
    choice = getattr(model.data_preprocessor, 'batch_augments', None)
    choice = getattr(choice, 'choice', choice)
    augments = [one for one in getattr(choice, 'augments', ()) if one is not None]
    if not augments:
        before = '; the images of MixedImages were mixed before the run'
        is_mixed = 'MixedImages' in str(cfg.train_dataloader.dataset)
        return f'Mixing: no batch augment{before if is_mixed else ""}.'
    probs = getattr(choice, 'probs', None) or [1 / len(augments)] * len(augments)
    parts = [
        f'{type(one).__name__} with probability {share:.2g}'
        for one, share in zip(augments, probs, strict=False)
    ]
    needs_live = 'LiveModelHook' in str(cfg.get('custom_hooks'))
    live = ' Saliency is that of an untrained network.' if needs_live and weights else ''
    return f'Mixing per batch: {", ".join(parts)}.{live}'


def chance_note(model: Any, titles: Sequence[str]) -> str:
    """Say that by chance no drawn batch is mixed; empty where one is, or none ever would be.

    Args:
        model: Model of the run.
        titles: Titles of the groups that were drawn.
    """
    choice = getattr(model.data_preprocessor, 'batch_augments', None)
    choice = getattr(choice, 'choice', choice)
    probs = getattr(choice, 'probs', None) or [1.0] * len(getattr(choice, 'augments', ()))
    pairs = zip(getattr(choice, 'augments', ()), probs, strict=True)
    if set(titles) != {UNMIXED} or not any(share > 0 for one, share in pairs if one is not None):
        return ''
    return (
        ' By chance none of these batches is mixed; take another --seed, or draw more of them '
        'with --batches and a folder as --out.'
    )


def find_alarms(stats: InputStats, inputs: Tensor, pixels: Tensor) -> list[str]:
    """Return sentences about signs of wrong inputs in a batch.

    Args:
        stats: Normalisation of the inputs.
        inputs: Inputs of the network, (N, C, H, W).
        pixels: The same with the normalisation undone, in 0-255 units.
    """
    found = []
    mean, std = float(inputs.float().mean()), float(inputs.float().std())
    if abs(mean) > _FAR_MEAN or not _SMALL_STD < std < _LARGE_STD:
        found.append(
            f'Normalisation looks wrong: the network gets mean {mean:.3g} and std {std:.3g}, and '
            'about 0 and 1 are usual. mean and std of data_preprocessor are in 0-255 units.'
        )
    outside = float(((pixels < -1) | (pixels > 256)).float().mean())
    if outside > _FEW:
        found.append(
            f'{outside:.0%} of the pixels lie outside 0-255 when mean and std are undone: are '
            'images normalised twice, in the pipeline and in data_preprocessor?'
        )
    elif float(pixels.max()) < _DARK:
        found.append(
            f'Images are nearly black: no pixel is above {float(pixels.max()):.2g} of 255. Does '
            'the pipeline scale them to [0, 1], and data_preprocessor expects 0-255?'
        )
    return found


def undo(stats: InputStats, inputs: Tensor) -> Tensor:
    """Return inputs in 0-255 units, without rounding and clipping.

    Args:
        stats: Normalisation of the inputs.
        inputs: Inputs, (N, C, H, W).
    """
    scale, shift = (
        torch.tensor(values or (default,)).view(-1, 1, 1)
        for values, default in ((stats.std, 1.0), (stats.mean, 0.0))
    )
    return inputs.detach().cpu().float() * scale + shift


def batch_note(cfg: Config, drawn: Mapping[str, Any], size: int) -> str:
    """Describe which batches were drawn.

    Args:
        cfg: Config that is drawn.
        drawn: ``config``, ``epoch`` and ``seed`` of the command.
        size: Number of images that were taken per batch.
    """
    own = cfg.train_dataloader.get('batch_size')
    part = f' ({own} in the config)' if own not in (None, size) else ''
    return f'{drawn["config"]}, epoch {drawn["epoch"]}, seed {drawn["seed"]}: {size} images{part}.'


def _numbers(values: Any) -> str:
    return ' '.join(f'{value:.4g}' for value in values) or 'none'
