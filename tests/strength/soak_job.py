"""The job that a soak breaks off: all stages of a small launch on the bundled Fashion-MNIST."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from mmtmix.utils import load_checkpoint

ROOT = Path(__file__).parents[2]
JOB = 'configs/soak/distilled.py'
WORK = Path('work_dirs/soak')

SMALL = """
_base_ = '{root}/configs/{base}_fashionmnist_mini.py'
train_dataloader = dict(batch_size=16, dataset=dict(indices=64))
val_dataloader = dict(batch_size=64, dataset=dict(indices=64))
test_dataloader = val_dataloader
default_hooks = dict(logger=dict(interval=1))
own_teacher = dict(
    config='configs/soak/teacher.py', checkpoint='work_dirs/soak/teacher/last.pth'
)
requires = []
"""
CLASSIFIER = """
model = dict(backbone=dict(depth=10))
optim_wrapper = dict(type='OptimWrapper')
"""
BY_EPOCH = """
train_cfg = dict(max_epochs=4, val_interval=2)
param_scheduler = dict(total_steps=4)
"""
BY_ITERATION = """
train_dataloader['sampler'] = dict(type='InfiniteSampler', shuffle=True)
train_cfg = dict(_delete_=True, by_epoch=False, max_iters=16, val_interval=8)
param_scheduler = dict(_delete_=True, type='CosineAnnealingLR', by_epoch=False, T_max=16)
default_hooks['checkpoint'] = dict(by_epoch=False, interval=3)
"""
AFTER_TEACHER = """
requires = [dict(config=own_teacher['config'], produces=own_teacher['checkpoint'])]
"""
SEARCH = """
model = dict(teacher=own_teacher, mixer=dict(transform='stn'))
train_cfg = dict(max_epochs=4, val_interval=2)
"""
MIXED = """
generation = dict(num=24, seed=0, shard_size=4, batch_size=8)
supermix = dict(type='SuperMix', teacher=own_teacher, max_iters=4)
model['train_cfg'] = dict(augments=supermix, probs=[1.0])
"""
STUDENT = """
mixer = 'work_dirs/soak/search/mixer.pth'
requires.append(dict(config='configs/soak/search.py', produces=mixer))
transformmix = dict(type='TransformMix', teacher=own_teacher, mixer=mixer)
model['train_cfg'] = dict(augments=transformmix, probs=[1.0])
"""
DISTILLED = """
mixed = 'work_dirs/soak/mixed'
student = dict(
    config='configs/soak/student.py', checkpoint='work_dirs/soak/student/last.pth'
)
requires = [
    dict(config=student['config'], produces=student['checkpoint']),
    dict(config='configs/soak/mixed.py', produces=mixed + '/dataset.json'),
]
dataset = dict(type='MixedImages', data_root=mixed, pipeline=[dict(type='PackInputs')])
custom_hooks = [
    dict(
        type='DistillHook',
        preset='kd_mixed',
        teacher=student,
        mixed=dict(dataloader=dict(batch_size=8, dataset=dataset)),
    )
]
"""


def write_job(folder: Path, by_epoch: bool) -> None:
    """Write the configs of a launch.

    Args:
        folder: Where ``configs/soak`` goes.
        by_epoch: Whether classifiers are trained by epochs; otherwise by iterations.
    """
    schedule = BY_EPOCH if by_epoch else BY_ITERATION
    simple, after = [CLASSIFIER, schedule], [CLASSIFIER, schedule, AFTER_TEACHER]
    for name, base, parts in (
        ('teacher', 'simple/wrn16', simple),
        ('search', 'transformmix/search_wrn16', [AFTER_TEACHER, SEARCH]),
        ('mixed', 'simple/wrn16', [CLASSIFIER, AFTER_TEACHER, MIXED]),
        ('student', 'simple/wrn16', [*after, STUDENT]),
        ('distilled', 'simple/wrn16', [*simple, DISTILLED]),
    ):
        path = folder / 'configs' / 'soak' / f'{name}.py'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(''.join([SMALL.format(root=ROOT, base=base), *parts]))


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint that a resumed launch would go on from, if there is one."""
    pointers = sorted(folder.glob('work_dirs/soak/*/last_checkpoint'), key=_age)
    for pointer in reversed(pointers):
        finished = {'mixer.pth', 'last.pth'} & {file.name for file in pointer.parent.iterdir()}
        checkpoint = pointer.parent / Path(pointer.read_text().strip()).name
        if not finished and checkpoint.is_file():
            return checkpoint
    return None


def find_difference(folder: Path, expected: Path) -> str:
    """Compare what two launches made.

    Args:
        folder: Folder of the launch that was broken off.
        expected: Folder of the unbroken one.

    Returns:
        The first difference, empty if all weights and shards are equal bit by bit.
    """
    for name in ('teacher/last.pth', 'search/mixer.pth', 'student/last.pth', 'distilled/last.pth'):
        if not (folder / WORK / name).is_file():
            return f'{name} is missing'
        one, other = (_weights(place / WORK / name) for place in (folder, expected))
        if difference := _difference(one, other):
            return f'{difference} in {name}'
    shards = sorted((expected / WORK / 'mixed').glob('*.safetensors'))
    for shard in shards:
        path = folder / WORK / 'mixed' / shard.name
        if not path.is_file():
            return f'{shard.name} is missing'
        # the file also names the digest of the teacher's file, which holds the time of its making
        if difference := _difference(load_file(path), load_file(shard)):
            return f'{difference} in {shard.name}'
    return '' if shards else 'there are no mixed images'


def _age(path: Path) -> int:
    return path.stat().st_mtime_ns


def _weights(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path)['state_dict']


def _difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> str:
    if one.keys() != other.keys():
        return f'other keys ({sorted(one.keys() ^ other.keys())})'
    differing = (key for key, value in one.items() if not torch.equal(value, other[key]))
    return next((f'another {key}' for key in differing), '')
