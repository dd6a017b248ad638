"""The training loop of a search."""

from __future__ import annotations

import os.path as osp
from typing import Any

import torch
from mmengine.dist import all_reduce, is_main_process
from mmengine.runner import EpochBasedTrainLoop
from mmpretrain.registry import LOOPS
from torch import nn

from mmtmix.checks import check_file_name, check_integer
from mmtmix.engine.hooks import FiniteStopHook
from mmtmix.engine.mixing import batch_sizes, check_batch_size
from mmtmix.evaluation import MixQuality
from mmtmix.models.mixers import save_mixer
from mmtmix.models.search import MixerSearch
from mmtmix.models.teachers import beats_chance, check_class_names
from mmtmix.models.teachers.report import CAUSES
from mmtmix.utils import unwrap


@LOOPS.register_module()
class MixerSearchLoop(EpochBasedTrainLoop):
    """Epoch-based training of a :class:`~mmtmix.models.MixerSearch`.

    It adds four things to an epoch-based loop: a check of the teacher before the first step, a
    stop on a non-finite loss that keeps the last good weights, the exported ``mixer.pth``, and a
    warning if the last validation by ``MixQuality`` found no gain over CutMix and Mixup.

    Args:
        runner: The Runner.
        dataloader: Loader of the training images, or its config.
        max_epochs: Number of epochs, >= 1.
        mixer_name: Name of the exported file in the work dir.
        teacher_batches: Number of training batches per rank on which the teacher must beat chance,
            >= 1.
        finite_interval: Number of steps between two checks that all is finite, >= 1.
        **kwargs: Other arguments of ``EpochBasedTrainLoop``.

    Raises:
        TypeError: If the runner's model is no ``MixerSearch``.
        ValueError: If ``teacher_batches`` is below 1.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: Any,
        max_epochs: int,
        mixer_name: str = 'mixer.pth',
        teacher_batches: int = 4,
        finite_interval: int = 50,
        **kwargs: Any,
    ):
        cure = 'a search learns from its teacher, which has to beat chance'
        check_integer('teacher_batches', teacher_batches, 1, cure=cure)
        check_integer('max_epochs', max_epochs, 1)
        check_integer('finite_interval', finite_interval, 1)
        check_file_name('mixer_name', mixer_name, cure='it is written into the work dir')
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        if not isinstance(self.search, MixerSearch):
            raise TypeError(
                f"MixerSearchLoop trains model=dict(type='MixerSearch'), got {type(self.search)}"
            )
        self.mixer_name = mixer_name
        self.teacher_batches = teacher_batches
        self.check_batches()
        self._keep_good_weights(finite_interval)

    def _keep_good_weights(self, interval: int) -> None:
        hook = FiniteStopHook(interval, keep_weights=True)
        for other in self.runner.hooks:
            if isinstance(other, FiniteStopHook):
                other.interval, other.keep_weights = interval, True
                return
        self.runner.register_hook(hook)

    @property
    def search(self) -> MixerSearch:
        """The searched model, out of its DDP wrapper."""
        return unwrap(self.runner.model)

    def run(self) -> nn.Module:
        """Check the teacher, search, export, and warn of a module that learned nothing.

        Returns:
            The runner's model.

        Raises:
            RuntimeError: If the teacher doesn't beat chance, or a loss is not finite.
            ValueError: If the teacher has other classes than the data set.
        """
        self.check_teacher_accuracy()
        model = super().run()
        self.export()
        self._warn_of_blind_module()
        return model

    def _warn_of_blind_module(self) -> None:
        """Log a warning if the last validation found no gain over mixing without saliency."""
        loop = self.runner.val_loop
        for metric in loop.evaluator.metrics if loop is not None else ():
            if isinstance(metric, MixQuality):
                text = metric.warning(self.search.mixer.num_mix)
                if text is not None:
                    self.runner.logger.warning(text)

    def check_batches(self) -> None:
        """Check that every batch of an epoch can be mixed.

        Raises:
            ValueError: If one has fewer images than a mix.
        """
        mixer = self.search.mixer
        check_batch_size(self.dataloader, mixer)
        sizes = batch_sizes(self.dataloader)
        if sizes is not None and sizes[1] < mixer.num_mix:
            raise ValueError(
                f'the last of the batches of {sizes[0]} has {sizes[1]} image(s), which cannot be '
                f'mixed with num_mix={mixer.num_mix}; set drop_last=True in train_dataloader'
            )

    def _check_class_count(self, num_classes: int) -> None:
        classes = getattr(self.dataloader.dataset, 'metainfo', {}).get('classes')
        if classes is not None and len(classes) != num_classes:
            raise ValueError(
                f'the teacher has {num_classes} classes and the data set has {len(classes)}; '
                'search with a teacher that was trained on this data set'
            )

    @torch.no_grad()
    def check_teacher_accuracy(self) -> None:
        """Check that the teacher beats chance on training images before a search learns from it.

        Raises:
            RuntimeError: If its accuracy on a few training batches is within three standard
                deviations of chance.
            ValueError: If it has another number of classes than the data set, or gives them other
                labels, or an image has no labels or several.
        """
        num_classes = self.search.teacher.num_classes or 0
        if num_classes:
            self._check_class_count(num_classes)
        check_class_names(self.search.teacher, self.dataloader.dataset, 'train_dataloader')
        if self.search.hard_for is not None:
            early = self.search.hard_for.teacher
            check_class_names(early, self.dataloader.dataset, 'train_dataloader')
        counts = torch.zeros(2)
        for batch, data in enumerate(self.dataloader):
            if batch == self.teacher_batches:
                break
            data = self.search.data_preprocessor(data, training=False)
            if not num_classes:
                num_classes = self.search.teacher.count_classes(data['inputs'])
                self._check_class_count(num_classes)
            labels = self.search.read_scores(data['data_samples']).argmax(dim=1)
            predicted = self.search.teacher(data['inputs']).argmax(dim=1)
            hits = (predicted == labels.to(predicted.device)).sum()
            counts += torch.tensor([float(hits), float(len(labels))])
        all_reduce(counts)  # so that all ranks decide alike
        hits, total = counts.tolist()
        accuracy = f'{100 * hits / total:.1f} % of {total:.0f} training images'
        if not beats_chance(hits, total, num_classes):
            raise RuntimeError(
                f'the teacher gets {accuracy} right, which is no better than chance '
                f'({100 / num_classes:.1f} %): a search cannot learn from it. Check that {CAUSES}'
            )
        self.search.teacher.report.close()
        self.runner.logger.info(f'The teacher gets {accuracy} right.')

    def export(self) -> str:
        """Write the mixer file atomically, with the weights that a checkpoint would hold.

        Returns:
            Its path.
        """
        path = osp.join(self.runner.work_dir, self.mixer_name)
        checkpoint = dict(state_dict=self.search.state_dict())
        # EMAHook puts its averaged weights in, as in any checkpoint
        self.runner.call_hook('before_save_checkpoint', checkpoint=checkpoint)
        prefix = 'mixer.'
        state = {
            name[len(prefix) :]: value
            for name, value in checkpoint['state_dict'].items()
            if name.startswith(prefix)
        }
        if is_main_process():
            save_mixer(self.search.mixer, path, self._searched_on(), state)
        self.runner.logger.info(f'The mixing module is in {path}')
        return path

    def _searched_on(self) -> dict[str, Any]:
        teacher = self.search.teacher
        return dict(
            dataset=type(self.dataloader.dataset).__name__,
            num_images=len(self.dataloader.dataset),
            teacher_config=teacher.config_name,
            teacher_checkpoint=teacher.checkpoint_name,
            epochs=self.epoch,
            iters=self.iter,
            alpha=self.search.alpha,
        )
