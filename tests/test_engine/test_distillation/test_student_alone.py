"""Nothing of the distillation stays in the student, its files or its run."""

from contextlib import nullcontext
from multiprocessing import active_children

import pytest
import torch
from mmengine.hooks import Hook

from mmtmix.engine.cleanup import closing_hooks

pytestmark = pytest.mark.host

OFFLINE = dict(dataloader=dict(dataset=dict(type='Noise', size=5, seed=2)))
SUPERMIX = dict(type='SuperMix', max_iters=1, mask_size=4)
LAST = (dict(type='LastCheckpointHook'),)


@pytest.fixture
def settings(teacher, crd):
    """Arguments of the hook by the name of what they do."""
    kd = dict(type='KDLoss')
    return dict(
        kd=dict(preset='kd'),
        crd_kd=dict(losses=[kd, crd]),
        offline=dict(preset='kd_mixed', mixed=OFFLINE),
        online=dict(preset='kd_mixed', mixed=dict(augment=dict(SUPERMIX, teacher=teacher))),
    )


METHODS = ('kd', 'crd_kd', 'offline', 'online')


@pytest.fixture
def plain(distill_runner, tmp_path):
    """A run without the hook."""
    runner = distill_runner(None, hooks=LAST, work_dir=str(tmp_path / 'plain'))
    runner.train()
    return runner


def keys(content):
    """The keys of a checkpoint, down to the tensors."""
    state = content.get('optimizer', {})
    groups = [set(group) for group in state.get('param_groups', ())]
    return set(content), set(content['state_dict']), set(state.get('state', ())), groups


@pytest.mark.parametrize('method', METHODS)
def test_student_begins_as_without_the_hook_and_sees_the_same_images(
    distill_runner, plain, same, settings, method
):
    runner = distill_runner(settings[method], hooks=LAST)
    runner.train()
    assert same(runner.seen.first, plain.seen.first)
    clean = runner.seen.student[:: 2 if 'mixed' in settings[method] else 1]
    assert all(torch.equal(a, b) for a, b in zip(clean, plain.seen.student, strict=True))


@pytest.mark.parametrize('method', METHODS)
def test_files_have_the_keys_of_a_run_without_the_hook(
    distill_runner, plain, tmp_path, settings, method
):
    distill_runner(settings[method], hooks=LAST).train()
    for name in ('epoch_1.pth', 'last.pth'):
        ours, theirs = (
            torch.load(tmp_path / run / name, weights_only=False) for run in ('run', 'plain')
        )
        entry = ours.pop('distillation', None)
        assert (entry is not None) == (method == 'crd_kd' and name == 'epoch_1.pth')
        assert keys(ours) == keys(theirs)


def test_entry_of_crd_holds_what_it_learns(distill_runner, distill_hook, tmp_path, settings):
    runner = distill_runner(settings['crd_kd'])
    runner.train()
    content = torch.load(tmp_path / 'run' / 'epoch_1.pth', weights_only=False)
    entry = content['distillation']
    state = distill_hook(runner).losses.state_dict()
    assert entry['losses'].keys() == state.keys() >= {'1.student_bank', '1.log_normalizers'}
    assert all(torch.equal(entry['losses'][name], value) for name, value in state.items())
    assert len(entry['optimizer']['state']) == 4


class Count(Hook):
    """Notes what is attached when a run begins, and breaks it off on demand."""

    priority = 'HIGHEST'

    def __init__(self, fail_at=None):
        self.fail_at = fail_at

    def before_run(self, runner):
        self.attached = attachments(runner)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.during = attachments(runner)
        if runner.iter == self.fail_at:
            raise RuntimeError('stumbled')


def attachments(runner):
    """Count the forward hooks of the student's modules, and the metrics."""
    hooks = [len(module._forward_hooks) for module in runner.model.modules()]
    return hooks, len(runner.val_evaluator.metrics)


@pytest.mark.parametrize('fail_at', [None, 0, 4])
@pytest.mark.parametrize('method', ['crd_kd', 'offline'])
def test_nothing_stays_attached_after_a_run_or_an_exception(
    distill_runner, settings, method, fail_at
):
    count = Count(fail_at)
    runner = distill_runner(settings[method], hooks=(count,), epochs=2, validate=True)
    if fail_at is None:
        runner.train()
    else:
        with pytest.raises(RuntimeError, match='stumbled'), closing_hooks(runner):
            runner.train()
    assert attachments(runner) == count.attached
    hooks, metrics = count.attached
    assert metrics == 1
    assert count.during[0] != hooks and count.during[1] == 2


def test_another_run_undoes_what_an_exception_left(distill_runner, settings, distill_hook):
    count = Count(1)
    runner = distill_runner(settings['crd_kd'], hooks=(count,), epochs=2, validate=True)
    with pytest.raises(RuntimeError, match='stumbled'):
        runner.train()
    assert attachments(runner) == count.during
    distill_hook(runner).cleanup.begin(runner)
    assert attachments(runner) == count.attached


@pytest.mark.parametrize('fail_at', [None, 4])
def test_workers_of_mixed_images_end_with_the_run(distill_runner, fail_at):
    before = active_children()
    loader = dict(OFFLINE['dataloader'], num_workers=1)
    hook = dict(preset='kd_mixed', mixed=dict(dataloader=loader))
    runner = distill_runner(hook, hooks=(Count(fail_at),), epochs=2, validate=True)
    stumbles = nullcontext() if fail_at is None else pytest.raises(RuntimeError, match='stumbled')
    with stumbles, closing_hooks(runner):
        runner.train()
    assert active_children() == before


def test_losses_of_the_student_are_its_own_again_after_a_run(distill_runner):
    runner = distill_runner(dict(preset='kd'))
    runner.train()
    batch = next(iter(runner.train_dataloader))
    data = runner.model.data_preprocessor(batch, training=True)
    assert set(runner.model(**data, mode='loss')) == {'loss'}


NOWHERE = dict(config='nowhere.py', checkpoint='nowhere.pth')


@pytest.mark.parametrize(
    'settings',
    [
        dict(preset='kd'),
        dict(preset='kd_mixed', mixed=dict(augment=dict(SUPERMIX, teacher=NOWHERE))),
        dict(preset='ce_mixed', mixed=dict(dataloader=dict(dataset=dict(type='MixedImages')))),
    ],
)
def test_a_test_run_works_without_a_teacher_or_mixed_images(distill_runner, settings):
    runner = distill_runner(dict(settings, teacher=NOWHERE), validate=True)
    runner.val()
    metrics = runner.val_evaluator.metrics
    assert len(metrics) == 1
    assert not any(module._forward_hooks for module in runner.model.modules())
