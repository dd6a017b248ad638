"""TransformMix as a batch augment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_choice
from mmtmix.functional import identity_theta
from mmtmix.models.draw import Details, Draw
from mmtmix.models.label_rules import GT, LabelRule
from mmtmix.models.late_verdict import FiniteCheck
from mmtmix.models.mixers import TransformMixer, build_module, check_module, module_file
from mmtmix.models.saliency.teacher_cam import CAM_CLASSES, check_cam_labels
from mmtmix.models.teacher_mix import mix_with_teacher, visible_weights
from mmtmix.models.teachers import FrozenTeacher, TeacherMixin
from mmtmix.utils import current_value

from .batch_augment import BatchAugment

OLD_LABELS = {'given': 'gt'}
_MODULE_CURE = 'give a mixer.pth whose search did not diverge'


@BATCH_AUGMENTS.register_module()
class TransformMix(TeacherMixin, BatchAugment):
    """Mix images by a learned mixing module (TransformMix, Algorithm 1, without SEARCH).

    Each image has one class. The files of the module and of the teacher are read at the first
    call. So a classifier that was trained with this augment predicts without them.

    The details have as well: ``saliency`` (N, k, 1, h, w), ``theta`` (N, k, 2, 3) and the
    teacher's ``clean_logits`` for the batch (N, num_classes).

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, such as
            ``dict(config=..., checkpoint=...)``, or a teacher.
        mixer: Path of the ``mixer.pth`` of a search, or ``'mmtmix://fashionmnist_k2'`` for one
            that comes with the package; or a module; or its config,
            ``dict(type='TransformMixer', ...)``. With ``checkpoint='mixer.pth'`` the config stands
            for that file, whose settings must agree with it.
        num_mix: Number of images per mix, k >= 2; that of the module.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        cam_class: Class whose activation map is used: ``'target'`` takes the label,
            ``'predicted'`` the teacher's prediction, for a teacher of another label space.
        labels: Shares of the classes in the mixed labels: ``'gt'`` takes the drawn weights
            (Eq. 4), ``'visible'`` (ours) each image's part of all saliency that the masks leave.
            The latter sums the maps in the range [0, 1] at their own size, as in our records.
            Or a label rule, see :class:`BatchAugment`: ``dict(type='VisibleLabels')`` takes the
            same maps, each scaled to a sum of 1, at the size of the images.
            The ``weights`` in the details are these shares.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.

    Raises:
        FileNotFoundError: At the first call, if the mixer's or the teacher's file does not exist.
        TypeError: If ``mixer`` or ``teacher`` is of another type.
        ValueError: If an argument is out of its range; at the first call, if a file doesn't fit.
    """

    teacher: FrozenTeacher  # TeacherMixin reads its files at the first use
    gives_saliency = True
    own_labels = (GT, 'visible')

    def __init__(
        self,
        teacher: dict | FrozenTeacher,
        mixer: str | os.PathLike | dict | TransformMixer,
        num_mix: int = 2,
        alpha: float = 1.0,
        cam_class: str = 'target',
        labels: str | Mapping | LabelRule = GT,
        num_classes: int | None = None,
        per_sample: bool = True,
    ):
        labels = current_value('labels of TransformMix', labels, OLD_LABELS)
        super().__init__(num_mix, alpha, num_classes, per_sample, labels)
        check_choice('cam_class', cam_class, CAM_CLASSES)
        self.cam_class = cam_class
        check_module(mixer, num_mix)
        name = module_file(mixer) or 'of the config'
        self._check_module = FiniteCheck(f'theta and masks of the mixer {name}', _MODULE_CURE)
        self.hold_teacher(teacher)
        self._mixer = build_module(mixer, num_mix) if module_file(mixer) is None else mixer

    @property
    def needs_task_classes(self) -> bool:
        """See :attr:`TeacherMixin.needs_task_classes`."""
        return self.cam_class == 'target'

    @cached_property
    def mixer(self) -> TransformMixer:
        """The mixing module."""
        with torch.inference_mode(False):  # its parameters must serve gradients later
            mixer = build_module(self._mixer, self.num_mix)
            return mixer.to(memory_format=self.teacher.memory_format)

    def load(self) -> None:
        """See :meth:`BatchAugment.load`."""
        super().load()  # the teacher
        _ = self.mixer

    @torch.no_grad()
    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        if self.mixer.log_temperature.device != images.device:
            self.mixer.to(images.device)
        by_label = self.cam_class == 'target'
        if by_label:
            check_cam_labels(self.teacher, images, scores)
        mixed, details = mix_with_teacher(self.teacher, self.mixer, images, scores, draw, by_label)
        # a transformation of NaN would show a corner of the image, which is finite
        self._check_module(details['theta'], details['masks'])
        if self.labels == 'visible':
            details['weights'] = visible_weights(details, self.mixer)
        return mixed, details

    @torch.no_grad()
    def warp_sources(self, images: Tensor, details: Details) -> Tensor:
        """See :meth:`BatchAugment.warp_sources`."""
        return self.mixer.warp_sources(images, details['index'], details['theta'])

    @torch.no_grad()
    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """See :meth:`BatchAugment.unmixed_details`."""
        details = super().unmixed_details(images, scores)
        own = details['weights']
        return dict(
            details,
            theta=identity_theta(own.size(0), own.size(1), like=own),
            clean_logits=self.teacher(images),
        )
