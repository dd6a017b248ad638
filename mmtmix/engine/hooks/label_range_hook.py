"""Refuse labels of no class, or of another class, before the first step."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS

from mmtmix.datasets.class_names import ClassNames, compare_names, iter_names
from mmtmix.engine.labels import check_labels, count_model_classes, iter_labelled
from mmtmix.engine.runner_privates import built_loop
from mmtmix.models.augments import iter_augments
from mmtmix.models.teachers import check_class_names, recorded_classes
from mmtmix.utils import unwrap

_LOADERS = ('train', 'val', 'test')


@HOOKS.register_module()
class LabelRangeHook(Hook):
    """Compares labels with the model's number of classes, and the classes' names.

    MMPretrain's data sets accept any label. One that is too large fails in the middle of an epoch,
    on a GPU without a hint. This hook reads the labels of each data set once, before a run starts.
    That includes the validation images, which are not loaded until an epoch has passed. It reads
    MMPretrain's data sets of single labels, alone or in MMEngine's wrappers. It skips other data
    sets, those with several labels or none, and models whose number of classes is unknown.

    Names are compared too. Those of validation and test images and of the augments' teachers must
    agree with those of the training images. A class that has another label ends the run. Names
    that only differ are logged as a warning. A test compares its images with the names in the
    checkpoint. Teachers for ``cam_class='predicted'``, and those of ``AttendedLabels`` and
    ``SimilarLabels``, may have any classes.

    ImageNet's 1.28 million training images take 1 s with a list of labels; the method of the data
    set would take 4 s. Labels that come from folders take no time.
    """

    def __init__(self) -> None:
        self._checked: list[Any] = []
        self._named: list[Any] = []
        self._names: ClassNames | None = None

    def before_run(self, runner: Any) -> None:
        """Check the loaders that this run has built.

        Raises:
            ValueError: If a label is none of the model's classes, or belongs to another class
                than in the training images.
        """
        num_classes = count_model_classes(runner.model)
        for name in _LOADERS:
            loop = built_loop(runner, name)
            if loop is None:
                continue
            loaded = loop.dataloader.dataset
            self._check_names(loaded, f'{name}_dataloader')
            if num_classes is None:
                continue
            for dataset in iter_labelled(loaded):
                if not any(dataset is other for other in self._checked):
                    self._checked.append(dataset)
                    check_labels(dataset, num_classes, f'{name}_dataloader')
        training = built_loop(runner)
        if training is not None:
            check_teachers_of_augments(runner, training.dataloader.dataset)

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Compare the images of a test with the classes that its checkpoint was trained on.

        Raises:
            ValueError: If a class has another label there.
        """
        # a training may start from weights of other classes, and MMEngine warns on a resume
        if self._names is not None and built_loop(runner) is None:
            trained = ClassNames('the checkpoint', recorded_classes(checkpoint))
            compare_names(trained, self._names)

    def _check_names(self, dataset: Any, loader: str) -> None:
        if any(dataset is named for named in self._named):
            return
        self._named.append(dataset)
        for names in iter_names(dataset, loader):
            if self._names is None:
                self._names = names
            else:
                compare_names(self._names, names)


def check_teachers_of_augments(runner: Any, dataset: Any) -> None:
    """Compare the classes of the augments' teachers with those of the training images.

    Args:
        runner: A Runner.
        dataset: Data set of the training.

    Raises:
        FileNotFoundError: If a file of a teacher is missing.
        ValueError: If a class has another label for a teacher, or a file does not fit.
    """
    for augment in iter_augments(unwrap(runner.model), runner.hooks):
        for part in augment.teacher_holders:
            if part.needs_task_classes:
                may_predict = hasattr(part, 'cam_class')
                check_class_names(part.teacher, dataset, 'train_dataloader', may_predict)
