"""The network that learns, as distillation sees it."""

from __future__ import annotations

import torch
from mmpretrain.models.heads import MultiLabelClsHead
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from mmtmix.models.classifiers import HeadUse
from mmtmix.models.losses import NetworkOutputs


class Student:
    """A classifier of MMPretrain whose outputs are overheard as it computes its loss.

    Args:
        model: An ``ImageClassifier``, or a ``TimmClassifier``, out of its DDP wrapper.
        needs_features: Whether to keep features, too.

    Raises:
        ValueError: If it has no head or wrapped network, no loss, or no features where they
            are needed; or if it mixes inside.
    """

    def __init__(self, model: nn.Module, needs_features: bool = False):
        self.model = model
        self._owner = model if getattr(model, 'head', None) is None else model.head
        self._source = model.model if self._owner is model and hasattr(model, 'model') else None
        self._source = self._source or self._owner
        self.head_use: HeadUse = getattr(model, 'head_use', HeadUse())
        self._needs_features = needs_features
        self._seen: NetworkOutputs | None = None
        name = type(model).__name__
        if self._source is model or not hasattr(self._owner, 'loss_module'):
            raise ValueError(
                f'DistillHook needs a classifier with a head that has a loss, such as '
                f'LinearClsHead; this is a {name} with {type(self._owner).__name__}'
            )
        if isinstance(self._owner, MultiLabelClsHead):
            raise ValueError(
                f'DistillHook compares softmax predictions, and {type(self._owner).__name__} has '
                'several labels an image'
            )
        if self.head_use.rows == 'mixes':
            raise ValueError(
                f'model.type={name!r} mixes inside the network, so what its head says is about no '
                "image that a teacher could look at; use model.type='ImageClassifier' and mix "
                "images, by model.train_cfg or by DistillHook's mixed=dict(augment=...)"
            )
        if needs_features and not hasattr(self._owner, 'pre_logits'):
            raise ValueError(
                f'the head {type(self._owner).__name__} of the student has no pre_logits, so its '
                'features are unknown; use a loss on logits, such as KDLoss'
            )

    @property
    def num_classes(self) -> int | None:
        """Number of classes, or None where nothing says it."""
        return getattr(self._owner, 'num_classes', None)

    @property
    def feature_dim(self) -> int:
        """Dimension of the features, 0 if unknown."""
        return feature_dim(self.model)

    def attach(self) -> RemovableHandle:
        """Begin to overhear."""
        return self._source.register_forward_hook(self._overhear)

    def take(self) -> NetworkOutputs:
        """What was overheard last, once.

        Raises:
            RuntimeError: If nothing was.
        """
        seen, self._seen = self._seen, None
        if seen is None:
            raise RuntimeError(
                f'{type(self.model).__name__} ran without calling its '
                f'{type(self._source).__name__}, so nothing could be overheard; DistillHook needs '
                'a classifier whose loss and logits go through its head'
            )
        return seen

    def classify(self, inputs: Tensor) -> NetworkOutputs:
        """What it says of images (N, C, H, W), as in training; only while attached."""
        self.model(inputs, mode='tensor')
        return self.take()

    def weigh(self, losses: dict[str, Tensor], factor: float) -> dict[str, Tensor]:
        """The terms of its own loss by name, with a factor on those of its head."""
        return {
            name: value * factor if self.head_use.is_heads(name) else value
            for name, value in losses.items()
        }

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The student's own loss, which a recipe may have switched, of soft targets."""
        return self._owner.loss_module(logits, targets, avg_factor=len(logits))

    @torch.compiler.disable
    def _overhear(self, module: nn.Module, args: tuple, output: Tensor) -> None:
        if not isinstance(output, Tensor):
            raise TypeError(
                f'{type(module).__name__} gives {type(output).__name__} and no tensor of logits; '
                'DistillHook needs a head with one output'
            )
        features = module.pre_logits(args[0]) if self._needs_features else None
        self._seen = NetworkOutputs(output, features)


def feature_dim(model: nn.Module) -> int:
    """What a classifier's last linear layer sees, its ``pre_logits``; 0 if there is none."""
    head = getattr(model, 'head', None)
    layers = [layer for layer in head.modules() if isinstance(layer, nn.Linear)] if head else []
    return layers[-1].in_features if layers else 0
