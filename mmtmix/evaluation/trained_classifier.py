"""A trained classifier, as its checkpoint holds it, ready to be evaluated."""

from __future__ import annotations

import os
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from mmpretrain.models import MultiLabelClsHead, MultiTaskHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmtmix.models.recomputation import switch_off_recomputation
from mmtmix.models.teachers.class_names import recorded_classes
from mmtmix.models.teachers.network import classify
from mmtmix.utils import (
    autocast_as,
    check_device,
    check_dtype,
    choose_dtype,
    dtype_name,
    fetch_checkpoint,
    file_digest,
    load_checkpoint,
    read_weights,
)

from .identity import network_digest, network_settings

DIGITS = 64
"""Digits of a checkpoint's digest, a whole SHA-256."""


class TrainedClassifier:
    """A classifier of MMPretrain in eval mode, with its own data preprocessor and frozen weights.

    It is built as ``mmtmix test`` builds it, without the parts that only a training needs. The
    weights need no gradients, so that gradients of images leave nothing in them.

    Args:
        cfg: Full config of the classifier.
        checkpoint: Path or http(s) address of the weights.
        device: Device that computes, such as ``'cuda:0'``; by default the accelerator.
        dtype: Dtype of the forward passes, ``'float32'``, ``'bfloat16'``, ``'float16'``, or
            ``'auto'`` for the one that this device computes fastest in.

    Attributes:
        model: The network, with its ``data_preprocessor``.
        digest: SHA-256 of the checkpoint, 64 hexadecimal digits.
        network: Digest of the settings of the network and its data preprocessor, see
            :func:`~mmtmix.evaluation.identity.network_digest`.
        classes: Names of the classes by label, from the checkpoint; None where it has none.
        device: The device.
        dtype: Name of the dtype.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        ValueError: If the checkpoint does not fit, or the model is no classifier of single labels.
    """

    def __init__(
        self,
        cfg: Config,
        checkpoint: str | os.PathLike,
        device: str | None = None,
        dtype: str = 'float32',
    ):
        check_dtype(dtype)
        device = device or get_device()
        check_device('device', device)
        self.network = network_digest(cfg)
        content = load_checkpoint(checkpoint)
        self.device = torch.device(device)
        # untyped, since MMPretrain's classifiers share no type with other modules
        self.model: Any = _build(cfg)
        self.model.load_state_dict(read_weights(self.model, checkpoint, content))
        self.model.to(self.device).eval().requires_grad_(False)
        switch_off_recomputation(self.model)
        self.digest = file_digest(fetch_checkpoint(checkpoint), DIGITS)
        self.classes = recorded_classes(content) or None
        self.dtype = dtype_name(choose_dtype(dtype, self.device.type))

    def prepare(self, batch: dict[str, Any]) -> tuple[Tensor, list[DataSample]]:
        """Return normalised images (N, C, H, W) and the samples of a loader's batch.

        Args:
            batch: Batch as the loader collates it.

        Raises:
            ValueError: If the images differ in size.
        """
        batch = self.model.data_preprocessor(batch, False)
        inputs, samples = batch['inputs'], batch.get('data_samples')
        if not isinstance(inputs, Tensor) or inputs.dim() != 4:
            found = f'shape {tuple(inputs.shape)}' if isinstance(inputs, Tensor) else type(inputs)
            raise ValueError(
                f'the test pipeline must give images of one size, (N, C, H, W), got {found}; add '
                'a resize and a crop to it'
            )
        return inputs, samples or []

    @torch.no_grad()
    def scores(self, inputs: Tensor) -> Tensor:
        """Return the probabilities that the model itself predicts, float32 (N, num_classes).

        Args:
            inputs: Normalised images, (N, C, H, W).
        """
        with autocast_as(self.dtype, self.device.type):
            predicted = self.model(inputs, mode='predict')
        return torch.stack([sample.pred_score for sample in predicted]).float()

    def logits(self, inputs: Tensor, dtype: str | None = None) -> Tensor:
        """Return logits (N, num_classes), in float32; gradients reach the inputs.

        Args:
            inputs: Normalised images, (N, C, H, W).
            dtype: Dtype of the forward pass; None for that of the classifier.
        """
        with autocast_as(dtype or self.dtype, self.device.type):
            return classify(self.model, inputs).float()


def labels_in(samples: list[DataSample]) -> Tensor:
    """Return the labels of a batch, int64 (N,).

    Args:
        samples: Samples of a batch.

    Raises:
        ValueError: If an image has no label or several.
    """
    labels = [sample.gt_label for sample in samples if 'gt_label' in sample]
    has_all = len(labels) == len(samples) > 0
    if not has_all or any(label.numel() != 1 for label in labels):
        raise ValueError(
            'each image of the test set needs exactly one gt_label; multi-label and multi-task '
            'sets have no top class, and so no accuracy or confidence of it'
        )
    return torch.cat(labels)


def _build(cfg: Config) -> nn.Module:
    # as `mmtmix test`: nothing is mixed, and no weights are fetched to be overwritten
    settings = network_settings(cfg)
    scope = DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain')
    # random weights, which are overwritten, must not change the caller's random state
    with scope, torch.random.fork_rng(devices=[]):
        model = MODELS.build(settings)
    _check_single_label(model)
    return model


def _check_single_label(model: Any) -> None:
    head = getattr(model, 'head', None)
    name = type(model).__name__
    if isinstance(head, (MultiLabelClsHead, MultiTaskHead)):
        kind = 'several labels per image' if isinstance(head, MultiLabelClsHead) else 'tasks'
        raise ValueError(
            f'the head {type(head).__name__} predicts {kind}; calibration, corruptions and '
            'attacks are defined for one label per image. Evaluate it by `mmtmix test` and its '
            'metrics'
        )
    if head is None or not hasattr(head, 'predict'):
        raise ValueError(
            f'{name} is no classifier with a head that predicts labels; give the config of one'
        )
