"""The training loop that mixes batches and makes no step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.runner import EpochBasedTrainLoop
from mmpretrain.engine import SwitchRecipeHook
from mmpretrain.models import ClsDataPreprocessor, RandomBatchAugment
from mmpretrain.registry import LOOPS
from torch import Tensor, nn

from mmtmix.engine.distillation.mixes import Mixes
from mmtmix.engine.hooks import DistillHook
from mmtmix.functional import mix_targets
from mmtmix.models.augments import load_augments
from mmtmix.models.classifiers import AutoMixClassifier
from mmtmix.models.classifiers.labels import read_scores
from mmtmix.models.data_preprocessors import ResidentPreprocessor
from mmtmix.models.detailed_mix import choose
from mmtmix.models.draw import draw_mixes, rank_generator
from mmtmix.models.search import MixerSearch
from mmtmix.models.teacher_mix import mix_with_teacher
from mmtmix.utils import unwrap

from .browsing import hook_of
from .notes import UNMIXED

_CALLING = (ClsDataPreprocessor, ResidentPreprocessor)  # preprocessors that call a choice as it is


@dataclass
class Group:
    """Images of a batch that are drawn together.

    Attributes:
        title: Name of the images.
        inputs: Images as the network gets them, (N, C, H, W).
        labels: Labels: scores (N, num_classes), or class numbers (N,), or None.
    """

    title: str
    inputs: Tensor
    labels: Tensor | None


class NamingMix:
    """Mixes as the batch augments of a data preprocessor do, and notes which one was chosen.

    Mixes and random streams stay the same.

    Args:
        choice: MMPretrain's choice among batch augments.

    Attributes:
        name: What mixed the last batch, in words; empty before the first.
    """

    def __init__(self, choice: Any):
        self.choice = choice
        self.name = ''

    def __call__(self, inputs: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mixes of a batch and their labels."""
        augment = choose(self.choice)
        if augment is None:
            self.name = UNMIXED
            return inputs, scores.float()
        self.name = f'mixed by {type(augment).__name__}'
        return augment(inputs, scores)


@LOOPS.register_module()
class BrowseLoop(EpochBasedTrainLoop):
    """Prepares and mixes the first batches of an epoch as a training would, without a step.

    Args:
        runner: The Runner.
        dataloader: Loader of the training images, or its config.
        max_epochs: Number of epochs of the training.
        epoch: Epoch to draw, 1 to ``max_epochs``.
        batches: Number of batches, >= 1.
        **kwargs: Other arguments of ``EpochBasedTrainLoop``.

    Attributes:
        drawn: Groups of images of each batch.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: Any,
        max_epochs: int,
        epoch: int = 1,
        batches: int = 1,
        **kwargs: Any,
    ):
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        self.first, self.batches = epoch, batches
        self.drawn: list[list[Group]] = []

    def run(self) -> nn.Module:
        """Draw the batches of the epoch, and return the runner's model."""
        runner = self.runner
        load_augments(unwrap(runner.model), runner.hooks)
        runner.call_hook('before_train')
        try:
            for earlier in range(self.first - 1):
                self._epoch = earlier  # a schedule acts at the start of its epoch
                for hook in runner.hooks:
                    if isinstance(hook, SwitchRecipeHook):
                        hook.before_train_epoch(runner)
            self._epoch = self.first - 1
            self._iter = self._epoch * len(self.dataloader)
            runner.call_hook('before_train_epoch')
            runner.model.train()
            self._name_mixes()
            for number, data in zip(range(self.batches), self.dataloader, strict=False):
                runner.call_hook('before_train_iter', batch_idx=number, data_batch=data)
                with torch.no_grad():
                    self.drawn.append(self.groups(data))
                self._iter += 1
        finally:
            runner.call_hook('after_train')
        return runner.model

    def groups(self, data: dict) -> list[Group]:
        """Return what the network gets of a batch.

        Args:
            data: Batch from the data loader.
        """
        model = unwrap(self.runner.model)
        prepared = model.data_preprocessor(data, training=True)
        inputs, samples = prepared['inputs'], prepared.get('data_samples') or []
        if samples and len(inputs) > len(samples) and len(inputs) % len(samples) == 0:
            views = inputs.split(len(samples))
            return [
                Group(f'view {number} of each image', view, _labels(samples))
                for number, view in enumerate(views, 1)
            ]
        choice = getattr(model.data_preprocessor, 'batch_augments', None)
        found = [Group(getattr(choice, 'name', ''), inputs, _labels(samples))]
        if isinstance(model, MixerSearch):
            found.append(_searched(model, inputs, samples))
        elif isinstance(model, AutoMixClassifier):
            scores = read_scores(samples, model.head.num_classes)
            found.append(Group('mixed by the mix block', *model.mix(inputs, scores)))
        hook = hook_of(self.runner, DistillHook)
        if hook is not None and hook.mixes is not None:
            found.append(_distilled(hook, hook.mixes, inputs, samples))
        return found

    def _name_mixes(self) -> None:
        preprocessor = unwrap(self.runner.model).data_preprocessor
        choice = getattr(preprocessor, 'batch_augments', None)
        # others call the augments in a way of their own
        if isinstance(choice, RandomBatchAugment) and type(preprocessor) in _CALLING:
            preprocessor.batch_augments = NamingMix(choice)


def _labels(samples: Sequence[Any]) -> Tensor | None:
    """Return the labels of samples: scores, class numbers, or None where there are none."""
    if not samples:
        return None
    if 'gt_score' in samples[0]:
        return torch.stack([sample.gt_score for sample in samples]).float()
    if 'gt_label' not in samples[0] or any(len(sample.gt_label) != 1 for sample in samples):
        return None
    return torch.cat([sample.gt_label for sample in samples])


def _searched(model: MixerSearch, inputs: Tensor, samples: Sequence[Any]) -> Group:
    """Return mixes as a search makes them."""
    model.teacher.count_classes(inputs)
    scores = model.read_scores(samples).to(inputs.device)
    num_mix = model.mixer.num_mix
    if len(inputs) < num_mix:
        return Group(f'too small a batch for mixes of {num_mix} images', inputs, scores)
    draw = draw_mixes(len(inputs), num_mix, model.alpha, rank_generator(), inputs.device)
    mixed, _ = mix_with_teacher(model.teacher, model.mixer, inputs, scores, draw)
    return Group('mixed by the module', mixed, mix_targets(scores, draw.weights, draw.index))


def _distilled(hook: DistillHook, mixes: Mixes, inputs: Tensor, samples: Sequence[Any]) -> Group:
    """Return the mixed images of a distillation, with the labels that the student learns."""
    teacher = hook.objective.teacher
    is_mixed = hook.mixed_cls == 'mixed'
    batch = mixes.draw(inputs, samples, teacher, is_mixed)
    labels = batch.targets if is_mixed else teacher(batch.inputs).argmax(dim=1)
    kind = 'mixed labels' if is_mixed else "the teacher's classes"
    return Group(f'mixed images of the distillation, with {kind}', batch.inputs, labels)
