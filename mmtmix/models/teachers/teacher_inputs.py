"""Inputs of a teacher: moved, renormalised and checked."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from .input_stats import InputStats
from .renormalize import Renormalize


class TeacherInputs:
    """Turns a task's batches into those that a teacher was trained on.

    Args:
        model: The teacher's network, which follows its inputs to their device.
        own: Statistics of the images on which it was trained.
        given: Statistics of the batches; None for those of the running config, and outside of a
            run for ``own``.
        memory_format: Memory format of the network and the batches.
    """

    def __init__(
        self,
        model: nn.Module,
        own: InputStats,
        given: Mapping | InputStats | None,
        memory_format: torch.memory_format,
    ):
        self.model, self.own, self.memory_format = model, own, memory_format
        model.to(memory_format=memory_format)
        convolutions = (layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
        first = next(convolutions, None)
        self.channels = None if first is None else first.in_channels
        self.given = None if given is None else InputStats.from_dict(given)
        self._renormalize: Renormalize | None = None

    def check_channels(self) -> None:
        """Refuse colour images whose channel order is unknown, before there are any.

        Raises:
            ValueError: If the order of the task's images can't be compared with the teacher's.
        """
        if self.channels is not None:
            Renormalize(self._source(self.channels), self.own).check(self.channels)

    def prepare(self, inputs: Tensor) -> Tensor:
        """Return a batch as the network needs it, and move the network to the batch's device.

        Args:
            inputs: Images of the task, (N, C, H, W).

        Raises:
            ValueError: If they have another number of channels, or an unknown order of these.
        """
        if self.channels not in (None, inputs.size(1)):
            raise ValueError(
                f'the teacher takes images of {self.channels} channel(s), got a batch of shape '
                f'{tuple(inputs.shape)}; use a teacher trained on such images'
            )
        parameter = next(self.model.parameters())
        # tensors that are made in inference mode could not serve gradients later
        with torch.inference_mode(False):
            if parameter.device != inputs.device:
                self.model.to(inputs.device)
            # read for each batch, since a run may have begun or ended in between
            source = self._source(inputs.size(1))
            if self._renormalize is None or self._renormalize.source != source:
                print_log(f'The teacher gets images normalised by {source}', logger='current')
                self._renormalize = Renormalize(source, self.own).to(inputs.device)
        inputs = self._renormalize(inputs.to(parameter.dtype))
        return inputs.contiguous(memory_format=self.memory_format)

    def _source(self, channels: int) -> InputStats:
        return InputStats.of_batch(self.given, channels) or self.own
