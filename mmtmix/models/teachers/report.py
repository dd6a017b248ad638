"""A report of how many of the first training images of a run a teacher classifies correctly."""

from __future__ import annotations

import logging

import torch
from mmengine.logging import MessageHub, print_log
from torch import Tensor

from mmtmix.models.measures import count_hits

CAUSES = (
    'its checkpoint is trained and belongs to its config; its classes have the same order as the '
    "data set's; and its inputs are right: mean and std of its data_preprocessor, and the order "
    'of colour channels (channel_order and input_stats of the teacher)'
)


def beats_chance(hits: float, total: float, num_classes: int) -> bool:
    """Return whether a classifier is more than three standard deviations better than chance.

    Args:
        hits: Number of images that it classifies correctly.
        total: Number of images, > 0.
        num_classes: Number of classes, >= 1.
    """
    chance = 1 / num_classes
    return hits > total * chance + 3 * (total * chance * (1 - chance)) ** 0.5


class TeacherReport:
    """Log once per run how many of the first training images a teacher classifies correctly.

    The host waits for the device once per run. The accuracy on all later ones is a measure of the
    step, see :mod:`~mmtmix.models.measures`.

    Args:
        images: Number of images after which it logs, >= 1; batches are counted whole.
    """

    def __init__(self, images: int = 64):
        self.images = images
        self._run: str | None = None
        self._is_done = True
        self._total = 0
        self._hits: Tensor | int = 0
        self._soft: Tensor | bool = False

    @property
    def is_open(self) -> bool:
        """Whether a run is training that has no report yet."""
        hub = MessageHub.get_current_instance()
        if hub.get_info('loop_stage') != 'train':
            return False
        if hub.instance_name != self._run:
            self._run, self._is_done = hub.instance_name, False
            self._clear()
        return not self._is_done

    def close(self) -> None:
        """Switch the log off for this run, because its accuracy was logged elsewhere."""
        self._run, self._is_done = MessageHub.get_current_instance().instance_name, True

    @torch.no_grad()
    def __call__(self, logits: Tensor, scores: Tensor, is_last: bool = False) -> None:
        """Count the correct predictions of a batch, and log after the last batch that is needed.

        Args:
            logits: Logits of the teacher for training images, (N, num_classes).
            scores: Labels of the images, (N, num_classes). The largest share of a soft label
                counts. Labels of another number of classes are not counted.
            is_last: Whether to log after this batch, whatever its size, because the logits cost a
                pass of their own.
        """
        count_hits('teacher_clean_acc', logits, scores)
        if not self.is_open or logits.size(1) != scores.size(1) or not len(scores):
            return
        labels = scores.to(logits.device)
        hits = (logits.argmax(dim=1) == labels.argmax(dim=1)).sum()
        soft = (labels.float().amax(dim=1) < 0.99).any()
        self._hits, self._soft = self._hits + hits, self._soft | soft
        self._total += len(scores)
        if is_last or self._total >= self.images:
            self._is_done = True
            self._log(int(self._hits), logits.size(1), bool(self._soft))
            self._clear()

    def _clear(self) -> None:
        self._total, self._hits, self._soft = 0, 0, False

    def _log(self, hits: int, num_classes: int, soft: bool) -> None:
        share = f'{100 * hits / self._total:.1f} %'
        mixed = ', mixed ones by their largest share' if soft else ''
        text = f'The teacher gets {hits} of the first {self._total} training images right ({share}'
        text += f'{mixed}).'
        if num_classes < 2 or beats_chance(hits, self._total, num_classes):
            print_log(text, logger='current')
            return
        text += f' That is near chance ({100 / num_classes:.1f} %). Check that {CAUSES}.'
        print_log(text, logger='current', level=logging.WARNING)
