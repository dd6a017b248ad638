"""Pictures of the mixes of a run, in its visualizer."""

from __future__ import annotations

import logging
import os.path as osp
import time
from collections.abc import MutableSequence
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop
from mmpretrain.registry import HOOKS

from mmtmix.checks import check_integer, check_number
from mmtmix.datasets import MixedImages
from mmtmix.engine.cleanup import Cleanup
from mmtmix.engine.distillation import OnlineMixes
from mmtmix.engine.labels import count_model_classes
from mmtmix.engine.mix_pictures import ClassNames, ImageBackends, MixBlock, MixCapture, draw_blocks
from mmtmix.models.classifiers.labels import read_scores
from mmtmix.models.mix_watch import MadeMix, forget_watchers
from mmtmix.models.teachers import InputStats, loaded_order
from mmtmix.utils import unwrap

from .distill_hook import DistillHook

NAME = 'mixes'
_TRIES = 20  # steps in which to wait for a mix, where only some batches are mixed


@HOOKS.register_module()
class MixVisualizationHook(Hook):
    """Draws a few mixes of the training, and hands the picture to the visualizer's backends.

    The pictures show the mixes that the network learns from: of batch augments of this library
    and of MMPretrain, of a search, of a distillation, of ``AutoMixClassifier`` and of
    ``MixedImages``. ``ManifoldMixup`` mixes states inside of the network; the picture then has the
    images and their shares alone. A step that is drawn makes the same mixes as any other, with no
    further pass of a network. So the hook changes neither weights nor random numbers.

    The first mixes of a run and those of its last epoch are always drawn. Between them a picture
    is left out while all of them took more than ``most_share`` of the run's time.

    The local backend writes ``vis_data/vis_image/mixes_<iteration>.png``. A picture or a backend
    that fails is logged once, and the run goes on.

    Args:
        interval: Number of epochs between two pictures, >= 1.
        iterations: Number of iterations between two pictures in a run without epochs, >= 1.
        num: Number of mixes in a picture, >= 1.
        most_share: Largest share of the run's time, in [0, 1], that pictures between the first and
            the last one may take.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    priority = 'VERY_LOW'

    def __init__(
        self, interval: int = 1, iterations: int = 1000, num: int = 4, most_share: float = 0.01
    ):
        check_integer('interval', interval, 1, cure='it counts epochs')
        check_integer('iterations', iterations, 1)
        check_integer('num', num, 1, cure='it counts mixes; to draw none, set the hook to None')
        check_number('most_share', most_share, 0, 1)
        self.interval, self.iterations, self.num = interval, iterations, num
        self.most_share = most_share
        self.cleanup = Cleanup()
        self._capture: MixCapture | None = None
        self._is_off = False

    def before_train(self, runner: Any) -> None:
        """Prepare for a run; only the main process draws."""
        self.cleanup.begin(runner)
        forget_watchers()
        self._is_off = not is_main_process()
        self._start, self._spent = time.perf_counter(), 0.0
        self._count = self._tries = 0
        self._is_due = self._is_logged = self._is_order_unknown = False
        self._backends = ImageBackends(osp.join(runner.work_dir, runner.timestamp, 'vis_data'))
        self._capture = None
        self._view: tuple[InputStats, str, ClassNames] | None = None

    def before_train_epoch(self, runner: Any) -> None:
        """Decide whether the mixes of this epoch are drawn."""
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            is_last = runner.epoch == runner.max_epochs - 1
            self._plan(runner.epoch % self.interval == 0, is_last)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Watch the mixes of this step, if they are to be drawn."""
        if self._is_off:
            return
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            is_last = runner.iter == runner.max_iters - 1
            if is_last or runner.iter % self.iterations == 0 or not self._count + self._tries:
                self._plan(True, is_last)
        if self._is_due:
            try:
                self._capture = MixCapture(self.num, *self._read_view(runner))
            except Exception as error:  # no picture is worth a run
                self._stop(error)
                return
            self.cleanup.enter_context(self._capture.watching(_augments_of(runner)))

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Draw what the step has mixed."""
        capture, self._capture = self._capture, None
        if capture is None:
            return
        self.cleanup.close()
        start = time.perf_counter()
        try:
            if capture.error is not None:
                raise capture.error
            blocks = capture.taken() or self._loaded_mixes(runner, data_batch)
            if blocks:
                self._draw(runner, blocks)
        except Exception as error:
            self._stop(error)
            return
        self._spent += capture.seconds + time.perf_counter() - start
        self._tries += 1
        if blocks:
            self._count, self._is_due = self._count + 1, False
        elif self._tries >= _TRIES or runner.iter == runner.max_iters - 1:
            self._is_due = False
            self._log_no_mix(runner)

    def after_train(self, runner: Any) -> None:
        """Stop watching the mixes."""
        self.cleanup.close()

    def _plan(self, is_wanted: bool, is_last: bool) -> None:
        elapsed = time.perf_counter() - self._start
        is_cheap = self._spent <= self.most_share * elapsed
        first = self._count == 0
        if not self._is_off and (is_last or first or (is_wanted and is_cheap)):
            self._is_due, self._tries = True, 0

    def _stop(self, error: Exception) -> None:
        self._is_off, self._capture = True, None
        print_log(
            'MixVisualizationHook could not draw the mixes, and draws no more of them: '
            f'{type(error).__name__}: {error}',
            logger='current',
            level=logging.WARNING,
        )

    def _log_no_mix(self, runner: Any) -> None:
        if self._count == 0 and not self._is_logged:
            self._is_logged = True
            runner.logger.info(
                'MixVisualizationHook: no images are mixed so far, so there are no mixes to draw'
            )

    def _draw(self, runner: Any, blocks: list[MixBlock]) -> None:
        step = runner.iter + 1
        heading = f'Mixes of iteration {step}'
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            heading = f'{heading}, epoch {runner.epoch + 1} of {runner.max_epochs}'
        if self._is_order_unknown and any(block.is_colour for block in blocks):
            heading = f'{heading} (order of the colours unknown)'
        picture = draw_blocks(blocks, heading)
        self._backends.add_image(runner.visualizer, NAME, picture, step)

    def _read_view(self, runner: Any) -> tuple[InputStats, str, ClassNames]:
        """Return normalisation, order of the channels and names of the classes."""
        if self._view is None:
            stats = InputStats.from_config(runner.cfg) or InputStats()
            self._is_order_unknown = stats.channel_order is None
            names = getattr(runner.train_loop.dataloader.dataset, 'metainfo', {}).get('classes')
            self._view = stats, stats.channel_order or 'rgb', ClassNames(names or ())
        return self._view

    def _loaded_mixes(self, runner: Any, data_batch: Any) -> list[MixBlock]:
        """Return images of the batch that were mixed before the run; none for other data sets."""
        dataset = runner.train_loop.dataloader.dataset
        if not any(isinstance(one, MixedImages) for one in _parts(dataset)):
            return []
        samples = list(data_batch['data_samples'])[: self.num]
        images = data_batch['inputs'][: self.num]
        images = images if isinstance(images, torch.Tensor) else torch.stack(list(images))
        num_classes = count_model_classes(runner.model)
        targets = None if num_classes is None else read_scores(samples, num_classes)
        _, _, names = self._read_view(runner)
        order = loaded_order(runner.cfg).name or 'rgb'
        # images come as the loader gives them: in pixels
        capture = MixCapture(self.num, InputStats(), order, names)
        title = 'MixedImages' if isinstance(dataset, MixedImages) else 'Clean and MixedImages'
        capture(MadeMix(title, images.float(), targets))
        if capture.error is not None:
            raise capture.error
        return capture.taken()


def _augments_of(runner: Any) -> list[MutableSequence]:
    """Return the lists of batch augments from which a run chooses."""
    preprocessor = getattr(unwrap(runner.model), 'data_preprocessor', None)
    chosen = [getattr(getattr(preprocessor, 'batch_augments', None), 'augments', None)]
    for hook in runner.hooks:
        if isinstance(hook, DistillHook) and isinstance(hook.mixes, OnlineMixes):
            chosen.append(hook.mixes.augments)
    return [group for group in chosen if isinstance(group, list)]


def _parts(dataset: Any) -> list[Any]:
    """Return a data set, and those that MMEngine's wrappers hold in it."""
    inner = [getattr(dataset, 'dataset', None), *(getattr(dataset, 'datasets', None) or ())]
    return [dataset, *(part for one in inner if one is not None for part in _parts(one))]
