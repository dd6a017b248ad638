"""Distillation in any run."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import FlexibleRunner
from mmpretrain.registry import HOOKS
from torch import nn

from mmtmix.checks import check_flag
from mmtmix.engine.cleanup import Cleanup
from mmtmix.engine.distillation import (
    OLD_MIXED_CLS,
    DistillObjective,
    Student,
    TeacherPredictions,
    add_parameters,
    build_mixes,
    check_choices,
    check_class_counts,
    check_distillable,
    check_views,
    choose_method,
    join_state,
    load_losses,
    numbered_labels,
    repeats_batches,
    split_state,
)
from mmtmix.engine.runner_privates import built_loop, is_resumed, shared_seed
from mmtmix.evaluation import TeacherAgreement
from mmtmix.models.losses import DistillLoss
from mmtmix.models.teachers import (
    FrozenTeacher,
    build_teacher,
    check_class_names,
    check_teacher,
)
from mmtmix.utils import current_value, unwrap

_ENTRY = 'distillation'


@HOOKS.register_module()
class DistillHook(Hook):
    """Adds a teacher to the training of any classifier.

    It captures the student's outputs in its own forward pass and adds terms to its losses. So
    nothing in the model changes, and a checkpoint has the keys of a run without the hook. State of
    the losses, such as CRD's memory banks, has an entry of its own in those checkpoints that can
    be resumed. The log has every term, with its weight. Validation also reports the teacher's
    accuracy and how often both agree.

    After an exception the student stays attached until the Runner is deleted;
    :func:`~mmtmix.engine.cleanup.closing_hooks` detaches it at once.

    A classifier that mixes inside the network, such as ``ManifoldMixup``, is refused, since no
    image shows what its head takes. Your own classifiers declare this by
    :class:`~mmtmix.models.HeadUse`.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, such as
            ``dict(config=..., checkpoint=...)``, or a teacher.
        preset: Name of a method, which sets ``cls_weight`` and ``losses``: ``'kd'``,
            ``'ce_mixed'``, ``'kd_mixed'``, ``'crd'`` or ``'crd_kd'``, see
            :data:`~mmtmix.engine.distillation.PRESETS`.
        losses: Configs of :class:`~mmtmix.models.losses.DistillLoss`, in place of the preset's.
        mixed: Source of mixed images for every step. ``dict(augment=...)`` is a batch augment, or
            a list to choose from, that mixes the clean batch. ``dict(dataloader=...)`` loads
            batches of a second data set, such as :class:`~mmtmix.datasets.MixedImages`.
        cls_weight: Factor of the losses of the student's head, on clean and on mixed images, in
            place of the preset's; 1 by default. Other losses of a student, such as AugMix's
            divergence, keep their weight.
        mixed_cls: Labels of mixed images: ``'hard_teacher'`` for the class that the teacher
            predicts, ``'mixed'`` for their mixed labels.
        kd_on: Images on which the student is compared with the teacher: ``'clean'``, ``'mixed'``
            or ``'both'``, on each with the loss's whole weight.
        validate_teacher: Whether validation reports the teacher.

    Raises:
        FileNotFoundError: If the teacher's files do not exist.
        TypeError: If a loss has parameters and the run has several optimizers or a
            ``FlexibleRunner``, or an argument has another type.
        ValueError: If arguments don't fit together, or student, teacher and images don't; always
            before the first step.
    """

    def __init__(
        self,
        teacher: dict | FrozenTeacher,
        preset: str | None = None,
        losses: Sequence[dict] | None = None,
        mixed: dict | None = None,
        cls_weight: float | None = None,
        mixed_cls: str = 'hard_teacher',
        kd_on: str = 'clean',
        validate_teacher: bool = True,
    ):
        mixed_cls = current_value('mixed_cls of DistillHook', mixed_cls, OLD_MIXED_CLS)
        check_choices(mixed_cls, kd_on, mixed)
        check_flag('validate_teacher', validate_teacher)
        check_teacher(teacher)
        method = choose_method(preset, losses, cls_weight, mixed)
        self.losses, self.cls_weight = method.losses, method.cls_weight
        self.teacher_config = teacher
        with torch.random.fork_rng(devices=[]):  # building networks draws random weights
            self.mixes = build_mixes(mixed)
        self.mixed_cls, self.kd_on = mixed_cls, kd_on
        self.validate_teacher = validate_teacher
        self._seed: Sequence[int] = ()
        self.cleanup = Cleanup()

    def before_run(self, runner: Any) -> None:
        """Build teacher and losses, after the optimizer and before a checkpoint is loaded."""
        if built_loop(runner) is None:
            return  # a test, which needs neither a teacher nor mixed images
        if sum(isinstance(hook, DistillHook) for hook in runner.hooks) > 1:
            raise ValueError('there are several DistillHooks; give one all of the losses')
        model = unwrap(runner.model)
        needs_features = any(loss.needs_features for loss in self._terms)
        student = Student(model, needs_features)
        check_views(student, self._terms, self.mixes)
        with torch.random.fork_rng(devices=[]):  # keeps the student's initialisation
            if self.mixes is not None:
                self.mixes.load()
            teacher = build_teacher(self.teacher_config)
        check_distillable(teacher, needs_features)
        check_class_counts(student.num_classes, teacher.num_classes)
        check_class_names(teacher, runner.train_loop.dataloader.dataset, 'train_dataloader')
        teacher.check_channels()
        self.objective = DistillObjective(
            student,
            teacher,
            self._terms,
            self.mixes,
            self.cls_weight,
            self.mixed_cls,
            self.kd_on,
        )
        self._prepare_losses(runner, student, teacher)
        self.cleanup.begin(runner)

    def before_train(self, runner: Any) -> None:
        """Prepare the mixed images, and attach to the student."""
        student = self.objective.student
        if self.mixes is not None:
            needs_targets = self.mixed_cls == 'mixed'
            self.mixes.prepare(runner, student.num_classes, needs_targets)
            self.cleanup.callback(self.mixes.end_epoch)
        self._attach(runner, student)

    def before_train_epoch(self, runner: Any) -> None:
        """Continue the stream of mixed images."""
        if self.mixes is not None:
            self.mixes.begin_epoch(runner)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Set the seed of the step."""
        self._seed = (shared_seed(runner), runner.iter)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Update the losses after the step."""
        for loss in self._terms:
            loss.after_step()

    def after_train_epoch(self, runner: Any) -> None:
        """Close the workers of the mixed loader."""
        if self.mixes is not None:
            self.mixes.end_epoch()

    def after_train(self, runner: Any) -> None:
        """Detach from the student."""
        self.cleanup.close()

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Move the losses' state into an entry of its own, if the checkpoint can be resumed."""
        if not self._has_parameters or 'optimizer' not in checkpoint:
            return
        state = {name: value.cpu() for name, value in self.losses.state_dict().items()}
        extra = split_state(checkpoint['optimizer'])
        checkpoint[_ENTRY] = dict(losses=state, optimizer=extra)

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Restore the losses' state on a resume.

        Raises:
            ValueError: If the checkpoint to resume has none of these losses.
        """
        if not self._has_parameters or not is_resumed(runner):
            return
        entry = checkpoint.pop(_ENTRY, None)
        if entry is None:
            names = ', '.join(type(loss).__name__ for loss in self.losses)
            raise ValueError(
                f'the checkpoint to resume from was not made with {names}, whose state is not in '
                'it; start anew, with load_from for the weights'
            )
        load_losses(self.losses, entry['losses'])
        join_state(checkpoint['optimizer'], entry['optimizer'])

    @property
    def _terms(self) -> list[DistillLoss]:
        """The losses, which a ModuleList types as modules."""
        return [loss for loss in self.losses if isinstance(loss, DistillLoss)]

    @property
    def _has_parameters(self) -> bool:
        return any(True for _ in self.losses.parameters())

    def _prepare_losses(self, runner: Any, student: Student, teacher: FrozenTeacher) -> None:
        labels = torch.empty(0, dtype=torch.long)
        if any(loss.needs_index for loss in self._terms):
            labels = numbered_labels(runner.train_loop.dataloader.dataset)
        dims = student.feature_dim, teacher.feature_dim
        for loss in self._terms:
            loss.prepare(*dims, labels, shared_seed(runner))
        if self._has_parameters:
            if isinstance(runner, FlexibleRunner):
                names = ', '.join(type(loss).__name__ for loss in self._terms)
                raise TypeError(
                    f'{names} has weights that a checkpoint holds beside the student, and a '
                    'FlexibleRunner loads checkpoints before hooks can add them; leave '
                    'runner_type out, or use losses without weights, such as KDLoss'
                )
            self.losses.to(next(student.model.parameters()).device)
            add_parameters(runner, self.losses.parameters())

    def _attach(self, runner: Any, student: Student) -> None:
        self._signature = inspect.signature(student.model.forward)
        handle = student.model.register_forward_hook(self._on_forward, with_kwargs=True)
        for attached in (handle, *student.attach()):
            self.cleanup.callback(attached.remove)
        self._predictions = None
        if self.validate_teacher and runner.val_loop is not None:
            self._predictions = TeacherPredictions(
                self.objective.teacher, repeats_batches(runner.val_loop.dataloader)
            )
            metrics = runner.val_loop.evaluator.metrics
            metrics.append(TeacherAgreement())
            metrics[-1].dataset_meta = metrics[0].dataset_meta if len(metrics) > 1 else None
            self.cleanup.callback(metrics.pop)

    @torch.compiler.disable
    def _on_forward(self, model: nn.Module, args: tuple, kwargs: dict, output: Any) -> Any:
        """Add terms to the losses, or the teacher's classes to the predictions, of the student."""
        call = self._signature.bind(*args, **kwargs)
        call.apply_defaults()
        inputs, mode = call.arguments['inputs'], call.arguments['mode']
        if mode == 'loss':
            entropy = np.random.SeedSequence(self._seed).generate_state(1, np.uint64)
            seed = int(entropy[0] >> np.uint64(1))
            return self.objective(inputs, call.arguments['data_samples'], output, seed)
        if mode == 'predict' and self._predictions is not None:
            self._predictions.write(inputs, output)
        return output
