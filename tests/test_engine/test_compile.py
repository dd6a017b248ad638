"""Under the config's ``compile`` a step has the losses that it has without."""

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

pytestmark = pytest.mark.host

PRE = dict(type='ClsDataPreprocessor', num_classes=10, mean=[73.0], std=[90.0])
LOADER = dict(
    batch_size=8,
    num_workers=0,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='FashionMNISTIdx', indices=16, pipeline=[dict(type='PackInputs')]),
)
EAGER = dict(backend='eager')


class Losses(Hook):
    """Keeps the losses of each step."""

    priority = 'LOWEST'

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.seen.append({name: float(value) for name, value in outputs.items()})


@pytest.fixture
def losses_of(tmp_path, forget_runs):
    """The losses of two steps: ``losses_of(model, compiled, hooks=(), loop=None)``."""

    def train(model, compiled, hooks=(), loop=None):
        forget_runs()
        torch._dynamo.reset()
        cfg = dict(
            model=model,
            data_preprocessor=PRE,
            work_dir=str(tmp_path),
            train_dataloader=LOADER,
            train_cfg=loop or dict(by_epoch=True, max_epochs=1),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
            default_hooks=dict(checkpoint=None),
            custom_hooks=list(hooks),
            default_scope='mmpretrain',
            log_level='ERROR',
            randomness=dict(seed=0),
            launcher='none',
        )
        runner = Runner.from_cfg(Config(cfg | (dict(compile=EAGER) if compiled else {})))
        runner.register_hook(losses := Losses())
        runner.train()
        return losses.seen

    return train


def assert_same(plain, compiled):
    assert len(plain) == len(compiled) == 2
    for left, right in zip(plain, compiled, strict=True):
        assert left == pytest.approx(right, rel=1e-4)


def test_distillation_with_mixes_and_features(losses_of, fitted_teacher):
    model = dict(
        type='ImageClassifier',
        backbone=dict(type='WideResNet', depth=10, widen_factor=1, in_channels=1),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=10, in_channels=64),
    )
    crd = dict(type='CRDLoss', num_negatives=4, feature_dim=8)
    hook = dict(
        type='DistillHook',
        teacher=dict(fitted_teacher, compile=EAGER),
        losses=[dict(type='KDLoss'), crd],
        mixed=dict(augment=dict(type='SampleCutMix')),
    )
    plain, compiled = (losses_of(model, is_on, [hook]) for is_on in (False, True))
    assert {'loss_cls', 'loss_kd', 'loss_crd', 'loss_mixed'} < plain[0].keys()
    assert_same(plain, compiled)


def test_a_search_with_a_compiled_teacher(losses_of, fitted_teacher):
    teacher = dict(fitted_teacher, compile=EAGER)
    model = dict(type='MixerSearch', teacher=teacher, mixer=dict(type='TransformMixer'))
    loop = dict(type='MixerSearchLoop', max_epochs=1)
    assert_same(*(losses_of(model, is_on, loop=loop) for is_on in (False, True)))
