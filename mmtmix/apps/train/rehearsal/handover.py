"""Check that each run writes the files that later runs need, and that these files fit."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.registry import HOOKS, LOOPS, MODELS
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.datasets.mixed_shards import DATASET_FILE
from mmtmix.engine import EarlyCheckpointHook, LastCheckpointHook, MixerSearchLoop
from mmtmix.engine.stages import Stage, words_of
from mmtmix.models.augments import TransformMix
from mmtmix.models.mixers import build_module, module_file
from mmtmix.models.search import MixerSearch
from mmtmix.utils import is_shipped, shipped_file

from .lookup import HOSTS, find_class
from .model import augments_of, parts_of_augment
from .problems import Problems
from .stand_ins import is_instance_of

# checkpoints of MMEngine, whose numbers depend on the data
_NUMBERED = re.compile(r'(iter_\d+|best_.+|last_good)\.pth')


def check_product(stage: Stage, problems: Problems) -> None:
    """Refuse a required file that its run does not write, or that cannot be written.

    Args:
        stage: Run that another one needs.
        problems: Collector of the errors.
    """
    if stage.produces is None:
        return
    folder, name = os.path.split(stage.produces)
    if os.path.isdir(stage.produces):
        text = f'{stage.produces!r} is a folder, where the file of {stage.config} should be'
        problems.add('requires', ValueError(f'produces={text}; move it away'))
    if os.path.isfile(folder):
        text = f'produces={stage.produces!r} needs the folder {folder!r}, which is a file'
        problems.add('requires', ValueError(f'{text}; give another'))
    with problems.of('requires'):
        written = files_of(stage.cfg)
        if written is not None and name not in written and not _NUMBERED.fullmatch(name):
            listed = ' and '.join(sorted(written)) or 'no file of a fixed name'
            raise ValueError(
                f'produces={stage.produces!r} names a file that {stage.config} does not write; '
                f'into its work dir it writes {listed}'
            )


def files_of(cfg: Config) -> Collection[str] | None:
    """Return the names of the files that a run writes into its work dir; None if they are unclear.

    Args:
        cfg: Config of the run.
    """
    if 'generation' in cfg:
        return {DATASET_FILE}
    hooks = dict(cfg.get('default_hooks') or {})
    hooks.setdefault('last_checkpoint', dict(type='mmpretrain.LastCheckpointHook'))
    names = set()
    for hook in [*hooks.values(), *(cfg.get('custom_hooks') or ())]:
        if hook is None:
            continue
        kind = find_class(HOOKS, hook) if isinstance(hook, Mapping) else type(hook)
        if is_instance_of(kind, LastCheckpointHook):
            name = hook.get('filename', 'last.pth') if isinstance(hook, Mapping) else hook.filename
            names.add(name)
        elif is_instance_of(kind, EarlyCheckpointHook):
            epochs = hook['epochs'] if isinstance(hook, Mapping) else hook.epochs
            names.update(map(EarlyCheckpointHook.name_of, epochs))
        elif not getattr(kind, '__module__', '').startswith(HOSTS):
            return None  # hooks of other libraries may write anything
    loop = cfg.get('train_cfg') or {}
    if 'type' in loop:
        kind = find_class(LOOPS, loop)
        if is_instance_of(kind, MixerSearchLoop):
            names.add(loop.get('mixer_name', 'mixer.pth'))
        elif not kind.__module__.startswith(HOSTS):
            return None
    checkpoint = hooks.get('checkpoint') or {}
    if not isinstance(checkpoint, Mapping) or checkpoint.get('published_keys'):
        return None
    epochs, template = loop.get('max_epochs'), checkpoint.get('filename_tmpl', 'epoch_{}.pth')
    if isinstance(epochs, int):
        numbered = {template.format(number) for number in range(1, epochs + 1)}
        return _Names(names, numbered)
    return _Names(names) if 'filename_tmpl' not in checkpoint else None


class _Names(Collection[str]):
    """Names of files, without listing the checkpoints of epochs.

    Args:
        listed: Names that a message lists.
        numbered: Names of the checkpoints of epochs.
    """

    def __init__(self, listed: Collection[str], numbered: Collection[str] = ()):
        self.listed, self.numbered = listed, numbered

    def __contains__(self, name: object) -> bool:
        return name in self.listed or name in self.numbered

    def __iter__(self) -> Iterator[str]:
        return iter(self.listed)

    def __len__(self) -> int:
        return len(self.listed)


def check_work_dirs(stages: Sequence[Stage]) -> Iterator[tuple[str, ValueError]]:
    """Yield config and error of each run that would write into another run's folder.

    Args:
        stages: Runs of a launch, with their work dirs.
    """
    owners: dict[str, str] = {}
    for stage in stages:
        folder, own = (
            os.path.abspath(stage.cfg.work_dir),
            words_of(stage.config, stage.variants, stage.options),
        )
        other = owners.setdefault(folder, own)
        if other != own:
            yield (
                stage.config,
                ValueError(
                    f'work_dir={stage.cfg.work_dir!r} is that of {other}, too, and their '
                    'checkpoints would replace each other; give each its own (--work-dir)'
                ),
            )


def check_files(cfg: Config, to_come: Collection[str], problems: Problems) -> None:
    """Refuse checkpoints and mixers that neither exist nor come from an earlier run.

    Weights that come with the package exist if their names do.

    Args:
        cfg: Config of a run.
        to_come: Files that earlier runs of the launch write.
        problems: Collector of the errors.
    """
    planned = {os.path.abspath(file) for file in to_come}
    for field, file, what in _files_in(cfg):
        if is_shipped(file):
            with problems.of(field):
                shipped_file(file)
            continue
        is_local = isinstance(file, (str, os.PathLike)) and '://' not in str(file)
        if not is_local or os.path.isfile(os.path.expanduser(file)):
            continue
        if os.path.abspath(file) not in planned:
            text = f"{what} {str(file)!r} does not exist, and no config in 'requires' makes it"
            problems.add(field, FileNotFoundError(f'{text}; correct the path, or make it first'))


def check_mixers(
    cfg: Config, searches: Mapping[str, tuple[str, MixerSearch]], problems: Problems
) -> None:
    """Refuse a mixer that is searched with other settings than it is used with.

    One that comes with the package is read.

    Args:
        cfg: Config of a run that may mix by TransformMix.
        searches: Config and model of each search to come, by the absolute path of its file.
        problems: Collector of the errors.
    """
    for field, augment in augments_of(cfg):
        with problems.of(field):
            if not is_instance_of(find_class(BATCH_AUGMENTS, augment), TransformMix):
                continue
            mixer: Any = augment.get('mixer')
            file = module_file(mixer)
            if is_shipped(file):
                build_module(mixer, augment.get('num_mix', 2))
                continue
            place = os.path.abspath(file or '')
            if place not in searches:
                continue
            config, searched = searches[place][0], searches[place][1].mixer
            own = dict(mixer) if isinstance(mixer, Mapping) else {}
            own = {key: own[key] for key in own if key not in ('type', '_scope_', 'checkpoint')}
            wanted = {'num_mix': augment.get('num_mix', 2), **own}
            different = [
                f'{name} is {searched.arch.get(name)!r} in {config} and {value!r} here'
                for name, value in wanted.items()
                if searched.arch.get(name) != value
            ]
            if different:
                raise ValueError(
                    f'the mixer {str(file)!r} does not fit: {", ".join(different)}; use the same '
                    'in both'
                )


def _files_in(cfg: Config) -> Iterator[tuple[str, Any, str]]:
    """Yield field, path and description of the files that a run reads beside its data."""
    if cfg.get('load_from'):
        what = 'to resume' if cfg.get('resume') else 'to start from'
        yield 'load_from', cfg.load_from, f'the checkpoint {what}'
    holders = list(augments_of(cfg))
    if _has_teacher_of_search(cfg):
        hard_for = cfg.model.get('hard_for')
        holders.append(('model', cfg.model))
        holders += [('model.hard_for', hard_for)] if isinstance(hard_for, Mapping) else []
    holders.append(('generation', cfg.get('generation') or {}))
    for number, hook in enumerate(cfg.get('custom_hooks') or ()):
        if isinstance(hook, Mapping):
            holders.append((f'custom_hooks[{number}]', hook))
            mixed = (hook.get('mixed') or {}) if isinstance(hook.get('mixed'), Mapping) else {}
            if isinstance(mixed.get('augment'), Mapping):
                holders.append((f'custom_hooks[{number}].mixed.augment', mixed['augment']))
    for field, holder in holders:
        for place, part in parts_of_augment(field, holder):
            teacher = part.get('teacher')
            if isinstance(teacher, Mapping) and teacher.get('checkpoint'):
                yield f'{place}.teacher', teacher['checkpoint'], "the teacher's checkpoint"
        mixer = holder.get('mixer')
        if field != 'model' and isinstance(mixer, (str, os.PathLike, Mapping)):
            yield f'{field}.mixer', module_file(mixer), 'the mixer file'


def _has_teacher_of_search(cfg: Config) -> bool:
    model = cfg.get('model')
    try:
        return isinstance(model, Mapping) and is_instance_of(
            find_class(MODELS, model), MixerSearch
        )
    except KeyError:
        return False
