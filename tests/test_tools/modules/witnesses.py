"""Hooks for launched runs: one breaks them off, one writes down what each rank does.

Not tests: the configs of launched runs import it by ``custom_imports``.
"""

import hashlib
import json
import os
import signal
from pathlib import Path

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmpretrain.registry import HOOKS

from mmtmix.models import draw
from mmtmix.models.augments import batch_augment


@HOOKS.register_module()
class Sabotage(Hook):
    """Ends a run as ``SABOTAGE='<work dir> <epoch> <rank> <how>'`` says, epochs from 0.

    How: ``raise``, or the end of a signal's name, such as ``kill`` or ``term``. Processes that
    torchrun has restarted are left alone.
    """

    def before_train_epoch(self, runner):
        if os.environ.get('TORCHELASTIC_RESTART_COUNT', '0') != '0':
            return
        folder, epoch, rank, how = os.environ.get('SABOTAGE', '- - - -').split()
        here = (Path(runner.work_dir).name, str(runner.epoch), str(get_rank()))
        if here != (folder, epoch, rank):
            return
        if how != 'raise':
            os.kill(os.getpid(), signal.Signals[f'SIG{how.upper()}'])
            return
        raise RuntimeError(f'sabotage on rank {rank}')


@HOOKS.register_module()
class Witness(Hook):
    """Writes ``rank<n>.json``: every step's weights and draws, and files that got final names."""

    priority = 'LOWEST'
    seen = None
    patched = ((draw, 'draw_weights'), (draw, 'draw_index')) + (
        (batch_augment, 'draw_weights'),
        (batch_augment, 'draw_index'),
        (os, 'replace'),
    )

    def before_train(self, runner):
        self.seen = dict(checksums=[], draw_weights=[], draw_index=[], replace=[])
        self.is_step = False
        self.originals = [getattr(*place) for place in self.patched]
        for (module, name), original in zip(self.patched, self.originals, strict=True):
            setattr(module, name, self.spy(name, original))

    def spy(self, name, original):
        def call(*args, **kwargs):
            result = original(*args, **kwargs)
            if name == 'replace':
                self.seen[name].append(Path(args[1]).name)
            elif self.is_step:
                self.seen[name].append(result.tolist())
            return result

        return call

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.is_step = True

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.is_step = False
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        digest = hashlib.sha256()
        for weight in model.parameters():
            digest.update(weight.detach().numpy().tobytes())
        self.seen['checksums'].append(digest.hexdigest())

    def after_run(self, runner):
        # not after_train: a search exports its mixer when that is over
        if self.seen is None:
            return
        for (module, name), original in zip(self.patched, self.originals, strict=True):
            setattr(module, name, original)
        path = Path(runner.work_dir) / f'rank{get_rank()}.json'
        path.write_text(json.dumps(self.seen))
