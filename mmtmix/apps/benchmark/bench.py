"""A batch, its teacher, and the augments that are timed on it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.models import BatchAugment, FrozenTeacher
from mmtmix.models.saliency import LiveModel, set_live_model
from mmtmix.utils import DTYPES
from mmtmix.visualization import load_images

from .networks import build_network, network_name
from .setting import Setting

Call = Callable[[], object]
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Trained:
    """A trained classifier, which is the teacher and has real images.

    Attributes:
        config: Config of the classifier.
        name: Path of its config.
        checkpoint: Path of its weights.
    """

    config: Config
    name: str
    checkpoint: str


class Bench:
    """The batch of a setting, its teacher, and functions that mix the batch.

    Args:
        setting: Batch and teacher; with ``trained``, the classifier's take the place of some.
        trained: Trained classifier; None takes random weights and random images.
        device: Device that computes.
        dtype: Dtype of the forward passes under autocast; float32 runs without.
        seed: Seed of the weights, the images and the pairs.
        compile: Whether to compile the teacher.
        rival_iters: Largest number of steps of SuperMix's rivals, >= 0.
    """

    def __init__(
        self,
        setting: Setting,
        trained: Trained | None = None,
        device: str = 'cpu',
        dtype: str = 'float32',
        seed: int = 0,
        compile: bool = False,
        rival_iters: int = 200,
    ):
        self.trained, self.device, self.dtype = trained, device, dtype
        self.seed, self.compile, self.rival_iters = seed, compile, rival_iters
        torch.manual_seed(seed)
        self.setting = setting
        self.inputs, self.scores = self.images(0)
        if trained is not None:
            self.setting = setting.changed(
                teacher=network_name(trained.config.model.backbone) or trained.name,
                image_size=self.inputs.size(-1),
                num_classes=self.scores.size(1),
                trained=True,
            )

    @cached_property
    def teacher(self) -> FrozenTeacher:
        """The teacher, on the device."""
        options: dict[str, Any] = dict(compile=self.compile)
        if self.trained is None:
            torch.manual_seed(self.seed)
            network = build_network(self.setting.teacher, self.setting.num_classes)
            teacher = FrozenTeacher(model=network, mean=0.0, std=1.0, **options)
        else:
            with self._scope():
                teacher = FrozenTeacher(self.trained.config, self.trained.checkpoint, **options)
        teacher.model.to(self.device)
        return teacher

    @cached_property
    def own(self) -> Tensor:
        """A copy of the batch, for augments of others that write into their batch."""
        return self.inputs.clone()

    @cached_property
    def module(self) -> dict[str, Any]:
        """Config of TransformMix's module with this library's settings."""
        return dict(type='TransformMixer', cam_size=self.setting.cam_size)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Use the teacher as the network in training, whose gradients some augments need."""
        set_live_model(LiveModel(self.teacher.model))
        try:
            yield
        finally:
            set_live_model(None)

    def autocast(self, dtype: str | None = None) -> AbstractContextManager[Any]:
        """Return the context of the forward passes.

        Args:
            dtype: Name of a dtype; by default that of this bench.
        """
        dtype = dtype or self.dtype
        if dtype == 'float32':
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, DTYPES[dtype])

    def images(self, number: int) -> Batch:
        """Return a batch: images (N, C, H, W) and their one-hot labels (N, num_classes).

        Args:
            number: Number of the batch in the data set, >= 0; random images differ anyway.
        """
        count, size = self.setting.batch_size, self.setting.image_size
        if self.trained is not None:
            rows = range(number * count, (number + 1) * count)
            with self._scope():
                images = load_images(self.trained.config, 2, indices=rows, device=self.device)
            return images.inputs, images.scores
        inputs = torch.randn(count, 3, size, size)
        labels = torch.randint(self.setting.num_classes, (count,))
        scores = torch.nn.functional.one_hot(labels, self.setting.num_classes).float()
        return inputs.to(self.device), scores.to(self.device)

    def blend(self) -> Call:
        """Return a plain blend of the batch with itself, per sample and out of place."""
        order = torch.randperm(len(self.inputs), device=self.inputs.device)
        lam = torch.full((len(self.inputs), 1, 1, 1), 0.5, device=self.inputs.device)
        return lambda: lam * self.inputs + (1 - lam) * self.inputs[order]

    def forward(self) -> Call:
        """Return a forward pass of the teacher on the batch, without gradients."""
        return torch.no_grad()(lambda: self.teacher(self.inputs))

    def answered(self) -> FrozenTeacher:
        """Return a teacher whose CAMs of this batch were computed before."""
        teacher = copy.copy(self.teacher)
        answer = self.teacher.cam(self.inputs, self.scores.argmax(dim=1))
        teacher.cam = lambda inputs, classes=None: answer  # type: ignore[method-assign]
        return teacher

    def mixer(self, details: bool = False, /, **config: Any) -> Callable[[], Any]:
        """Return a function that mixes the batch, each time with the same pairs and weights.

        Args:
            details: Whether the function returns the details of the mix, not the mixes.
            config: Config of the augment.
        """
        augment = BATCH_AUGMENTS.build(config)
        if not isinstance(augment, BatchAugment):  # MMPretrain's write into their batch
            return lambda: augment(self.own, self.scores)

        def call() -> object:
            torch.manual_seed(self.seed)
            mixed = augment(self.inputs, self.scores, return_details=details)
            return mixed[2] if details else mixed

        return call

    def _scope(self) -> AbstractContextManager[Any]:
        assert self.trained is not None  # callers have one
        scope = self.trained.config.get('default_scope') or 'mmpretrain'
        return DefaultScope.overwrite_default_scope(scope)
