"""Check, before a model is built, that the data of a config is at the paths of the config."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from mmengine import dist
from mmengine.config import Config
from mmpretrain.registry import DATASETS

from .advice import own_advice, prepare_hint
from .host_downloads import (
    ComesGzipped,
    ListsFiles,
    address,
    base_folder,
    download_listed,
)
from .missing_files import listed_root, missing_files

DATALOADER_FIELDS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


@runtime_checkable
class GivesAdvice(Protocol):
    """A class of a data set with advice of its own on missing files.

    Attributes:
        data_advice: The advice, with ``{folder}`` for the folder.
    """

    data_advice: str


@dataclass
class _Problem:
    """The missing files of one data set; picklable, for the exchange between ranks."""

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
        """Key by which one problem is recognised in several config fields and ranks."""
        return self.name, self.folder, self.missing

    def __str__(self) -> str:
        is_everywhere = len(self.ranks) == dist.get_world_size()
        ranks = '' if is_everywhere else f' (only on ranks {self.ranks})'
        lines = [
            f'{", ".join(self.fields)}: {self.name}{ranks}',
            f'    folder:  {self.folder}{"" if self.has_folder else " (no such folder)"}',
            f'    missing: {", ".join(self.missing)}',
        ]
        if self.reason:
            lines.append(f'    download failed: {self.reason}')
        return '\n'.join([*lines, f'    what to do: {self.advice}'])


def check_data(cfg: Config | Mapping[str, Any], to_come: Collection[str] = ()) -> None:
    """Check that the files of a config's data sets are there.

    No image is opened. Images on MMPretrain's lists are checked by their names. A data set that
    MMPretrain can download (CIFAR, MNIST, unless ``download=False``) is downloaded if it is
    missing. Wrappers (``dataset``, ``datasets``) are followed. Remote paths (``s3://``,
    ``http://``) and types that are not registered are left to the Runner.

    A class may bring its own check as a classmethod ``missing_files(**kwargs)``. It takes the
    arguments of the constructor and returns ``(absolute folder, missing names)``. It may bring its
    own advice as the class attribute ``data_advice``, with ``{folder}`` for that folder.

    In a distributed run, call it on every rank after the process group is initialised. Rank 0
    downloads, then every rank checks again, and all raise the same error.

    Args:
        cfg: Full config with ``train_dataloader``, ``val_dataloader`` and ``test_dataloader``,
            each of which may be missing or None. Where the first is there, loaders of mixed
            images in ``custom_hooks`` are checked too.
        to_come: Folders that an earlier stage will make; files missing there are no problem.

    Raises:
        TypeError: If ``cfg`` is no mapping.
        FileNotFoundError: If files are missing; it lists all of them.
    """
    if not hasattr(cfg, 'get'):
        raise TypeError(f'cfg must be a Config or a dict, got {type(cfg).__name__}.')
    datasets = [item for name, loader in _loaders(cfg) for item in _iter_datasets(name, loader)]
    _find_problems(datasets, {})  # an invalid argument stops every rank before they communicate
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
    """Yield ``(config field, settings)`` of the data loaders, and in a training of the hooks'."""
    for name in DATALOADER_FIELDS:
        yield name, cfg.get(name)
    if cfg.get('train_dataloader') is None:
        return  # a test, which has no mixed images
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
    """Return the class registered as ``kind``; None if there is none, which the Runner reports."""
    if not isinstance(kind, str):
        return kind
    try:
        return DATASETS.get(kind)
    except Exception:  # an unknown scope or module raises whatever its import raises
        return None


def _find_problems(
    datasets: list[tuple[str, Any, dict]], reasons: dict[tuple[str, str], str]
) -> list[_Problem]:
    """Find the missing files of all data sets; one data set in several fields is one problem."""
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
    """Return what to do about missing files."""
    if isinstance(cls, GivesAdvice):
        return own_advice(cls, folder)
    if not isinstance(cls, ListsFiles):
        return 'Put the data there, or correct data_root, data_prefix or ann_file in the config.'
    source = f' (from {address(cls)})' if address(cls) else ''
    plain = ', un-gzipped' if isinstance(cls, ComesGzipped) else ''
    off = '' if _may_download(cls, kwargs) else ', or allow the download (download=True)'
    held = base_folder(cls) or 'them'
    return f'Put the files there{plain}{source}, or set data_root to the folder of {held}{off}.'


def _may_download(cls: Any, kwargs: dict) -> bool:
    """Return whether missing files may be downloaded, which is MMPretrain's default."""
    return isinstance(cls, ListsFiles) and kwargs.get('download', True) is not False


def _download_missing(datasets: list[tuple[str, Any, dict]]) -> dict[tuple[str, str], str]:
    """Download what is missing; return why it failed by (class, folder)."""
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
            # every process would act as rank 0 and write the same files
            reasons[key] = 'not tried: under torchrun, but torch.distributed is not initialised'
            continue
        try:
            download_listed(cls, os.path.abspath(listed_root(kwargs)))
        except ConnectionError as error:
            reasons[key] = str(error)
        except Exception as error:  # whatever it is, it is the reason to report
            reasons[key] = f'{type(error).__name__}: {error}'
    return reasons
