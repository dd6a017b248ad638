"""Keep old checkpoints until new ones are complete."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from mmengine.hooks import CheckpointHook
from mmpretrain.registry import HOOKS

from mmtmix.checks import check_integer

_PUT_OFF = ('remove', 'rmtree')


@HOOKS.register_module()
class KeepingCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, which deletes an old checkpoint after it wrote the new one.

    MMEngine deletes it before. With ``max_keep_ckpts=1``, and always with the best checkpoint, a
    full disk or a kill in between leaves none. The disk needs room for one more checkpoint. Our
    commands replace the stock hook by this one.

    Args:
        interval: Number of epochs, or of iterations, between two checkpoints; none if <= 0.
        **kwargs: Other arguments of MMEngine's hook.

    Raises:
        TypeError: If ``interval`` is no integer.
        ValueError: If it is below -1.
    """

    def __init__(self, interval: int = -1, **kwargs: Any):
        check_integer('interval', interval, -1)
        super().__init__(interval, **kwargs)

    def _save_checkpoint(self, runner: Any) -> None:
        """Write a checkpoint, also one on a signal."""
        with self._deleting_last():
            super()._save_checkpoint(runner)

    def _save_best_checkpoint(self, runner: Any, metrics: dict) -> None:
        with self._deleting_last():
            super()._save_best_checkpoint(runner, metrics)

    @contextmanager
    def _deleting_last(self) -> Iterator[None]:
        backend = getattr(self, 'file_backend', None)
        if backend is None:  # nothing is trained: a validation alone
            yield
            return
        put_off = self.file_backend = _PutOff(backend)
        try:
            yield
        finally:
            self.file_backend = backend
        best = getattr(self, 'best_ckpt_path_dict', {}).values()
        kept = {self.last_ckpt, getattr(self, 'best_ckpt_path', None), *best}
        for delete, path in put_off.calls:
            if path not in kept:  # a resumed run may write a name again
                delete(path)


class _PutOff:
    """A file backend that stores deletions instead of carrying them out.

    Args:
        backend: Backend for everything else.
    """

    def __init__(self, backend: Any):
        self.backend = backend
        self.calls: list[tuple[Any, str]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.backend, name)
        if name in _PUT_OFF:
            return lambda path: self.calls.append((found, path))
        return found


def keep_checkpoints(hooks: MutableMapping[str, Any]) -> None:
    """Replace MMEngine's own hook in a config.

    Args:
        hooks: Hooks in ``default_hooks`` of the config, changed in place. MMEngine would add its
            own if there were none.
    """
    hooks.setdefault('checkpoint', dict(type='CheckpointHook', interval=1))
    settings = hooks['checkpoint']  # a ConfigDict stores a copy
    if isinstance(settings, MutableMapping):
        kind = settings.get('type')
        kind = HOOKS.get(kind) if isinstance(kind, str) else kind
        if kind is CheckpointHook:
            settings['type'] = f'mmpretrain.{KeepingCheckpointHook.__name__}'
