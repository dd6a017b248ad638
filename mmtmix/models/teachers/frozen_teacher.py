"""The one way to a teacher, for saliency, for search and for distillation."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmtmix.functional import min_max, resize_map
from mmtmix.utils import AUTO, DTYPES, check_dtype, is_faster_in_half

from .cam import ClassicCAM, GradCAM, has_exact_cam
from .channel_order import check_channel_order
from .input_stats import InputStats
from .loading import build_classifier, load_weights
from .logit_gradient import LogitGradient
from .renormalize import Renormalize
from .report import TeacherReport

SALIENCY = ('auto', 'cam', 'grad_cam', 'input_gradient')


class FrozenTeacher:
    """Any MMPretrain classifier, frozen.

    Not an ``nn.Module`` on purpose: whoever holds a teacher gets no keys in its checkpoints, no
    parameters in its optimizer or DDP buckets, and ``.train()`` never reaches it. A deep copy
    (``EMAHook`` makes one of the whole model) shares it.

    Args:
        config: Path of its config, a config dict, or a model dict with a ``data_preprocessor``.
        checkpoint: Its weights: a file or an http(s) address.
        saliency: ``'auto'`` takes the classic CAM where it is exact and Grad-CAM elsewhere;
            ``'cam'`` and ``'grad_cam'`` insist; ``'input_gradient'`` takes the gradient of a
            class's logit by the image instead, a backward pass through all of it.
        cam_layer: The layer for Grad-CAM; chosen automatically by default.
        dtype: Dtype of its forward. ``'auto'`` follows the caller's autocast, but never into a
            dtype that this CPU emulates; None always follows it. ``'bfloat16'`` and
            ``'float16'`` run it under autocast, ``'float32'`` without.
        channels_last: Use the channels-last memory format.
        compile: True, or arguments of ``torch.compile`` for the forward.
        input_stats: How the inputs it gets are normalised, ``dict(mean=..., std=...,
            channel_order=...)`` in 0-255 units, in the order of the channels as they come. By
            default what the running config says, and outside of a run the teacher's own
            normalisation.
        channel_order: ``'rgb'`` or ``'bgr'``, the order in which the network got the channels in
            its training, after its data preprocessor. By default what its config says.

    Attributes:
        config_name: Where its config is from; empty if that was no file.
        checkpoint_name: Where its weights are from.
        report: Logs once per run how many images it gets right.

    Raises:
        FileNotFoundError: If config or checkpoint do not exist.
        ValueError: If the checkpoint doesn't fit the config or an argument is unknown.
    """

    def __init__(
        self,
        config: str | os.PathLike | dict,
        checkpoint: str | os.PathLike,
        saliency: str = 'auto',
        cam_layer: str | None = None,
        dtype: str | None = AUTO,
        channels_last: bool = False,
        compile: bool | dict = False,
        input_stats: dict | InputStats | None = None,
        channel_order: str | None = None,
    ):
        check_options(saliency, cam_layer, dtype)
        check_channel_order(channel_order)
        is_file = isinstance(config, (str, os.PathLike))
        self.config_name, self.checkpoint_name = str(config) if is_file else '', str(checkpoint)
        self.model, self.stats = build_classifier(config)
        if channel_order is not None:
            self.stats = self.stats.in_order(channel_order)
        self._load()
        convolutions = (layer for layer in self.model.modules() if isinstance(layer, nn.Conv2d))
        first = next(convolutions, None)
        self._in_channels = None if first is None else first.in_channels
        exact = has_exact_cam(self.model)
        if saliency == 'cam' and not exact:
            raise ValueError(
                "saliency='cam' needs a classifier whose logits are a linear layer on globally "
                f"averaged features, which this {type(self.model).__name__} hasn't; use "
                "'grad_cam' or 'auto'"
            )
        classic = exact and saliency in ('auto', 'cam') and cam_layer is None
        self._cam: ClassicCAM | GradCAM | LogitGradient
        if saliency == 'input_gradient':
            self._cam = LogitGradient(self.model)
        else:
            self._cam = ClassicCAM(self.model) if classic else GradCAM(self.model, cam_layer)
        self._forward, self._forward_cam = self.model, self._cam.forward
        self._forward_features = self._logits_and_features
        if compile:
            options = compile if isinstance(compile, dict) else {}
            self._forward = torch.compile(self._forward, **options)
            self._forward_features = torch.compile(self._forward_features, **options)
            if classic:  # the others have hooks or leaves in their forward
                self._forward_cam = torch.compile(self._forward_cam, **options)
        self.dtype = dtype
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.model.to(memory_format=self.memory_format)
        self._input_stats = None if input_stats is None else InputStats.from_dict(input_stats)
        self._renormalize: Renormalize | None = None
        self.report = TeacherReport()

    @property
    def num_classes(self) -> int | None:
        """Number of classes, or None where the classifier doesn't say."""
        # MMPretrain's VGG classifies in its backbone
        for part in ('head', 'backbone'):
            found = getattr(getattr(self.model, part, None), 'num_classes', None)
            if found is not None and found > 0:  # -1 is a backbone without a classifier
                return found
        return None

    def __deepcopy__(self, memo: dict) -> FrozenTeacher:
        return self  # it never changes, so a copy would only cost memory

    def __call__(self, inputs: Tensor) -> Tensor:
        """Logits (N, num_classes) of inputs (N, C, H, W); gradients reach the inputs."""
        inputs = self._prepare(inputs)
        with self._precision(inputs):
            return self._forward(inputs, mode='tensor')

    def features(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, num_classes) and what the last linear layer sees (N, D), from one pass.

        Where two layers' logits are averaged, as by ``DeiTClsHead``, both inputs side by side.

        Raises:
            ValueError: If the teacher's head doesn't say what its last layer sees.
        """
        if not hasattr(getattr(self.model, 'head', None), 'pre_logits'):
            raise ValueError(
                "the teacher's head has no pre_logits, so its features are unknown; use a teacher "
                "with one of MMPretrain's heads such as LinearClsHead"
            )
        inputs = self._prepare(inputs)
        with self._precision(inputs):
            return self._forward_features(inputs)

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
        """
        logits, cam = self.cam(inputs, classes)
        saliency = min_max(cam)
        return logits, saliency if size is None else resize_map(saliency, size)

    def cam(self, inputs: Tensor, classes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """As :meth:`saliency`, with the raw maps (N, 1, h, w), neither scaled nor resized."""
        prepared = self._prepare(inputs)
        with torch.no_grad():
            with self._precision(prepared):
                logits, features = self._forward_cam(prepared)
            if classes is None:
                classes = logits.argmax(dim=1)
            # in full precision: the caller's autocast would round the maps to bfloat16
            with torch.autocast(prepared.device.type, enabled=False):
                cam = self._cam.maps(logits, features, classes, prepared.shape[-2:])
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

    def _load(self) -> None:
        try:
            load_weights(self.model, self.checkpoint_name)
        except FileNotFoundError as error:
            command = 'train it first'
            if self.config_name:
                command += f': python tools/train.py {self.config_name}'
            raise FileNotFoundError(f"the teacher's {error}; {command}") from None
        self.model.requires_grad_(False).eval()

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

    def _precision(self, inputs: Tensor) -> AbstractContextManager:
        device_type = inputs.device.type
        if self.dtype is None:
            return nullcontext()
        if self.dtype == AUTO:
            follows = not torch.is_autocast_enabled(device_type) or is_faster_in_half(device_type)
            return nullcontext() if follows else torch.autocast(device_type, enabled=False)
        dtype = DTYPES[self.dtype]
        return torch.autocast(device_type, dtype, enabled=dtype != torch.float32)


def check_options(saliency: str, cam_layer: str | None, dtype: str | None) -> None:
    """Refuse options that no :class:`FrozenTeacher` takes.

    Raises:
        ValueError: If one is unknown, or two don't go together.
    """
    if saliency not in SALIENCY:
        raise ValueError(f'saliency must be one of {SALIENCY}, got {saliency!r}')
    if dtype is not None:
        check_dtype(dtype)
    if saliency == 'input_gradient' and cam_layer is not None:
        raise ValueError(
            f'cam_layer={cam_layer!r} is a layer for Grad-CAM, which '
            "saliency='input_gradient' does without; leave one of them out"
        )
