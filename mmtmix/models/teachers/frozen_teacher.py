"""The frozen classifier of saliency, search and distillation."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mmtmix.functional import (
    evidence_from_cams,
    evidence_from_saliency,
    min_max,
    resize_map,
)
from mmtmix.models.late_verdict import FiniteCheck
from mmtmix.models.recomputation import switch_off_recomputation
from mmtmix.utils import AUTO, autocast_as
from mmtmix.utils.variants import variant_words

from .cam import Saliency, choose_saliency
from .cam_layer import CURE
from .checks import LOGITS_CURE, MapsCheck, check_logits
from .class_names import configured_classes
from .input_stats import InputStats
from .loading import build_classifier, copy_module, load_weights
from .network import classify, declared_classes, feature_dim, has_pre_logits, linear_features
from .options import as_statistics, check_options, check_source
from .outputs import Forward
from .report import TeacherReport
from .teacher_inputs import TeacherInputs


class FrozenTeacher:
    """Any classifier, frozen: one of MMPretrain by its config, or a ``torch.nn.Module``.

    It is not an ``nn.Module``, on purpose. A module that holds a teacher has no keys of it in its
    checkpoints, and no parameters of it in its optimizer or DDP buckets. ``.train()`` never
    reaches the teacher. A deep copy of the model, such as that of ``EMAHook``, shares the teacher.
    Activation checkpointing is switched off in it, because it breaks the gradients for saliency.

    Logits and maps that are not finite are an error. On CUDA it is raised a step or two late, so
    that the host does not wait. The maps of the first batch must have the images' aspect, and must
    not be constant for all images.

    Args:
        config: Path of the config, a config dict, or a model dict with a ``data_preprocessor``.
        checkpoint: Path or http(s) address of the weights; optional with ``model``.
        saliency: Kind of maps. ``'auto'`` is the classic CAM where it is exact, and Grad-CAM
            elsewhere; ``'cam'`` and ``'grad_cam'`` are that kind alone. ``'input_gradient'`` is
            the gradient of a class's logit by the image, a backward pass through the network.
        cam_layer: Name of the module for Grad-CAM; chosen by the first images by default.
        dtype: Dtype of the forward. ``'auto'`` follows the caller's autocast, but never into a
            dtype that this CPU emulates; None always follows it. ``'bfloat16'`` and
            ``'float16'`` run it under autocast, ``'float32'`` without.
        channels_last: Whether the network computes in the channels-last memory format.
        compile: Whether the forward is compiled, or arguments of ``torch.compile``.
        input_stats: Normalisation of the inputs, ``dict(mean=..., std=..., channel_order=...)``
            in 0-255 units, in the order in which the channels come. By default that of the running
            config, and outside of a run the teacher's own.
        model: Trained classifier in place of ``config``, called as ``model(images)``. The teacher
            is a copy of its present state: the original is neither frozen nor moved, and its later
            training does not reach the teacher.
        mean: Mean of the images of ``model``, one number or one per channel, in 0-255 units.
        std: Standard deviation of the images of ``model``, as ``mean``.
        channel_order: Order of the channels, ``'rgb'`` or ``'bgr'``, in which the network was
            trained, after its data preprocessor. By default that of its config.
        num_extra_tokens: Number of tokens ahead of the patch tokens of a transformer, such as a
            class token; inferred by default.
        variants: Values, by name, of the variants that the file ``config`` declares; defaults of
            those that are not named.

    Attributes:
        config_name: Path of the config; empty if that was no file.
        checkpoint_name: Path or address of the weights; empty if they are the module's own.
        classes: Names of the classes by label, from the checkpoint or else the config; empty
            where neither has any.
        report: Report of how many images the teacher classifies correctly, logged once per run.

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
            built, self.stats = build_classifier(config, variants)
        else:
            built = copy_module(model)
            self.stats = InputStats(as_statistics(mean), as_statistics(std))
        # untyped, since MMPretrain's classifiers share no type with other modules
        self.model: Any = built
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
        self._forward: Forward = partial(classify, self.model)
        self._cam: Saliency = choose_saliency(
            self.model, self._forward, saliency, cam_layer, num_extra_tokens
        )
        self._forward_cam = self._cam.forward
        self._forward_features = self._logits_and_features
        if compile:
            self._compile(compile if isinstance(compile, dict) else {})
        self.dtype = dtype
        memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self._inputs = TeacherInputs(self.model, self.stats, input_stats, memory_format)
        self.report = TeacherReport()
        self._check_logits = FiniteCheck(f'the logits of {self}', LOGITS_CURE)
        self._check_maps = MapsCheck(f'the saliency of {self}', CURE)
        self._num_classes: int | None = None  # width of the first logits

    @property
    def num_classes(self) -> int | None:
        """Number of classes of its logits, and before the first ones that of its config.

        It is None only before the first logits of a classifier whose config doesn't give it.
        """
        return self._num_classes or declared_classes(self.model)

    def count_classes(self, inputs: Tensor) -> int:
        """Return the number of classes, by a pass of the first image if it is unknown.

        Args:
            inputs: Images as for a call, (N, C, H, W).
        """
        if self.num_classes is not None:
            return self.num_classes
        with torch.no_grad():
            return self(inputs[:1]).size(1)

    @property
    def feature_dim(self) -> int:
        """Number of features of :meth:`features`; 0 if there are none."""
        return feature_dim(self.model)

    @property
    def memory_format(self) -> torch.memory_format:
        """Memory format in which it computes."""
        return self._inputs.memory_format

    @property
    def saliency_source(self) -> str:
        """Kind and layer of its maps, as text; the first images determine it."""
        return self._cam.source

    @property
    def saliency_title(self) -> str:
        """Kind of its maps, as a title; the first images determine it."""
        return self._cam.title

    def __str__(self) -> str:
        return f'the teacher {self.checkpoint_name or type(self.model).__name__}'

    def __deepcopy__(self, memo: dict) -> FrozenTeacher:
        return self  # a frozen network needs no second copy in memory

    def __call__(self, inputs: Tensor, check: bool = True) -> Tensor:
        """Return the logits of a batch; gradients reach the inputs.

        Args:
            inputs: Images, (N, C, H, W).
            check: Whether logits after the first batch that are not finite are an error. A search
                makes its images itself, and ``FiniteStopHook`` checks it and keeps the last good
                weights.

        Returns:
            Logits, (N, num_classes).

        Raises:
            ValueError: If logits are not finite, on CUDA a call or two late.
        """
        inputs = self._inputs.prepare(inputs)
        with autocast_as(self.dtype, inputs.device.type):
            return self._checked(self._forward(inputs), inputs, check)

    def features(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, num_classes) and the last linear layer's input (N, D), from one pass.

        Where two layers' logits are averaged, as by ``DeiTClsHead``, D counts both inputs.

        Args:
            inputs: Images, (N, C, H, W).

        Raises:
            ValueError: If it has neither one of MMPretrain's heads nor a linear layer that gives
                the logits.
        """
        inputs = self._inputs.prepare(inputs)
        with autocast_as(self.dtype, inputs.device.type):
            if has_pre_logits(self.model):
                logits, features = self._forward_features(inputs)
            else:
                logits, features = linear_features(self.model, inputs)
            return self._checked(logits, inputs), features

    def saliency(
        self, inputs: Tensor, classes: Tensor | None = None, size: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return logits and saliency from one forward pass, without gradients.

        Args:
            inputs: Images (N, C, H, W), normalised as the task's inputs are.
            classes: Class of each map, int64 (N,); None for the teacher's prediction.
            size: Side of the maps in pixels; None for their own size.

        Returns:
            Logits (N, num_classes) and saliency (N, 1, size, size), each map scaled to [0, 1],
            in float32.

        Raises:
            ValueError: With the first images, if no layer can be chosen or all maps are constant.
        """
        logits, cam = self.cam(inputs, classes)
        saliency = min_max(cam)
        return logits, saliency if size is None else resize_map(saliency, size)

    def cam(self, inputs: Tensor, classes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return logits and raw maps (N, 1, h, w), neither scaled nor resized.

        Args:
            inputs: Images (N, C, H, W), normalised as the task's inputs are.
            classes: Class of each map, int64 (N,); None for the teacher's prediction.
        """
        logits, _, cam, _ = self._explain(inputs, classes)
        return logits, cam

    def evidence(self, inputs: Tensor, classes: Tensor | None, size: int) -> tuple[Tensor, Tensor]:
        """Return logits, and what each position of an image adds to them, from one pass.

        Where CAMs are exact, the mean of a map is the logit of its class. Elsewhere the map of
        the image's own class is its saliency, scaled by the logit's margin, and others are 0.

        Args:
            inputs: Images (N, C, H, W), normalised as the task's inputs are.
            classes: Class of each image, int64 (N,); None for the teacher's prediction.
            size: Side of the maps in pixels, >= 1.

        Returns:
            Logits (N, num_classes) and evidence (N, num_classes, size, size), in float32.

        Raises:
            ValueError: With the first images, if no layer can be chosen or all maps are constant.
        """
        logits, classes, cam, exact = self._explain(inputs, classes, all_classes=True)
        if exact is not None:
            return logits, evidence_from_cams(exact, logits, size)
        return logits, evidence_from_saliency(min_max(cam), logits, classes, size)

    def _explain(
        self, inputs: Tensor, classes: Tensor | None, all_classes: bool = False
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Return logits, classes, their raw maps, and exact CAMs of all classes if wanted."""
        exact = None
        prepared = self._inputs.prepare(inputs)
        with torch.no_grad():
            with autocast_as(self.dtype, prepared.device.type):
                logits, features = self._forward_cam(prepared)
            self._checked(logits, prepared)
            if classes is None:
                classes = logits.argmax(dim=1)
            # in full precision: the caller's autocast would round the maps to bfloat16
            with torch.autocast(prepared.device.type, enabled=False):
                cam = self._cam.maps(logits, features, classes, prepared.shape[-2:])
                if all_classes:
                    exact = self._cam.exact_maps(features, prepared.shape[-2:])
        self._check_maps(cam, prepared, self._cam.source)
        return logits.detach(), classes, cam, exact

    def check_channels(self) -> None:
        """Refuse colour images whose channel order is unknown, before there are any.

        Raises:
            ValueError: If the order of the task's images can't be compared with the teacher's.
        """
        self._inputs.check_channels()

    def _logits_and_features(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        features = self.model.extract_feat(inputs)
        last = self.model.head.pre_logits(features)
        last = torch.cat(last, dim=1) if isinstance(last, tuple) else last
        return self.model.head(features), last

    def _checked(self, logits: Tensor, inputs: Tensor, check: bool = True) -> Tensor:
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
        if self._cam.can_compile:  # the other kinds have hooks or leaves in their forward
            self._forward_cam = torch.compile(self._forward_cam, **options)
