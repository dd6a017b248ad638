"""Labels by what a teacher sees in a mix."""

from __future__ import annotations

import torch
from torch import Tensor

from mmtmix.checks import check_choice, check_number
from mmtmix.functional import mix_targets
from mmtmix.models.draw import Details
from mmtmix.models.teachers import FrozenTeacher

from .base import LABEL_RULES, MixToLabel
from .teacher_rule import TeacherRule

KINDS = ('soft', 'hard', 'sources')


@LABEL_RULES.register_module()
class TeacherLabels(TeacherRule):
    """Label each mix by what a teacher sees in it.

    With the teacher's logits ``f`` for a mix, and ``p = softmax(f / temperature)``, the label is

    - ``'soft'``: ``p`` over all classes;
    - ``'hard'``: the class of the largest ``p``, one-hot;
    - ``'sources'``: ``p`` over the classes of the images of the mix alone, scaled to a sum of 1.
      Class c counts by ``p[c] * max_i y_i[c]``. Where that is 0 for all classes, the weights of
      the augment on the ground truth stay.

    The logits of an augment that has run the teacher on its mixes, as ``SuperMix`` has, serve
    again.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher, with
            the classes of the task. None takes that of the augment or of its saliency source.
        kind: Kind of the label: ``'soft'``, ``'hard'`` or ``'sources'``.
        temperature: Divisor of the logits, > 0.

    Raises:
        FileNotFoundError: At the first call, if the teacher's files do not exist.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range; at the first call, if the teacher has other
            classes than the labels.
    """

    gives_targets = True

    def __init__(
        self,
        teacher: dict | FrozenTeacher | None = None,
        kind: str = 'soft',
        temperature: float = 1.0,
    ):
        check_choice('kind', kind, KINDS)
        check_number('temperature', temperature, above=0)
        super().__init__(teacher)
        self.kind, self.temperature = kind, temperature

    @torch.no_grad()
    def __call__(self, mix: MixToLabel) -> Details:
        """See :meth:`LabelRule.__call__`.

        Raises:
            ValueError: If the teacher has other classes than the labels.
        """
        logits = mix.details.get('logits') if not self.has_teacher else None
        if logits is None:
            logits = self.teacher_for(mix.augment)(mix.mixed)
        if logits.size(1) != mix.scores.size(1):
            raise ValueError(
                f'the teacher has {logits.size(1)} classes and batch_scores has '
                f'{mix.scores.size(1)}; TeacherLabels needs a teacher of this task'
            )
        probabilities = (logits.float() / self.temperature).softmax(dim=1)
        if self.kind == 'sources':
            probabilities = _of_sources(probabilities, mix)
        if self.kind == 'hard':
            winners = probabilities.argmax(dim=1, keepdim=True)
            probabilities = torch.zeros_like(probabilities).scatter_(1, winners, 1.0)
        return dict(targets=probabilities.to(mix.scores.dtype))


def _of_sources(probabilities: Tensor, mix: MixToLabel) -> Tensor:
    """Return probabilities of the classes of each mix's images alone, (M, num_classes)."""
    index, weights = mix.details['index'], mix.details['weights']
    labels = mix.scores.float().index_select(0, index.flatten()).unflatten(0, index.shape)
    # an image of weight 0, such as one that fills a free place of a mix, has no part in it
    present = torch.where(weights[..., None] > 0, labels, torch.zeros_like(labels)).amax(dim=1)
    seen = probabilities * present
    total = seen.sum(dim=1, keepdim=True)
    given = mix_targets(mix.scores.float(), weights, index)
    return torch.where(total <= 0, given, seen / total.clamp_min(1e-30))
