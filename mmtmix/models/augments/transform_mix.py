"""TransformMix as a batch augment."""

from __future__ import annotations

import os
from functools import cached_property

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_choice
from mmtmix.functional import identity_theta, resize_map, visible_shares, warp
from mmtmix.models.late_verdict import FiniteCheck
from mmtmix.models.mixers import TransformMixer, build_module, check_module, module_file
from mmtmix.models.saliency.teacher_cam import CAM_CLASSES, check_classes
from mmtmix.models.teachers import AsksTeacher, FrozenTeacher

from .batch_augment import BatchAugment, Details

LABELS = ('given', 'visible')
_MODULE_CURE = 'give a mixer.pth whose search did not diverge'


@BATCH_AUGMENTS.register_module()
class TransformMix(AsksTeacher, BatchAugment):
    """Mix images by a learned mixing module (TransformMix, Algorithm 1, without SEARCH).

    It takes one class an image, and reads the files of its module and its teacher at the first
    call: a classifier that was trained with it predicts without them.

    Its details have, beside those of every mixer, ``saliency`` (N, k, 1, h, w), ``theta``
    (N, k, 2, 3) and the teacher's ``clean_logits`` for the batch (N, num_classes).

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, such as
            ``dict(config=..., checkpoint=...)``, or a teacher.
        mixer: The ``mixer.pth`` of a search; or ``dict(type='TransformMixer', ...)``, an
            untrained module, or, with ``checkpoint='mixer.pth'`` in it, that file, which must
            have the settings given beside it; or a module.
        num_mix: Images a mix, k; the mixer's own.
        alpha: Dirichlet parameter of the weights, > 0.
        cam_class: The class whose activation map is used: ``'target'`` takes the label,
            ``'predicted'`` the teacher's prediction, for a teacher of another label space.
        labels: Shares of the classes in the mixed labels: ``'given'`` takes the drawn weights
            (Eq. 4), ``'visible'`` each image's part of all saliency that masks leave (ours); the
            ``weights`` in the details are these then.
        num_classes: Number of classes, which integer labels (N,) need, >= 1; None takes scores
            alone.

    Raises:
        FileNotFoundError: At the first call, if the mixer's or the teacher's file does not exist.
        TypeError: If ``mixer`` or ``teacher`` is none.
        ValueError: If an argument is out of its range; at the first call, if a file doesn't fit.
    """

    def __init__(
        self,
        teacher: dict | FrozenTeacher,
        mixer: str | os.PathLike | dict | TransformMixer,
        num_mix: int = 2,
        alpha: float = 1.0,
        cam_class: str = 'target',
        labels: str = 'given',
        num_classes: int | None = None,
    ):
        super().__init__(num_mix, alpha, num_classes)
        check_choice('labels', labels, LABELS)
        check_choice('cam_class', cam_class, CAM_CLASSES)
        self.cam_class = cam_class
        self.labels = labels
        check_module(mixer, num_mix)
        name = module_file(mixer) or 'of the config'
        self._check_module = FiniteCheck(f'theta and masks of the mixer {name}', _MODULE_CURE)
        self.hold_teacher(teacher)
        self._mixer = build_module(mixer, num_mix) if module_file(mixer) is None else mixer

    @cached_property
    def mixer(self) -> TransformMixer:
        """The mixing module."""
        with torch.inference_mode(False):  # what is made here must serve gradients later, too
            mixer = build_module(self._mixer, self.num_mix)
            return mixer.to(memory_format=self.teacher.memory_format)

    def load(self) -> None:
        """See :meth:`BatchAugment.load`."""
        super().load()  # the teacher
        _ = self.mixer

    @torch.no_grad()
    def mix(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        if self.mixer.log_temperature.device != batch_inputs.device:
            self.mixer.to(batch_inputs.device)
        classes = None
        if self.cam_class == 'target':
            check_classes(self.teacher, batch_inputs, batch_scores)
            classes = batch_scores.argmax(dim=1)
        logits, saliency = self.teacher.saliency(batch_inputs, classes, self.mixer.cam_size)
        self.teacher.report(logits, batch_scores)
        saliency = saliency[index]
        noise = self.mixer.draw_noise(len(index), generator)
        noise = noise.to(batch_inputs.device, non_blocking=True)
        mixed, details = self.mixer.mix(batch_inputs[index], saliency, weights, noise)
        # a transformation of NaN would show a corner of the image, which is finite
        self._check_module(details['theta'], details['masks'])
        if self.labels == 'visible':
            seen = resize_map(details['masks'].squeeze(2), self.mixer.cam_size).unsqueeze(2)
            moved = warp(saliency, details['theta'], self.mixer.padding_mode)
            details['weights'] = visible_shares(moved, seen)
        return mixed, dict(saliency=saliency, clean_logits=logits, **details)

    @torch.no_grad()
    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """See :meth:`BatchAugment.unmixed_details`."""
        details = super().unmixed_details(images, scores)
        own = details['weights']
        saliency = torch.zeros_like(own)[..., None, None, None]
        return dict(
            details,
            saliency=saliency,
            theta=identity_theta(*own.shape, like=own),
            clean_logits=self.teacher(images),
        )
