"""Augments on one batch, ready to be timed."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import BATCH_AUGMENTS, MODELS
from torch import Tensor

from mmtmix.models import BatchAugment, FrozenTeacher, InputGradient, SaliencySource
from mmtmix.models.augments import AUGMENTS, WITH_TEACHER
from mmtmix.models.saliency import LiveModel, set_live_model
from mmtmix.utils import default_work_dir, load_config
from mmtmix.visualization import load_images

Call = Callable[[], object]

TEACHERS: dict[str, dict[str, Any]] = {
    'wrn16_1': dict(depth=16, widen_factor=1),
    'wrn40_2': dict(depth=40, widen_factor=2),
    'wrn28_10': dict(depth=28, widen_factor=10, layout='puzzle'),
}
FORWARD, BLEND, SUPERMIX = 'teacher forward', 'plain blend', 'SuperMix'


def random_teacher(args: argparse.Namespace) -> FrozenTeacher:
    """Return a teacher with random weights, which cost as much as trained ones.

    Args:
        args: Namespace of ``teacher``, ``num_classes`` and ``compile``.
    """
    settings = TEACHERS[args.teacher]
    config: dict[str, Any] = dict(
        model=dict(
            type='ImageClassifier',
            backbone=dict(type='WideResNet', **settings),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(
                type='LinearClsHead',
                num_classes=args.num_classes,
                in_channels=64 * settings['widen_factor'],
            ),
        ),
        data_preprocessor=dict(mean=[0.0] * 3, std=[1.0] * 3),
    )
    model = MODELS.build(dict(config['model'], _scope_='mmpretrain'))
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder, 'teacher.pth')
        torch.save(model.state_dict(), checkpoint)
        return FrozenTeacher(config, checkpoint, compile=args.compile)


def make_batch(args: argparse.Namespace) -> tuple[FrozenTeacher, Tensor, Tensor]:
    """Return the teacher and the batch: trained and real with a config, else random.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`.

    Returns:
        The teacher, the images (N, C, H, W) and their one-hot labels (N, K).
    """
    if args.config is None:
        teacher = random_teacher(args)
        inputs = torch.randn(args.batch_size, 3, args.image_size, args.image_size)
        labels = torch.randint(args.num_classes, (args.batch_size,))
        scores = torch.nn.functional.one_hot(labels, args.num_classes).float()
        return teacher, inputs.to(args.device), scores.to(args.device)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    checkpoint = args.checkpoint or f'{default_work_dir(args.config, args.variant)}/last.pth'
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'):
        teacher = FrozenTeacher(cfg, checkpoint, compile=args.compile)
        images = load_images(cfg, 2, indices=range(args.batch_size), device=args.device)
    return teacher, images.inputs, images.scores


class PrecomputedSaliency(SaliencySource):
    """Saliency that was computed before, so that the steps after it are timed alone.

    Args:
        saliency: Maps of the batch, (N, 1, H, W).
    """

    def __init__(self, saliency: Tensor):
        self.saliency = saliency

    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """Return the precomputed maps for any batch."""
        return self.saliency


class Bench:
    """The batch, and the augments that are timed on it.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`.
    """

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.teacher, self.inputs, self.scores = make_batch(args)
        self.teacher.model.to(args.device)
        # MMPretrain's augments write into their batch
        self.own = self.inputs.clone()

    @contextmanager
    def live(self) -> Iterator[None]:
        """Use the teacher as the network in training, whose gradients some augments need."""
        set_live_model(LiveModel(self.teacher.model))
        try:
            yield
        finally:
            set_live_model(None)

    def mixer(self, details: bool = False, /, **config: Any) -> Callable[[], Any]:
        """Return a function that mixes the batch, each time with the same pairs and weights.

        Args:
            details: Whether the function returns the details of the mix, not the mixes.
            config: Config of the augment.
        """
        augment = BATCH_AUGMENTS.build(config)
        if not isinstance(augment, BatchAugment):
            return lambda: augment(self.own, self.scores)

        def call() -> object:
            torch.manual_seed(self.args.seed)
            mixed = augment(self.inputs, self.scores, return_details=details)
            return mixed[2] if details else mixed

        return call

    def timed_mixers(self) -> dict[str, Call]:
        """Return the functions that are timed in turns, by the names of their rows."""
        order = torch.randperm(len(self.inputs), device=self.inputs.device)
        lam = torch.full((len(self.inputs), 1, 1, 1), 0.5, device=self.inputs.device)

        def plain() -> Tensor:
            return lam * self.inputs + (1 - lam) * self.inputs[order]

        found: dict[str, Call] = {
            FORWARD: torch.no_grad()(lambda: self.teacher(self.inputs)),
            BLEND: plain,
        }
        for name in ('Mixup', 'CutMix', 'ResizeMix'):
            found[f"MMPretrain's {name}"] = self.mixer(type=name, alpha=1.0)
        for name in AUGMENTS:
            if name not in (SUPERMIX, 'TransformMix'):
                teacher = dict(teacher=self.teacher) if name in WITH_TEACHER else {}
                found[name] = self.mixer(**AUGMENTS[name], **teacher)
        computed = PrecomputedSaliency(InputGradient()(self.inputs, self.scores))
        for blocks in (4, 8, 16):
            found[f'PuzzleMix without saliency, {blocks} blocks'] = self.mixer(
                type='PuzzleMix', saliency=computed, block_num=blocks
            )
        return {**found, **self._learned()}

    def _learned(self) -> dict[str, Call]:
        """Return the functions of TransformMix and SuperMix, with two and three images per mix."""
        found: dict[str, Call] = {}
        for num_mix in (2, 3):
            suffix = '' if num_mix == 2 else f' k={num_mix}'
            options = dict(teacher=self.teacher, num_mix=num_mix)
            module = dict(type='TransformMixer', cam_size=self.inputs.size(-1), num_mix=num_mix)
            found[f'TransformMix{suffix}'] = self.mixer(
                type='TransformMix', mixer=module, **options
            )
            if self.args.config is not None:
                found[f'{SUPERMIX}{suffix}'] = self.mixer(True, type='SuperMix', **options)
        return found

    def until(self, share: float, method: str = 'newton') -> Call:
        """Return a function that runs SuperMix until a share of the mixes is finished.

        Args:
            share: Share of the mixes, in [0, 1].
            method: Method of SuperMix's solver.
        """
        return self.mixer(
            True,
            type='SuperMix',
            teacher=self.teacher,
            method=method,
            max_iters=self.args.rival_iters,
            max_unfinished_ratio=1 - share + 1e-6,
            min_change=0.0,
        )
