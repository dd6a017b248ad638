"""Tell, before a model is built, that the data of a config is not where the config says."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import torch.distributed as torch_dist
from mmengine import dist
from mmengine.config import Config
from mmpretrain.registry import DATASETS

from .missing_files import has_file_lists, missing_files, reads_extracted
from .preparing import own_advice, prepare_hint

DATALOADER_FIELDS = ('train_dataloader', 'val_dataloader', 'test_dataloader')

DOWNLOAD_TIMEOUT = 10.0  # seconds without an answer from the server


@dataclass
class _Problem:
    """What one dataset lacks; picklable, for the exchange between ranks."""

    name: str
    folder: str
    missing: tuple[str, ...]
    advice: str
    has_folder: bool
    reason: str = ''
    fields: list[str] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)

    @property
    def key(self) -> tuple:
        """What makes two problems the same one, seen from two config fields or ranks."""
        return self.name, self.folder, self.missing

    def __str__(self) -> str:
        seen = '' if len(self.ranks) == dist.get_world_size() else f' (only on ranks {self.ranks})'
        lines = [
            f'{", ".join(self.fields)}: {self.name}{seen}',
            f'    folder:  {self.folder}{"" if self.has_folder else " (no such folder)"}',
            f'    missing: {", ".join(self.missing)}',
        ]
        if self.reason:
            lines.append(f'    download failed: {self.reason}')
        return '\n'.join([*lines, f'    what to do: {self.advice}'])


def check_data(cfg: Config | Mapping[str, Any], to_come: Collection[str] = ()) -> None:
    """Check that the files of a config's datasets are there.

    No image is read; those that MMPretrain's annotation files list are looked up. A dataset that
    MMPretrain can download (CIFAR, MNIST, unless ``download=False``) is downloaded if it is
    missing. Wrappers (``dataset``, ``datasets``) are followed. Remote paths (``s3://``,
    ``http://``) and types that are not registered are left to the Runner.

    A dataset class may bring its own check as a classmethod ``missing_files(**kwargs)``, which
    takes the arguments of its constructor and returns ``(absolute folder, missing names)``, and
    its own advice as the class attribute ``data_advice``, where ``{folder}`` stands for that
    folder.

    In a distributed run, call it on every rank after the process group is initialised: rank 0
    downloads, then every rank looks again and all raise the same error.

    Args:
        cfg: A full config with ``train_dataloader``, ``val_dataloader`` and ``test_dataloader``,
            each of which may be missing or None; beside the first, hooks may bring loaders of
            mixed images.
        to_come: Folders that another run will have made by then; what they lack is no problem.

    Raises:
        TypeError: If ``cfg`` is no mapping.
        FileNotFoundError: If files are missing, with everything that is missing.
    """
    if not hasattr(cfg, 'get'):
        raise TypeError(f'cfg must be a Config or a dict, got {type(cfg).__name__}.')
    datasets = [item for name, loader in _loaders(cfg) for item in _iter_datasets(name, loader)]
    _find_problems(datasets, {})  # an invalid argument stops every rank here, before they talk
    reasons = [_download_missing(datasets) if dist.is_main_process() else None]
    # The broadcast is also the barrier behind which the other ranks wait for the download.
    dist.broadcast_object_list(reasons)
    problems_here = _find_problems(datasets, reasons[0] or {})
    promised = {os.path.abspath(folder) for folder in to_come}
    found = dist.all_gather_object([p for p in problems_here if p.folder not in promised])
    problems: dict[tuple, _Problem] = {}
    for rank, listed in enumerate(found):
        for problem in listed:
            problems.setdefault(problem.key, problem).ranks.append(rank)
    if problems:
        details = '\n'.join(f'{i}. {problem}' for i, problem in enumerate(problems.values(), 1))
        raise FileNotFoundError(f'Datasets without their files: {len(problems)}\n{details}')


def _loaders(cfg: Config | Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield ``(config field, settings)`` of the data loaders, in a training those of hooks too."""
    for name in DATALOADER_FIELDS:
        yield name, cfg.get(name)
    if cfg.get('train_dataloader') is None:
        return  # a test, which sees no mixed images
    for number, hook in enumerate(cfg.get('custom_hooks') or ()):
        mixed = hook.get('mixed') if isinstance(hook, Mapping) else None
        if isinstance(mixed, Mapping):
            yield f'custom_hooks[{number}].mixed.dataloader', mixed.get('dataloader')


def _iter_datasets(name: str, cfg: Any) -> Iterator[tuple[str, Any, dict]]:
    """Yield ``(config field, class, arguments)`` of every registered dataset in ``cfg``."""
    if not isinstance(cfg, Mapping):  # None, or a dataset or loader that is already built
        return
    kwargs = {key: value for key, value in cfg.items() if key not in ('type', '_scope_')}
    cls = _get_class(cfg.get('type'))
    if cls is not None:
        yield name, cls, kwargs
    yield from _iter_datasets(f'{name}.dataset', kwargs.get('dataset'))
    inner = kwargs.get('datasets')
    for i, item in enumerate(inner if isinstance(inner, (list, tuple)) else ()):
        yield from _iter_datasets(f'{name}.datasets[{i}]', item)


def _get_class(kind: Any) -> Any:
    """Return the class registered as ``kind``, or None for the Runner to complain about."""
    if not isinstance(kind, str):
        return kind
    try:
        return DATASETS.get(kind)
    except Exception:  # an unknown scope or module raises whatever its import raises
        return None


def _find_problems(
    datasets: list[tuple[str, Any, dict]], reasons: dict[tuple[str, str], str]
) -> list[_Problem]:
    """Look for the files of all datasets; the same lack in several fields is one problem."""
    problems: dict[tuple, _Problem] = {}
    for name, cls, kwargs in datasets:
        folder, missing = missing_files(cls, kwargs)
        if missing:
            advice = _advice(cls, folder, kwargs) + prepare_hint(cls, folder)
            problem = _Problem(_name(cls), folder, tuple(missing), advice, os.path.isdir(folder))
            problem.reason = reasons.get((problem.name, folder), '')
            problems.setdefault(problem.key, problem).fields.append(name)
    return list(problems.values())


def _name(cls: Any) -> str:
    return getattr(cls, '__name__', str(cls))


def _advice(cls: Any, folder: str, kwargs: dict) -> str:
    """Say what to do about missing files."""
    if hasattr(cls, 'data_advice'):
        return own_advice(cls, folder)
    if not has_file_lists(cls):
        return 'Put the data there, or correct data_root, data_prefix or ann_file in the config.'
    url = getattr(cls, 'url', None) or getattr(cls, 'url_prefix', None)
    source = f' (from {url})' if url else ''
    plain = ', un-gzipped' if reads_extracted(cls) else ''
    off = '' if _may_download(cls, kwargs) else ', or allow the download (download=True)'
    holder = getattr(cls, 'base_folder', '') or 'them'
    return f'Put the files there{plain}{source}, or set data_root to what holds {holder}{off}.'


def _may_download(cls: Any, kwargs: dict) -> bool:
    """Tell whether the class fetches missing files itself, as MMPretrain's do by default."""
    return has_file_lists(cls) and kwargs.get('download', True) is not False


def _download_missing(datasets: list[tuple[str, Any, dict]]) -> dict[tuple[str, str], str]:
    """Let each class download what is missing; return why it failed by (class, folder)."""
    reasons: dict[tuple[str, str], str] = {}
    for _, cls, kwargs in datasets:
        if not _may_download(cls, kwargs):
            continue
        folder, missing = missing_files(cls, kwargs)
        key = (_name(cls), folder)
        if not missing or key in reasons:
            continue
        is_launched = 'TORCHELASTIC_RUN_ID' in os.environ  # WORLD_SIZE alone may be a stray one
        if is_launched and os.environ.get('WORLD_SIZE', '1') != '1' and not dist.is_distributed():
            # Every process would take itself for rank 0 and write the same files.
            reasons[key] = 'not tried: under torchrun, but torch.distributed is not initialised'
            continue
        # Only the download is wanted: no transforms, and not put off to the first access.
        override = {k: v for k, v in (('pipeline', []), ('lazy_init', False)) if k in kwargs}
        try:
            with _no_process_group(), _socket_timeout(DOWNLOAD_TIMEOUT):
                cls(**{**kwargs, **override})
        except Exception as error:  # whatever it was, it is the reason to report
            reasons[key] = f'{type(error).__name__}: {error}'
    return reasons


def _no_process_group() -> AbstractContextManager:
    """Hide the process group: MMPretrain's datasets wait for all ranks, and only one is here."""
    if not dist.is_distributed():
        return nullcontext()
    return patch.object(torch_dist, 'is_initialized', lambda: False)


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Bound the waiting in urllib, which MMPretrain calls without a timeout."""
    original = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(original)
