"""The network that learns in a distillation."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from mmpretrain.models.heads import ArcFaceClsHead
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from mmtmix.models.classifiers.head_use import head_use_of
from mmtmix.models.losses import NetworkOutputs
from mmtmix.models.teachers.network import feature_dim, feature_layers

from .heads import check_prediction, check_trainable


class Student:
    """A classifier of MMPretrain whose outputs are captured while it computes its loss.

    Args:
        model: Classifier, an ``ImageClassifier`` or ``TimmClassifier``, out of its DDP wrapper.
        needs_features: Whether features are captured too.

    Raises:
        ValueError: If it has no head or wrapped network, no loss, or no features where they
            are needed; if its head gives no softmax prediction or cannot be trained; or if it
            mixes inside.
    """

    def __init__(self, model: nn.Module, needs_features: bool = False):
        self.model = model
        # untyped, since heads of MMPretrain share no base with these methods
        self._owner: Any = model if getattr(model, 'head', None) is None else model.head
        wrapped = getattr(model, 'model', None) if self._owner is model else None
        self._source: Any = wrapped or self._owner
        self.head_use = head_use_of(model)
        self._needs_features = needs_features
        self._outputs: NetworkOutputs | None = None
        self._features: dict[int, Tensor] = {}
        name = type(model).__name__
        check_prediction(self._owner, 'student')
        if self._source is model or not hasattr(self._owner, 'loss_module'):
            raise ValueError(
                f'DistillHook needs a classifier with a head that has a loss, such as '
                f'LinearClsHead; this is a {name} with {type(self._owner).__name__}'
            )
        check_trainable(self._owner)
        if self.head_use.rows == 'mixes':
            raise ValueError(
                f'model.type={name!r} mixes inside the network, so its head predicts for no image '
                "that a teacher could classify; use model.type='ImageClassifier' and mix "
                "images, by model.train_cfg or by DistillHook's mixed=dict(augment=...)"
            )
        if needs_features and not hasattr(self._owner, 'pre_logits'):
            raise ValueError(
                f'the head {type(self._owner).__name__} of the student has no pre_logits, so its '
                'features are unknown; use a loss on logits, such as KDLoss'
            )

    @property
    def num_classes(self) -> int | None:
        """Number of classes; None if it is unknown."""
        return getattr(self._owner, 'num_classes', None)

    @property
    def feature_dim(self) -> int:
        """Dimension of the features, 0 if unknown."""
        return feature_dim(self.model)

    def attach(self) -> list[RemovableHandle]:
        """Attach to the model, and return the handles that detach from it.

        Features are captured at the last layers, in the pass that returns the logits. A second
        call of ``pre_logits`` would update batch norm's statistics again, and drop other units.
        """
        handles = [self._source.register_forward_hook(self._capture)]
        if self._needs_features:
            for number, layer in enumerate(feature_layers(self.model)):
                keep = partial(self._keep, number)
                handles.append(layer.register_forward_pre_hook(keep))
        return handles

    def take(self) -> NetworkOutputs:
        """Return the outputs that were captured last, once.

        Raises:
            RuntimeError: If there are none.
        """
        outputs, self._outputs = self._outputs, None
        if outputs is None:
            raise RuntimeError(
                f'{type(self.model).__name__} ran without calling its '
                f'{type(self._source).__name__}, so nothing could be captured; DistillHook needs '
                'a classifier whose loss and logits go through its head'
            )
        return outputs

    def classify(self, inputs: Tensor) -> NetworkOutputs:
        """Return its outputs for images, as in training; only while attached.

        Args:
            inputs: Images, (N, C, H, W).
        """
        self.model(inputs, mode='tensor')
        return self.take()

    def weigh(self, losses: dict[str, Tensor], factor: float) -> dict[str, Tensor]:
        """Return its own losses by name, those of its head times a factor.

        Args:
            losses: Losses of the student by name.
            factor: Factor of the head's losses.
        """
        return {
            name: value * factor if self.head_use.is_heads(name) else value
            for name, value in losses.items()
        }

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the head's current loss for soft targets, a scalar.

        Args:
            logits: Logits, (N, num_classes).
            targets: Soft labels, (N, num_classes).
        """
        return self._owner.loss_module(logits, targets, avg_factor=len(logits))

    @torch.compiler.disable
    def _capture(self, module: nn.Module, args: tuple, output: Tensor) -> None:
        if not isinstance(output, Tensor):
            raise TypeError(
                f'{type(module).__name__} gives {type(output).__name__} and no tensor of logits; '
                'DistillHook needs a head with one output'
            )
        if isinstance(module, ArcFaceClsHead) and len(args) > 1:
            # in training it subtracts a margin from the true class's logit
            output = module.forward(args[0])
        self._outputs = NetworkOutputs(output, self._join_features(len(output), module, args))

    @torch.compiler.disable
    def _keep(self, number: int, layer: nn.Module, args: tuple) -> None:
        self._features[number] = args[0]

    def _join_features(self, rows: int, head: Any, args: tuple) -> Tensor | None:
        if not self._needs_features:
            return None
        # a head without a linear layer has no layer to capture at
        parts = [self._features.pop(key) for key in sorted(self._features)]
        features = torch.cat(parts, dim=-1) if parts else head.pre_logits(args[0])
        if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != rows:
            shape = tuple(getattr(features, 'shape', ())) or type(features).__name__
            raise TypeError(
                f'the last layer of the student, of {type(head).__name__}, takes {shape} and no '
                f'features (N, D) of {rows} images; use a loss on logits, such as KDLoss'
            )
        return features
