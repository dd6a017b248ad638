"""Distillation beside other parts of MMEngine and MMPretrain."""

import pytest
import torch

pytestmark = pytest.mark.host

KD = dict(type='KDLoss')
OFFLINE = dict(dataloader=dict(dataset=dict(type='Noise', size=5, seed=2)))
EMA = dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.3)


def test_a_moving_average_is_of_the_student_alone_and_is_validated(
    distill_runner, same, tmp_path, crd
):
    hook = dict(losses=[KD, crd], mixed=OFFLINE)
    last = dict(type='LastCheckpointHook')
    runner = distill_runner(hook, hooks=(EMA, last), epochs=2, norm=True, validate=True)
    runner.train()
    (ema,) = [hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook']
    average = ema.ema_model.module
    assert average.state_dict().keys() == runner.model.state_dict().keys()
    assert not any(module._forward_hooks for module in average.modules())
    content = torch.load(tmp_path / 'run' / 'last.pth', weights_only=False)
    assert same(content['state_dict'], average.state_dict())
    assert not same(content['state_dict'], runner.model.state_dict())
    # what is validated is the average
    scalars = runner.message_hub.log_scalars
    assert scalars['val/distill/student'].current() == scalars['val/accuracy/top1'].current()


def test_a_moving_average_resumes(distill_runner, stop_before, same, crd):
    def train(*hooks, **options):
        settings = dict(hooks=(EMA, *hooks), epochs=2, **options)
        runner = distill_runner(dict(losses=[crd]), **settings)
        runner.train()
        (ema,) = [hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook']
        return ema.ema_model.state_dict()

    with pytest.raises(KeyboardInterrupt):
        train(stop_before(epoch=1))
    resumed = train(resume=True)
    assert same(train(), resumed)


@pytest.mark.parametrize('kd_on', ['clean', 'both'])
def test_under_bfloat16_autocast_losses_are_about_the_same(
    distill_runner, distill_hook, scalars, crd, kd_on
):
    optimizer = dict(type='SGD', lr=0.01)
    logged = []
    for dtype in ('float32', 'bfloat16'):
        hook = dict(losses=[KD, crd], mixed=OFFLINE, kd_on=kd_on)
        wrapper = dict(type='AutocastOptimWrapper', dtype=dtype, optimizer=optimizer)
        runner = distill_runner(hook, optim_wrapper=wrapper)
        runner.train()
        logged.append(scalars(runner))
    for name in ('loss_cls', 'loss_mixed', 'loss_kd', 'loss_crd'):
        assert logged[1][name] == pytest.approx(logged[0][name], rel=0.05, abs=0.05), name
        assert logged[1][name] != logged[0][name]
    for value in distill_hook(runner).losses.state_dict().values():
        assert value.dtype == torch.float32 and value.isfinite().all()


def test_accumulated_batches_equal_a_batch_of_their_size(distill_runner):
    """The student has no batch norm, and KD is a mean over the images."""
    students = []
    for batch_size, counts in ((4, 2), (8, 1)):
        runner = distill_runner(
            dict(preset='kd_mixed', mixed=OFFLINE),
            train=dict(batch_size=batch_size, dataset=dict(type='Noise', size=16)),
            optim_wrapper=dict(
                optimizer=dict(type='SGD', lr=0.1, momentum=0.9), accumulative_counts=counts
            ),
        )
        runner.train()
        students.append(runner.model.state_dict())
    for name, value in students[0].items():
        torch.testing.assert_close(value, students[1][name])


@pytest.fixture
def watch(distill_runner, distill_hook, crd):
    """Train four steps with CRD; give the runner, an embedding's gradients, and all weights."""

    def train(lr=0.1, **wrapper):
        gradients, weights = [], []

        def keep(runner, batch_idx, data_batch=None):
            losses = distill_hook(runner).losses
            if not weights:
                embedding = losses[0].embeddings.student.weight
                embedding.register_hook(lambda gradient: gradients.append(gradient.clone()))
            weights.append(dict(losses.named_parameters()) | dict(runner.model.named_parameters()))
            weights[-1] = {name: value.detach().clone() for name, value in weights[-1].items()}

        runner = distill_runner(
            dict(losses=[crd]),
            train=dict(dataset=dict(type='Noise', size=16)),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=lr), **wrapper),
        )
        runner.seen.before_train_iter = keep
        runner.train()
        keep(runner, 4)
        return runner, gradients, weights

    return train


def test_embeddings_gather_gradients_over_accumulated_batches(watch):
    _, single, _ = watch()
    _, gradients, weights = watch(accumulative_counts=2)
    assert len(gradients) == 4
    torch.testing.assert_close(gradients[0], single[0] / 2)
    states = [step['0.embeddings.student.weight'] for step in weights]
    for first in (0, 2):
        assert torch.equal(states[first + 1], states[first])
        moved = states[first] - 0.1 * (gradients[first] + gradients[first + 1])
        torch.testing.assert_close(states[first + 2], moved)


def test_gradients_are_clipped_with_the_embeddings_among_them(watch):
    runner, _, weights = watch(lr=1.0, clip_grad=dict(max_norm=1e-2))
    norms = runner.message_hub.get_scalar('train/grad_norm').data[0]
    assert len(norms) == 4 and (norms > 1e-2).all()
    for before, after in zip(weights[:-1], weights[1:], strict=True):
        moves = torch.stack([(after[name] - value).norm() for name, value in before.items()])
        assert moves[:4].gt(0).all()  # the embeddings
        assert moves.norm().item() == pytest.approx(1e-2, rel=1e-3)


def test_a_recipe_that_switches_the_loss_switches_it_for_mixed_images_too(
    distill_runner, distill_hook, scalars
):
    smooth = dict(type='LabelSmoothLoss', label_smooth_val=0.4, mode='original', num_classes=4)
    switch = dict(type='SwitchRecipeHook', schedule=[dict(action_epoch=2, loss=smooth)])
    runner = distill_runner(
        dict(preset='ce_mixed', mixed=OFFLINE),
        hooks=(switch,),
        epochs=2,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.0)),
    )
    runner.train()
    logged = scalars(runner)['loss_mixed']
    teacher = distill_hook(runner).objective.teacher
    for step, batch in enumerate(runner.seen.student[1::2]):
        share = 0.4 if step >= 3 else 0.0
        targets = (1 - share) * torch.eye(4)[teacher(batch).argmax(dim=1)] + share / 4
        losses = -(targets * runner.model(batch).log_softmax(dim=1)).sum(dim=1)
        assert logged[step] == pytest.approx(2.0 * losses.mean().item(), rel=1e-4)


def test_repeats_of_a_data_set_keep_the_images_numbers(distill_runner, distill_hook, crd):
    dataset = dict(type='RepeatDataset', dataset=dict(type='Noise', size=6), times=2)
    runner = distill_runner(dict(losses=[crd]), train=dict(dataset=dataset))
    runner.train()
    assert len(distill_hook(runner).losses[0].student_bank) == 6
    assert runner.iter == 3


def test_iterations_count_without_epochs(distill_runner, stop_before, same, crd):
    def train(*hooks, iters=4, **options):
        runner = distill_runner(
            dict(losses=[KD, crd], mixed=OFFLINE),
            hooks=hooks,
            train=dict(sampler=dict(type='InfiniteSampler', shuffle=True)),
            train_cfg=dict(by_epoch=False, max_iters=iters),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=2, by_epoch=False)),
            **options,
        )
        runner.train()
        return runner

    unbroken = train()
    assert unbroken.iter == 4
    train(iters=2)
    resumed = train(resume=True)
    assert same(unbroken.model.state_dict(), resumed.model.state_dict())
    # MMEngine goes through the clean images again, the mixed ones are at their place
    assert len(resumed.seen.student) == 4
    for ours, theirs in zip(resumed.seen.student, unbroken.seen.student[4:], strict=True):
        assert torch.equal(ours, theirs)


def test_a_classifier_of_timm_learns_as_any_other(distill_runner, scalars):
    pytest.importorskip('timm')
    model = dict(
        type='TimmClassifier',
        model_name='resnet10t',
        num_classes=4,
        data_preprocessor=dict(mean=[120.0, 123.0, 126.0], std=[60.0, 62.0, 64.0]),
    )
    runner = distill_runner(dict(preset='kd_mixed', mixed=OFFLINE, kd_on='both'), model=model)
    runner.train()
    logged = scalars(runner)
    assert len(logged['loss_kd']) == len(logged['loss_kd_mixed']) == len(logged['loss_cls']) == 3
    seen = zip(runner.seen.teacher, runner.seen.student, strict=True)
    assert all(torch.equal(a, b) for a, b in seen)
