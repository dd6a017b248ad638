"""MMPretrain's own tool trains its own config with nothing but the import and the augment."""

import json
import sys
from pathlib import Path

import mmpretrain
import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

from mmtmix.models import TransformMixer, save_mixer

MIM = Path(mmpretrain.__file__).parent / '.mim'
STOCK = MIM / 'configs' / 'resnet' / 'resnet18_8xb16_cifar10.py'
CHILD = """
_base_ = {stock!r}
custom_imports = dict(imports=['mmtmix', 'own_cifar'], allow_failed_imports=False)
model = dict(train_cfg=dict(augments=dict(
    type='TransformMix', mixer='mixer.pth', teacher=dict(config='teacher.py', checkpoint='t.pth')
)))
"""
# of other statistics than the task, in the other channel order
TEACHER_STATS = dict(mean=[113.0, 122.0, 125.0], std=[60.0, 61.0, 62.0], to_rgb=True)

pytestmark = pytest.mark.host


@pytest.fixture(scope='module')
def trained(tmp_path_factory, spawn, cifar_files):
    """One epoch of 5 steps: its folder and what the tool printed."""
    folder = tmp_path_factory.mktemp('stock')
    files = {f'data_batch_{i}': 16 for i in range(1, 6)} | dict(test_batch=16)
    data = folder / 'data' / 'cifar10' / 'cifar-10-batches-py'
    cifar_files(data, files, range(10), 'labels')
    teacher = dict(
        type='ImageClassifier',
        backbone=dict(type='WideResNet', depth=10, widen_factor=1),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=10, in_channels=64),
    )
    files = dict(type='CustomDataset', pipeline=[dict(type='LoadImageFromFile')])
    config = dict(model=teacher, data_preprocessor=TEACHER_STATS)
    Config(dict(config, train_dataloader=dict(dataset=files))).dump(folder / 'teacher.py')
    network = MODELS.build(dict(teacher, _scope_='mmpretrain'))
    torch.save(dict(state_dict=network.state_dict()), folder / 't.pth')
    save_mixer(TransformMixer(num_mix=2, cam_size=32), folder / 'mixer.pth')
    (folder / 'child.py').write_text(CHILD.format(stock=str(STOCK)))
    done = spawn(
        folder, sys.executable, MIM / 'tools' / 'train.py', 'child.py', '--work-dir', 'out',
        '--no-pin-memory', '--cfg-options', 'train_cfg.max_epochs=1',
        'default_hooks.logger.interval=1', WITNESS='stats.json',
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


def test_it_trains_and_validates(trained):
    (path,) = (trained / 'out').glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    losses = [line['loss'] for line in lines if 'loss' in line]
    assert len(losses) == 5
    assert all(0 < loss < 10 for loss in losses)
    assert 'accuracy/top1' in lines[-1]


def test_checkpoint_is_the_students_alone(trained):
    content = torch.load(trained / 'out' / 'epoch_1.pth', weights_only=False)
    student = MODELS.build(dict(Config.fromfile(STOCK).model, _scope_='mmpretrain'))
    assert content['state_dict'].keys() == student.state_dict().keys()
    assert content['meta']['iter'] == 5


def test_teacher_knows_how_the_tasks_images_are_normalised(trained):
    stats = json.loads((trained / 'stats.json').read_text())
    task = Config.fromfile(STOCK).data_preprocessor
    found = {side: {name: stats[side][name] for name in ('mean', 'std')} for side in stats}
    assert found['source'] == dict(mean=task.mean, std=task.std)
    assert found['target'] == dict(mean=TEACHER_STATS['mean'], std=TEACHER_STATS['std'])
    # arrays are RGB as they are; files are BGR, which the teacher swaps
    orders = {side: stats[side]['channel_order'] for side in stats}
    assert orders == dict(source='rgb', target='rgb')
