"""A run that was broken off and resumed ends as one that was not."""

import pytest
import torch

pytestmark = pytest.mark.host

FLIP = [dict(type='RandomFlip', prob=0.5), dict(type='PackInputs')]
SCHEDULE = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=4),
    dict(type='MultiStepLR', milestones=[3], gamma=0.1),
]


def offline(**settings):
    # 5 images in batches of 4: an epoch of three steps ends in the middle of a pass
    return dict(
        dataloader=dict(dataset=dict(type='Noise', size=5, seed=2, pipeline=FLIP), **settings)
    )


@pytest.fixture
def methods(crd, teacher):
    """Arguments of the hook by the name of what they do."""
    supermix = dict(type='SuperMix', teacher=teacher, max_iters=1, mask_size=4)
    return dict(
        crd_kd=dict(losses=[dict(type='KDLoss'), crd]),
        offline=dict(preset='kd_mixed', mixed=offline()),
        workers=dict(preset='kd_mixed', mixed=offline(num_workers=2)),
        other_size=dict(preset='kd_mixed', mixed=offline(num_workers=1, batch_size=3)),
        online=dict(preset='kd_mixed', mixed=dict(augment=supermix), kd_on='both'),
        offline_crd=dict(losses=[crd], mixed=offline(), mixed_cls='mixed'),
    )


ITERATIONS = dict(
    train_cfg=dict(by_epoch=False, max_iters=12),
    default_hooks=dict(
        logger=dict(type='LoggerHook', interval=1),
        checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=6),
    ),
)


@pytest.mark.parametrize('first', ['seed', 'distill'])
@pytest.mark.parametrize(
    ('method', 'sampler'),
    [
        ('crd_kd', None),
        ('offline', None),
        ('workers', None),
        ('other_size', None),
        ('online', None),
        ('offline_crd', None),
        ('crd_kd', 'InfiniteSampler'),
        ('workers', 'DefaultSampler'),
        ('other_size', 'InfiniteSampler'),
        ('online', 'InfiniteSampler'),
    ],
)
def test_resumed_run_equals_an_unbroken_one(
    distill_runner,
    distill_hook,
    stop_before,
    same,
    methods,
    tmp_path,
    teacher,
    method,
    sampler,
    first,
):
    seed = dict(type='EpochSeedHook')
    distill = dict(type='DistillHook', teacher=teacher, **methods[method])
    hooks = (seed, distill) if first == 'seed' else (distill, seed)
    loader = dict(dataset=dict(type='Noise', size=10, pipeline=FLIP))
    by_iteration = {}
    if sampler:
        loader['sampler'], by_iteration = dict(type=sampler, shuffle=True), ITERATIONS

    def train(folder, *others, **options):
        runner = distill_runner(
            None,
            epochs=4,
            hooks=(*hooks, *others),
            norm=True,
            train=loader,
            param_scheduler=SCHEDULE,
            work_dir=str(tmp_path / folder),
            **by_iteration,
            **options,
        )
        runner.train()
        return runner

    unbroken = train('unbroken')
    with pytest.raises(KeyboardInterrupt):
        train('broken', stop_before(step=8) if sampler else stop_before(epoch=2))
    resumed = train('broken', resume=True)
    assert resumed.seen.student and len(resumed.seen.student) * 2 == len(unbroken.seen.student)
    for ours, theirs in zip(
        resumed.seen.student, unbroken.seen.student[len(resumed.seen.student) :], strict=True
    ):
        assert torch.equal(ours, theirs)
    assert same(unbroken.model.state_dict(), resumed.model.state_dict())
    losses = [distill_hook(runner).losses.state_dict() for runner in (unbroken, resumed)]
    assert same(*losses)
    assert bool(losses[0]) == ('crd' in method)
    assert_same_optimizers(unbroken, resumed, same)


def assert_same_optimizers(unbroken, resumed, same):
    ours, theirs = (runner.optim_wrapper.state_dict() for runner in (unbroken, resumed))
    assert ours['param_groups'] == theirs['param_groups']
    assert ours['state'].keys() == theirs['state'].keys()
    for number, state in ours['state'].items():
        assert same(state, theirs['state'][number])
    schedules = ([s.state_dict() for s in r.param_schedulers] for r in (unbroken, resumed))
    assert next(schedules) == next(schedules)


def test_weights_of_a_crd_run_can_be_loaded_without_its_banks(
    distill_runner, distill_hook, crd, same, tmp_path
):
    distill_runner(dict(losses=[crd])).train()
    checkpoint = tmp_path / 'run' / 'epoch_1.pth'
    runner = distill_runner(
        dict(losses=[crd]), load_from=str(checkpoint), work_dir=str(tmp_path / 'anew')
    )
    runner.train()
    content = torch.load(checkpoint, weights_only=False)
    assert same(runner.seen.first, content['state_dict'])
    assert runner.iter == 3
    state = distill_hook(runner).losses.state_dict()
    assert not same(state, content['distillation']['losses'])


@pytest.mark.parametrize('hook', [None, dict(preset='kd')])
def test_crd_run_can_be_resumed_without_crd(distill_runner, crd, hook):
    distill_runner(dict(losses=[crd])).train()
    runner = distill_runner(hook, epochs=2, resume=True)
    runner.train()
    assert runner.iter == 6
    assert len(runner.optim_wrapper.optimizer.param_groups) == 1
