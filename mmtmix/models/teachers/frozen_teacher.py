"""The one way to a teacher, for saliency, for search and for distillation."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmtmix.functional import min_max, resize_map
from mmtmix.models.finite_check import FiniteCheck
from mmtmix.models.recomputation import switch_off_recomputation
from mmtmix.utils import AUTO, autocast_as
from mmtmix.utils.variants import variant_words

from .cam import Saliency, choose_saliency
from .cam_layer import CURE
from .checks import LOGITS_CURE, check_logits, check_maps
from .class_names import configured_classes
from .features import feature_dim, has_pre_logits, linear_features
from .input_stats import InputStats
from .loading import build_classifier, copy_module, load_weights
from .network import classify, declared_classes
from .options import as_statistics, check_options, check_source
from .renormalize import Renormalize
from .report import TeacherReport


class FrozenTeacher:
    """Any classifier, frozen: one of MMPretrain by its config, or a ``torch.nn.Module``.

    Not an ``nn.Module`` on purpose: whoever holds a teacher gets no keys in its checkpoints, no
    parameters in its optimizer or DDP buckets, and ``.train()`` never reaches it. A deep copy
    (``EMAHook`` makes one of the whole model) shares it. Activation checkpointing is switched off
    in it: a frozen network needs none, and gradients for saliency don't survive it.

    Logits and maps that are not finite are an error, on CUDA a step or two late, so that the host
    does not wait. The maps of the first batch must also have the images' aspect, and not be
    constant for all images.

    Args:
        config: Path of its config, a config dict, or a model dict with a ``data_preprocessor``.
        checkpoint: Its weights: a file or an http(s) address; optional with ``model``.
        saliency: ``'auto'`` takes the classic CAM where it is exact and Grad-CAM elsewhere;
            ``'cam'`` and ``'grad_cam'`` insist; ``'input_gradient'`` takes the gradient of a
            class's logit by the image instead, a backward pass through all of it.
        cam_layer: Name of the module for Grad-CAM; chosen by the first images by default.
        dtype: Dtype of its forward. ``'auto'`` follows the caller's autocast, but never into a
            dtype that this CPU emulates; None always follows it. ``'bfloat16'`` and
            ``'float16'`` run it under autocast, ``'float32'`` without.
        channels_last: Use the channels-last memory format.
        compile: True, or arguments of ``torch.compile`` for the forward.
        input_stats: How the inputs it gets are normalised, ``dict(mean=..., std=...,
            channel_order=...)`` in 0-255 units, in the order of the channels as they come. By
            default what the running config says, and outside of a run the teacher's own
            normalisation.
        model: Trained classifier in place of ``config``, called as ``model(images)``. It is
            copied, as it is now: the original is neither frozen nor moved, and its later training
            does not reach the teacher.
        mean: Mean of the images of ``model``, one number or one per channel, in 0-255 units.
        std: Standard deviation of the images of ``model``, as ``mean``.
        channel_order: ``'rgb'`` or ``'bgr'``, the order in which the network got the channels in
            its training, after its data preprocessor. By default what its config says.
        num_extra_tokens: Number of tokens ahead of the patch tokens of a transformer, such as a
            class token; inferred by default.
        variants: Values, by name, of the variants that the file ``config`` declares; defaults of
            those that are not named.

    Attributes:
        config_name: Path of its config; empty if that was no file.
        checkpoint_name: Where its weights are from; empty if they are the module's own.
        classes: Names of its classes by label, from its checkpoint or else its config; empty
            where neither has any.
        report: Logs once per run how many images it gets right.

    Raises:
        FileNotFoundError: If config or checkpoint do not exist.
        TypeError: If ``model`` is no module.
        ValueError: If the checkpoint doesn't fit the config, its weights are not finite, or an
            argument is unknown.
    """

    def __init__(
        self,
        config: str | os.PathLike | dict | None = None,
        checkpoint: str | os.PathLike | None = None,
        saliency: str = 'auto',
        cam_layer: str | None = None,
        dtype: str | None = AUTO,
        channels_last: bool = False,
        compile: bool | dict = False,
        input_stats: dict | InputStats | None = None,
        model: nn.Module | None = None,
        mean: Sequence[float] | float | None = None,
        std: Sequence[float] | float | None = None,
        channel_order: str | None = None,
        num_extra_tokens: int | None = None,
        variants: Mapping[str, Any] | None = None,
    ):
        check_options(saliency, cam_layer, dtype, num_extra_tokens, channels_last, compile)
        check_source(config, checkpoint, model, mean, std, channel_order, variants)
        self.config_name = str(config) if isinstance(config, (str, os.PathLike)) else ''
        self.checkpoint_name = '' if checkpoint is None else str(checkpoint)
        if model is None:
            self.model, self.stats = build_classifier(config, variants)
        else:
            self.model = copy_module(model)
            self.stats = InputStats(as_statistics(mean), as_statistics(std))
        if channel_order is not None:
            self.stats = self.stats.in_order(channel_order)
        classes: tuple[str, ...] = ()
        if self.checkpoint_name:
            words = [self.config_name, *variant_words(variants or {})]
            named = shlex.join(words) if self.config_name else ''
            classes = load_weights(self.model, self.checkpoint_name, named)
        self.classes = classes or configured_classes(config, variants)
        self.model.requires_grad_(False).eval()
        switch_off_recomputation(self.model)
        convolutions = (layer for layer in self.model.modules() if isinstance(layer, nn.Conv2d))
        first = next(convolutions, None)
        self._in_channels = None if first is None else first.in_channels
        self._forward = partial(classify, self.model)
        self._cam: Saliency = choose_saliency(
            self.model, self._forward, saliency, cam_layer, num_extra_tokens
        )
        self._forward_cam = self._cam.forward
        self._forward_features = self._logits_and_features
        if compile:
            self._compile(compile if isinstance(compile, dict) else {})
        self.dtype = dtype
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.model.to(memory_format=self.memory_format)
        self._input_stats = None if input_stats is None else InputStats.from_dict(input_stats)
        self._renormalize: Renormalize | None = None
        self.report = TeacherReport()
        self._check_logits = FiniteCheck(f'the logits of {self}', LOGITS_CURE)
        self._check_cam = FiniteCheck(f'the saliency of {self}', LOGITS_CURE)
        self._num_classes: int | None = None  # of the first logits
        self._maps_are_checked, self._constant_maps = False, 0

    @property
    def num_classes(self) -> int | None:
        """Number of classes: of its logits, and before the first ones what its config says.

        None only before the first logits of a classifier whose config doesn't say it.
        """
        return self._num_classes or declared_classes(self.model)

    def count_classes(self, inputs: Tensor) -> int:
        """Return the number of classes, by a pass of the first image where nothing else says it.

        Args:
            inputs: Images as of a call, (N, C, H, W).
        """
        if self.num_classes is None:
            with torch.no_grad():
                self(inputs[:1])
        return self.num_classes

    @property
    def feature_dim(self) -> int:
        """Number of the features of :meth:`features`; 0 if it has none."""
        return feature_dim(self.model)

    @property
    def saliency_source(self) -> str:
        """How and from which layer its maps are made, in words; settled by the first images."""
        return self._cam.source

    def __str__(self) -> str:
        return f'the teacher {self.checkpoint_name or type(self.model).__name__}'

    def __deepcopy__(self, memo: dict) -> FrozenTeacher:
        return self  # it never changes, so a copy would only cost memory

    def __call__(self, inputs: Tensor, check: bool = True) -> Tensor:
        """Logits of a batch; gradients reach the inputs.

        Args:
            inputs: Images, (N, C, H, W).
            check: Whether later logits than the first that are not finite are an error. A search
                makes its images itself, and leaves that to ``FiniteStopHook``, which keeps the
                last good weights.

        Returns:
            Logits, (N, num_classes).

        Raises:
            ValueError: If logits are not finite, on CUDA a call or two late.
        """
        inputs = self._prepare(inputs)
        with autocast_as(self.dtype, inputs.device.type):
            return self._seen(self._forward(inputs), inputs, check)

    def features(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, num_classes) and what the last linear layer sees (N, D), from one pass.

        Where two layers' logits are averaged, as by ``DeiTClsHead``, both inputs side by side.

        Raises:
            ValueError: If it has neither one of MMPretrain's heads nor a linear layer that gives
                the logits.
        """
        inputs = self._prepare(inputs)
        with autocast_as(self.dtype, inputs.device.type):
            if has_pre_logits(self.model):
                logits, features = self._forward_features(inputs)
            else:
                logits, features = linear_features(self.model, inputs)
            return self._seen(logits, inputs), features

    def saliency(
        self, inputs: Tensor, classes: Tensor | None = None, size: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits and saliency from one forward pass, without gradients.

        Args:
            inputs: (N, C, H, W), normalised as the task's inputs are.
            classes: The class of each map, int64 (N,); the teacher's prediction if None.
            size: Side to resize the maps to; their own size if None.

        Returns:
            Logits (N, num_classes) and saliency (N, 1, size, size), each map scaled to [0, 1],
            in float32.

        Raises:
            ValueError: With the first images, if no layer can be chosen or the maps say nothing.
        """
        logits, cam = self.cam(inputs, classes)
        saliency = min_max(cam)
        return logits, saliency if size is None else resize_map(saliency, size)

    def cam(self, inputs: Tensor, classes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """As :meth:`saliency`, with the raw maps (N, 1, h, w), neither scaled nor resized."""
        prepared = self._prepare(inputs)
        with torch.no_grad():
            with autocast_as(self.dtype, prepared.device.type):
                logits, features = self._forward_cam(prepared)
            self._seen(logits, prepared)
            if classes is None:
                classes = logits.argmax(dim=1)
            # in full precision: the caller's autocast would round the maps to bfloat16
            with torch.autocast(prepared.device.type, enabled=False):
                cam = self._cam.maps(logits, features, classes, prepared.shape[-2:])
        if not self._maps_are_checked:
            self._maps_are_checked = check_maps(
                cam, prepared, self._cam.source, CURE, self._constant_maps
            )
            self._constant_maps += len(cam)
        else:
            self._check_cam(cam)
        return logits.detach(), cam

    def check_channels(self) -> None:
        """Refuse colour images whose channel order is unknown, without seeing any.

        Raises:
            ValueError: If the order of the task's images can't be compared with the teacher's.
        """
        if self._in_channels is not None:
            source = InputStats.of_batch(self._input_stats, self._in_channels) or self.stats
            Renormalize(source, self.stats).check(self._in_channels)

    def _logits_and_features(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        features = self.model.extract_feat(inputs)
        seen = self.model.head.pre_logits(features)
        seen = torch.cat(seen, dim=1) if isinstance(seen, tuple) else seen
        return self.model.head(features), seen

    def _seen(self, logits: Tensor, inputs: Tensor, check: bool = True) -> Tensor:
        """Check the logits, and take the number of classes from the first ones."""
        if self._num_classes is None:
            check_logits(logits, inputs)
            self._num_classes = logits.size(1)
        elif check:
            self._check_logits(logits)
        return logits

    def _compile(self, options: dict) -> None:
        self._forward = torch.compile(self._forward, **options)
        self._forward_features = torch.compile(self._forward_features, **options)
        if self._cam.can_compile:  # the others have hooks or leaves in their forward
            self._forward_cam = torch.compile(self._forward_cam, **options)

    def _prepare(self, inputs: Tensor) -> Tensor:
        """Move the network to the inputs, and the inputs to its normalisation and layout."""
        if self._in_channels not in (None, inputs.size(1)):
            raise ValueError(
                f'the teacher takes images of {self._in_channels} channel(s), got a batch of '
                f'shape {tuple(inputs.shape)}; use a teacher trained on such images'
            )
        parameter = next(self.model.parameters())
        with torch.inference_mode(False):  # what is made here must serve gradients later, too
            if parameter.device != inputs.device:
                self.model.to(inputs.device)
            # asked each time: a run may have begun or ended since
            source = InputStats.of_batch(self._input_stats, inputs.size(1)) or self.stats
            if self._renormalize is None or self._renormalize.source != source:
                print_log(f'The teacher gets images normalised by {source}', logger='current')
                self._renormalize = Renormalize(source, self.stats).to(inputs.device)
        inputs = self._renormalize(inputs.to(parameter.dtype))
        return inputs.contiguous(memory_format=self.memory_format)
