"""Distillation beside what else a config may bring, and on real images."""

import pytest
import torch
from mmengine.runner import FlexibleRunner, Runner
from mmpretrain.registry import MODELS

from mmtmix.engine.distillation import Student
from mmtmix.engine.launch import build_runner
from mmtmix.models.teachers.network import feature_dim
from mmtmix.utils import load_config

pytestmark = pytest.mark.host


def test_hooks_that_attach_to_the_same_run_leave_together(distill_runner):
    runner = distill_runner(dict(preset='kd'), hooks=(dict(type='LiveModelHook'),))
    runner.train()
    assert 'run' not in vars(runner.train_loop)
    assert not runner.model._forward_hooks
    assert not runner.model.head._forward_hooks


@pytest.mark.parametrize(('dataset', 'remembers'), [('one', True), ('two', False)])
def test_answers_are_remembered_only_where_numbers_are_unique(
    distill_runner, distill_hook, dataset, remembers
):
    part = dict(type='Noise', size=4)
    sets = dict(one=part, two=dict(type='ConcatDataset', datasets=[part, dict(part, seed=5)]))
    loader = dict(
        batch_size=4,
        num_workers=0,
        collate_fn=dict(type='default_collate'),
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=sets[dataset],
    )
    runner = distill_runner(dict(preset='kd'), validate=True, val_dataloader=loader)
    seen = []
    runner.call_hook = _watch(runner.call_hook, runner, distill_hook, seen)
    runner.train()
    assert seen == [remembers]


def _watch(call_hook, runner, distill_hook, seen):
    def call(name, **kwargs):
        call_hook(name, **kwargs)
        if name == 'after_val_epoch':
            seen.append(bool(distill_hook(runner)._predictions._labels))

    return call


def test_features_of_a_stacked_head_are_those_of_its_last_layer(student_config):
    config = student_config()
    config['head'] = dict(
        type='StackedLinearClsHead', num_classes=4, in_channels=8, mid_channels=[6]
    )
    model = MODELS.build(dict(config, _scope_='mmpretrain'))
    features = model.head.pre_logits(model.extract_feat(torch.randn(2, 3, 16, 16)))
    assert feature_dim(model) == Student(model).feature_dim == features.size(1) == 6


def test_a_student_learns_on_fashion_mnist(tmp_path, fitted_teacher, scalars):
    pair = dict(PAIR='wrn16_wrn10_fashionmnist_mini')
    cfg = load_config('configs/distill/kd_cutmix.py', variants=pair)
    cfg.work_dir, cfg.log_level = str(tmp_path), 'ERROR'
    hook = cfg.custom_hooks[0]
    hook.teacher = fitted_teacher
    hook.losses = [dict(type='KDLoss', loss_weight=0.2), dict(type='CRDLoss', num_negatives=64)]
    cfg.train_dataloader.batch_size, cfg.train_dataloader.dataset.indices = 64, 512
    cfg.val_dataloader.dataset.indices = 250
    cfg.train_cfg.max_epochs, cfg.train_cfg.val_interval = 4, 1
    cfg.param_scheduler.total_steps, cfg.param_scheduler.eta_max = 4, 0.05
    cfg.default_hooks.logger.interval = 1
    runner = build_runner(cfg)
    runner.train()
    logged = scalars(runner)
    terms = {'loss', 'loss_cls', 'loss_mixed', 'loss_kd', 'loss_crd'}
    assert terms == {name for name in logged if 'loss' in name}
    total = sum(torch.tensor(logged[name]) for name in terms - {'loss'})
    torch.testing.assert_close(torch.tensor(logged['loss']), total, rtol=1e-3, atol=1e-3)
    assert sum(logged['loss_cls'][-4:]) < 0.8 * sum(logged['loss_cls'][:4])
    val = {name: hub.data[0] for name, hub in runner.message_hub.log_scalars.items()}
    assert val['val/distill/student'][-1] == pytest.approx(val['val/accuracy/top1'][-1])
    assert len(set(val['val/distill/teacher'])) == 1


def test_a_flexible_runner_distills_alike_unless_a_loss_has_weights(distill_runner, scalars, crd):
    """It loads a checkpoint before the hook could add the loss's weights."""
    logs = []
    for kind in (Runner, FlexibleRunner):
        runner = distill_runner(dict(preset='kd'), kind=kind, launcher='none')
        runner.train()
        logs.append(scalars(runner))
    for name in ('loss_cls', 'loss_kd', 'loss'):
        assert logs[0][name] == logs[1][name] and len(logs[0][name]) == 3
    runner = distill_runner(dict(losses=[crd]), kind=FlexibleRunner, launcher='none')
    with pytest.raises(TypeError, match='CRDLoss has weights .* leave runner_type out'):
        runner.train()
    assert runner.iter == 0
