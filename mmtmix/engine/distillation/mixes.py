"""Sources of mixed images for a distillation."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from mmtmix.models.teachers import FrozenTeacher


@dataclass
class MixedBatch:
    """Mixed images, and what was computed with them.

    Attributes:
        inputs: Images normalised for the student, (M, C, H, W).
        targets: Soft labels (M, num_classes); None where they are not needed.
        clean_logits: Logits of the teacher for the clean batch; None unless mixing computed them.
        logits: Logits of the teacher for the mixes; None unless mixing computed them.
    """

    inputs: Tensor
    targets: Tensor | None = None
    clean_logits: Tensor | None = None
    logits: Tensor | None = None


class Mixes(metaclass=ABCMeta):
    """A source of mixed images, one batch per step.

    Its constructor reads no file. A test of the student calls it too, and has neither an augment's
    files nor mixed images.
    """

    def load(self) -> None:  # noqa: B027  (optional)
        """Read the files that mixing needs, in a run that trains."""

    def prepare(self, runner: Any, num_classes: int | None, needs_targets: bool) -> None:  # noqa: B027  (optional)
        """Prepare, after a resume and before the first step.

        Args:
            runner: The Runner.
            num_classes: Number of classes of the student; None if it is unknown.
            needs_targets: Whether mixed labels are needed.
        """

    def begin_epoch(self, runner: Any) -> None:  # noqa: B027  (optional)
        """Begin an epoch at the run's iteration.

        Args:
            runner: The Runner.
        """

    def end_epoch(self) -> None:  # noqa: B027  (optional)
        """Release what only an epoch needs, such as workers."""

    @abstractmethod
    def draw(
        self, inputs: Tensor, data_samples: Sequence, teacher: FrozenTeacher, needs_targets: bool
    ) -> MixedBatch:
        """Return the mixed batch of a step.

        Args:
            inputs: Clean batch (N, C, H, W), normalised for the student; it is not changed.
            data_samples: N samples with its labels.
            teacher: Teacher of the distillation.
            needs_targets: Whether mixed labels are needed.
        """
