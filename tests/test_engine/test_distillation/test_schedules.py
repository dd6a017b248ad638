"""The group of CRD's embeddings follows the student's through every schedule."""

import pytest
from mmengine.hooks import Hook

pytestmark = pytest.mark.host

SCHEDULES = {
    'none': [],
    'multi_step': [dict(type='MultiStepLR', milestones=[1], gamma=0.1)],
    'warm_up': [
        dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=3),
        dict(type='CosineAnnealingLR', eta_min=0.01, by_epoch=False, begin=3, end=6),
    ],
    'poly': [dict(type='PolyLR', eta_min=0.001, by_epoch=False)],
    'constant': [dict(type='ConstantLR', factor=0.5, by_epoch=False, end=3)],
    'exponential': [dict(type='ExponentialLR', gamma=0.5)],
    'one_cycle': [dict(type='OneCycleLR', eta_max=0.3, total_steps=9, by_epoch=False)],
    'ratio': [dict(type='CosineAnnealingLR', eta_min_ratio=0.1, T_max=6, by_epoch=False)],
    'momentum': [dict(type='CosineAnnealingMomentum', eta_min=0.5, T_max=6, by_epoch=False)],
    # nothing is progress enough
    'plateau': [
        dict(type='ReduceOnPlateauLR', monitor='accuracy/top1', patience=0, threshold=1.0)
    ],
}
SETTINGS = ('lr', 'initial_lr', 'momentum', 'weight_decay')


class Settings(Hook):
    """Keeps what every group is trained with, in every step."""

    priority = 'LOWEST'

    def __init__(self):
        self.seen = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        groups = runner.optim_wrapper.optimizer.param_groups
        self.seen.append(
            [{name: group.get(name) for name in SETTINGS} for group in groups],
        )


@pytest.fixture
def train(distill_runner, crd):
    """Train three epochs of three steps, with CRD or without, and give the groups' settings."""

    def run(schedule, with_crd=True, **wrapper):
        keep = Settings()
        optimizer = dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-2)
        runner = distill_runner(
            dict(losses=[crd]) if with_crd else None,
            hooks=(keep,),
            epochs=3,
            validate=schedule == 'plateau',
            param_scheduler=SCHEDULES[schedule],
            optim_wrapper=dict(optimizer=optimizer, **wrapper),
        )
        runner.train()
        return runner, keep.seen

    return run


@pytest.mark.parametrize('schedule', SCHEDULES)
def test_embeddings_are_trained_as_the_student_in_every_step(train, schedule):
    _, steps = train(schedule)
    assert len(steps) == 9
    for student, embeddings in steps:
        assert embeddings == student
    rates = {tuple(student.values()) for student, _ in steps}
    assert (len(rates) > 1) == (schedule != 'none')
    if schedule != 'plateau':  # which looks at what was learned
        _, plain = train(schedule, with_crd=False)
        assert [step[0] for step in steps] == [groups[0] for groups in plain]


@pytest.mark.parametrize('schedule', ['multi_step', 'one_cycle', 'warm_up'])
def test_embeddings_are_trained_as_the_weights_that_no_rule_reduces(train, schedule):
    rules = dict(custom_keys={'conv': dict(lr_mult=0.1)}, bias_decay_mult=0.0)
    runner, steps = train(schedule, paramwise_cfg=rules)
    names = [name for name, _ in runner.model.named_parameters()]
    assert names == [
        'backbone.conv.weight',
        'backbone.conv.bias',
        'head.fc.weight',
        'head.fc.bias',
    ]
    for *student, embeddings in steps:
        assert embeddings == student[2]
        assert embeddings['weight_decay'] == 1e-2
        if schedule == 'multi_step':  # others lead to a rate of their own
            assert embeddings['lr'] == pytest.approx(10 * student[0]['lr'])
    group = runner.optim_wrapper.optimizer.param_groups[-1]
    assert len(group['params']) == 4
