"""Configs of MMPretrain's newest style in our tools: classes as types, and no default scope."""

import pytest
import torch

pytestmark = pytest.mark.host

# as mmpretrain/configs/_base_/default_runtime.py
RUNTIME = """
from mmengine.hooks import CheckpointHook, IterTimerHook, LoggerHook, ParamSchedulerHook
from mmengine.visualization import LocalVisBackend
from mmpretrain.engine.hooks import VisualizationHook
from mmpretrain.visualization import UniversalVisualizer

default_hooks = dict(
    timer=dict(type=IterTimerHook),
    logger=dict(type=LoggerHook, interval=1),
    param_scheduler=dict(type=ParamSchedulerHook),
    checkpoint=dict(type=CheckpointHook, interval=1),
    visualization=dict(type=VisualizationHook, enable=False),
)
env_cfg = dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
visualizer = dict(type=UniversalVisualizer, vis_backends=[dict(type=LocalVisBackend)])
log_level = 'WARNING'
load_from = None
resume = False
randomness = dict(seed=0, deterministic=False)
default_scope = None
"""
PLAIN = """
from mmengine.config import read_base
from mmengine.dataset import DefaultSampler
from mmengine.optim import MultiStepLR
from mmpretrain.datasets import PackInputs
from mmpretrain.evaluation import Accuracy
from mmpretrain.models import CrossEntropyLoss, GlobalAveragePooling, ImageClassifier
from mmpretrain.models import LinearClsHead
from torch.optim import SGD

from mmtmix.datasets import FashionMNISTIdx
from mmtmix.models import SampleCutMix, WideResNet

with read_base():
    from .runtime import *

model = dict(
    type=ImageClassifier,
    backbone=dict(type=WideResNet, depth=10, widen_factor=1, in_channels=1),
    neck=dict(type=GlobalAveragePooling),
    head=dict(
        type=LinearClsHead, num_classes=10, in_channels=64, loss=dict(type=CrossEntropyLoss)
    ),
    train_cfg=dict(augments=dict(type=SampleCutMix)),
)
data_preprocessor = dict(num_classes=10, mean=[73.0], std=[90.0], to_rgb=False)
pipeline = [dict(type=PackInputs)]
images = dict(type=FashionMNISTIdx, indices=16, pipeline=pipeline)
train_dataloader = dict(
    batch_size=8, num_workers=0, dataset=images, sampler=dict(type=DefaultSampler, shuffle=True)
)
val_dataloader = dict(
    batch_size=8, num_workers=0, dataset=images, sampler=dict(type=DefaultSampler, shuffle=False)
)
val_evaluator = dict(type=Accuracy, topk=(1,))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(type=SGD, lr=0.1))
param_scheduler = dict(type=MultiStepLR, by_epoch=True, milestones=[1], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=1, val_interval=1)
val_cfg = dict()
test_cfg = dict()
"""
MIXED = """
from mmengine.config import read_base

from mmtmix.datasets import EndlessSampler
from mmtmix.engine import DistillHook, LiveModelHook
from mmtmix.models import SaliencyMix, TeacherCAM

with read_base():
    from .plain import *

teacher = dict(config='plain.py', checkpoint='plain/last.pth')
cams = dict(type=TeacherCAM, teacher=teacher)
model.update(train_cfg=dict(augments=dict(type=SaliencyMix, saliency=cams)))
loader = dict(dataset=images, sampler=dict(type=EndlessSampler, shuffle=True))
custom_hooks = [
    dict(type=LiveModelHook),
    dict(type=DistillHook, teacher=teacher, preset='kd_mixed', mixed=dict(dataloader=loader)),
]
"""


@pytest.fixture(scope='module')
def folder(tmp_path_factory, run_tool):
    """Configs, and a classifier trained by the plain one."""
    folder = tmp_path_factory.mktemp('newest')
    for name, text in dict(runtime=RUNTIME, plain=PLAIN, mixed=MIXED).items():
        (folder / f'{name}.py').write_text(text)
    run_tool('train', folder, 'plain.py', '--work-dir', 'plain', '--amp')
    return folder


def test_it_trains_and_is_tested(folder, run_tool):
    weights = torch.load(folder / 'plain' / 'last.pth', weights_only=False)
    assert weights['meta']['iter'] == 2
    metrics, _ = run_tool('test', folder, 'plain.py', 'plain/last.pth', '--work-dir', 'tested')
    assert metrics.keys() == {'accuracy/top1'}


def test_it_trains_with_teachers_hooks_and_a_second_loader_and_resumes(folder, run_tool):
    for epochs in (1, 2):
        run_tool(
            'train', folder, 'mixed.py', '--work-dir', 'mixed', '--resume',
            '--cfg-options', f'train_cfg.max_epochs={epochs}',
        )  # fmt: skip
    weights = torch.load(folder / 'mixed' / 'last.pth', weights_only=False)
    assert weights['meta']['iter'] == 4


def test_its_mixer_is_drawn_and_generates(folder, load, monkeypatch):
    monkeypatch.chdir(folder)
    load('visualize_mix').main(['mixed.py', '--num', '2', '--out', 'mix.png'])
    assert (folder / 'mix.png').stat().st_size
    load('generate_mixed').main(
        ['mixed.py', '--out', 'set', '--num', '4', '--cfg-options', 'generation.keep=all']
        + ['generation.teacher.config=plain.py', 'generation.teacher.checkpoint=plain/last.pth']
    )
    assert (folder / 'set' / 'dataset.json').is_file()
