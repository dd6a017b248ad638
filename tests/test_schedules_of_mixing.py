"""Warm-ups, clean last epochs and several mixes of a batch, as the README shows them."""

import pytest

from mmtmix.engine.launch import build_runner
from mmtmix.utils import load_config

pytestmark = pytest.mark.host


@pytest.fixture
def train(tmp_path):
    """Train the mini config of a method for three short epochs; the labels of each step."""

    def run(method, hooks, **preprocessor):
        cfg = load_config(f'configs/{method}/wrn16_fashionmnist_mini.py')
        cfg.work_dir, cfg.log_level = str(tmp_path), 'ERROR'
        cfg.model.backbone.depth = 10
        cfg.custom_hooks = hooks
        cfg.data_preprocessor.update(preprocessor)
        cfg.train_dataloader.batch_size = 32
        cfg.train_dataloader.dataset.indices = 64
        cfg.val_dataloader.dataset.indices = 32
        cfg.train_cfg.max_epochs = cfg.param_scheduler.total_steps = 3
        cfg.param_scheduler.eta_max = 0.05
        runner = build_runner(cfg)
        seen = []
        runner.model.register_forward_hook(
            lambda module, args, kwargs, output: (
                seen.append(kwargs['data_samples']) if kwargs['mode'] == 'loss' else None
            ),
            with_kwargs=True,
        )
        runner.train()
        return seen

    return run


def is_mixed(samples):
    return any(0 < float(sample.gt_score.max()) < 1 for sample in samples)


def switch(epoch, augment, prob):
    augments = dict(augments=[dict(type=augment)], probs=[prob])
    return dict(action_epoch=epoch, batch_augments=augments)


@pytest.mark.parametrize('augment', ['FMix', 'PuzzleMix'])
def test_warm_up_then_mixing_then_clean_epochs(train, augment):
    schedule = [switch(1, augment, 0.0), switch(2, augment, 1.0), switch(3, augment, 0.0)]
    hooks = [dict(type='LiveModelHook'), dict(type='SwitchRecipeHook', schedule=schedule)]
    seen = train('cutmix', hooks)
    assert [is_mixed(samples) for samples in seen] == [False] * 2 + [True] * 2 + [False] * 2


@pytest.mark.parametrize(('keep_clean', 'rows'), [(False, 96), (True, 128)])
def test_repeats_begin_with_a_switch(train, keep_clean, rows):
    schedule = [dict(action_epoch=1, batch_augments=None), switch(2, 'SampleMixup', 1.0)]
    hooks = [dict(type='SwitchRecipeHook', schedule=schedule)]
    kind = dict(type='RepeatMixPreprocessor', repeat=3, keep_clean=keep_clean)
    seen = train('mixup', hooks, **kind)
    assert [len(samples) for samples in seen] == [32] * 2 + [rows] * 4
    for samples in seen[2:]:
        assert is_mixed(samples[:32]) == (not keep_clean) and is_mixed(samples[-32:])


@pytest.mark.parametrize('order', [1, -1])
def test_losses_on_clean_images_join_the_step_that_made_them(train, fitted_teacher, order):
    distill = dict(
        type='DistillHook',
        teacher=fitted_teacher,
        preset='kd_mixed',
        mixed=dict(augment=dict(type='CoMixup')),
    )
    train('cutmix', [dict(type='LiveModelHook'), distill][::order])
