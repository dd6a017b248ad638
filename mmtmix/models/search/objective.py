"""What a search minimises beside the teacher's cross entropy of the mixes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmtmix.checks import check_choice, check_keys, check_number
from mmtmix.functional import (
    HARD_FORMS,
    hardness,
    mode_seeking,
    resize_map,
    soft_cross_entropy,
)
from mmtmix.models.draw import Details, Draw
from mmtmix.models.measures import count_hits, measure
from mmtmix.models.mixers import TransformMixer
from mmtmix.models.teachers import FrozenTeacher, check_teacher

HARD_KEYS = ('teacher', 'beta', 'form')


def check_hard_for(hard_for: Any) -> None:
    """Check the settings of :class:`HardFor` without reading files.

    Args:
        hard_for: ``dict(teacher=..., beta=..., form=...)``, or None.

    Raises:
        TypeError: If it is of another type, or has an unknown key.
        ValueError: If the teacher is missing, or a value is out of its range.
    """
    if hard_for is None:
        return
    given = dict(hard_for) if isinstance(hard_for, Mapping) else hard_for
    check_keys('hard_for', given, HARD_KEYS)
    if given.get('teacher') is None:
        cure = 'give dict(teacher=dict(config=..., checkpoint=...), beta=0.3)'
        raise ValueError(f'hard_for needs a teacher, got {given!r:.200}; {cure}')
    check_teacher(hard_for['teacher'])
    check_number("hard_for['beta']", hard_for.get('beta', 1.0), above=0)
    check_choice("hard_for['form']", hard_for.get('form', HARD_FORMS[0]), HARD_FORMS)


class HardFor:
    """Penalise mixes that a second network recognises, such as an early teacher.

    Args:
        teacher: The second network, frozen.
        beta: Weight of the term, > 0.
        form: Form of the term; see :func:`~mmtmix.functional.hardness`.
    """

    def __init__(self, teacher: FrozenTeacher, beta: float = 1.0, form: str = HARD_FORMS[0]):
        self.teacher, self.beta, self.form = teacher, beta, form

    def __deepcopy__(self, memo: dict) -> HardFor:
        return self  # a frozen network needs no second copy in memory

    def __call__(self, mixed: Tensor, targets: Tensor) -> Tensor:
        """Return the term, a scalar, and measure how the network reads the mixes.

        Args:
            mixed: Mixes, (M, C, H, W), through which gradients flow.
            targets: Labels of the mixes, (M, num_classes).

        Raises:
            ValueError: If the network has other classes than the labels.
        """
        logits = self.teacher(mixed, check=False)
        if logits.size(1) != targets.size(1):
            raise ValueError(
                f'the teacher in hard_for has {logits.size(1)} classes and the labels have '
                f'{targets.size(1)}; give one that was trained on this data set'
            )
        count_hits('hard_mixed_acc', logits, targets)
        measure('hard_mixed_ce', soft_cross_entropy(logits.detach(), targets.detach()).mean())
        return self.beta * hardness(logits, targets, self.form).mean()


def diversity_term(
    mixer: TransformMixer, details: Details, draw: Draw, noise: Tensor, factor: float
) -> Tensor:
    """Return the weighted term against masks that ignore the transformer's noise z, a scalar.

    The module predicts masks once more, with another z. Orientations and the noise on the saliency
    stay, since these change masks even where z is ignored. The term is
    :func:`~mmtmix.functional.mode_seeking` of both. It takes no pass of a teacher. At masks that
    are equal its gradient is 0, so another loss must move a new module first.

    Args:
        mixer: The mixing module, with a spatial transformer.
        details: Details of :func:`~mmtmix.models.teacher_mix.mix_with_teacher`.
        draw: Draw of M mixes; its generator draws the other z.
        noise: Noise by which the masks in the details were made, on the masks' device.
        factor: Weight of the term, > 0.

    Raises:
        ValueError: If the module has no spatial transformer.
    """
    masks = details['masks']
    other = mixer.redraw_z(noise, draw.generator)
    _, others = mixer(details['saliency'], draw.weights, other)
    others = resize_map(others.squeeze(2), (masks.size(-2), masks.size(-1))).unsqueeze(2)
    measure('masks_apart', (masks - others).detach().abs().mean())
    return factor * mode_seeking(masks, others, noise[:, :1], other[:, :1])


@torch.no_grad()
def measure_shares(shares: Tensor, weights: Tensor) -> None:
    """Measure how far learned labels are from the drawn weights.

    Args:
        shares: Shares of the images in the labels, (M, k).
        weights: Drawn weights, (M, k).
    """
    measure('labels_moved', (shares - weights).abs().sum(dim=1).mean() / 2)
