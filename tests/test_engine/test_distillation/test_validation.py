"""What validation tells of the teacher, and what it leaves as it is."""

import pytest
import torch
from mmengine.hooks import Hook

pytestmark = pytest.mark.host


class Keep(Hook):
    """Keeps every validation's predictions and metrics."""

    def __init__(self):
        self.outputs, self.metrics = [], []

    def before_val_epoch(self, runner):
        self.outputs.append([])

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.outputs[-1] += outputs

    def after_val_epoch(self, runner, metrics=None):
        self.metrics.append(metrics)


@pytest.fixture
def validated(distill_runner):
    """Train two epochs with a validation after each, and give the runner and what was kept."""

    def run(hook=None, **options):
        keep = Keep()
        hook = None if hook is None else dict(dict(preset='kd'), **hook)
        runner = distill_runner(hook, hooks=(keep,), epochs=2, validate=True, **options)
        runner.train()
        return runner, keep

    return run


def test_accuracies_and_agreement_are_those_of_the_images(validated, distill_hook):
    runner, keep = validated({})
    samples = list(runner.val_dataloader.dataset)
    inputs = runner.model.data_preprocessor(dict(inputs=[sample['inputs'] for sample in samples]))[
        'inputs'
    ]
    truth = torch.cat([sample['data_samples'].gt_label for sample in samples])
    theirs = distill_hook(runner).objective.teacher(inputs).argmax(dim=1)
    runner.model.eval()
    ours = runner.model(inputs).argmax(dim=1)

    def share(left, right):
        return pytest.approx(100 * (left == right).float().mean().item())

    found = keep.metrics[-1]
    assert len(samples) == 10
    assert found['distill/student'] == found['accuracy/top1'] == share(ours, truth)
    assert found['distill/teacher'] == share(theirs, truth)
    assert found['distill/agreement'] == share(ours, theirs)
    assert keep.metrics[0]['distill/teacher'] == found['distill/teacher']
    logged = runner.message_hub.get_scalar('val/distill/agreement').data[0]
    assert len(logged) == 2


@pytest.mark.parametrize('norm', [False, True])
def test_teacher_is_asked_once_for_each_image_over_all_validations(validated, norm):
    runner, _ = validated({}, norm=norm)
    trained, asked = 2 * 12, 10
    assert sum(len(batch) for batch in runner.seen.teacher) == trained + asked


def test_predictions_are_those_without_the_hook(validated):
    with_teacher, without = (
        validated(dict(losses=[dict(type='KDLoss', loss_weight=0.0)], cls_weight=1.0)),
        validated(),
    )
    for ours, theirs in zip(with_teacher[1].outputs, without[1].outputs, strict=True):
        assert len(ours) == len(theirs) == 10
        for mine, yours in zip(ours, theirs, strict=True):
            assert torch.equal(mine.pred_score, yours.pred_score)
            assert torch.equal(mine.pred_label, yours.pred_label)
            assert set(mine.all_keys()) - set(yours.all_keys()) == {'teacher_label'}
    for mine, yours in zip(with_teacher[1].metrics, without[1].metrics, strict=True):
        assert mine['accuracy/top1'] == yours['accuracy/top1']


def test_the_teacher_can_be_left_out(validated):
    runner, keep = validated(dict(validate_teacher=False))
    assert all(set(metrics) == {'accuracy/top1'} for metrics in keep.metrics)
    assert sum(len(batch) for batch in runner.seen.teacher) == 2 * 12


def test_images_without_numbers_are_asked_for_each_time(validated):
    pack = dict(type='PackInputs', meta_keys=())
    dataset = dict(type='Noise', size=10, seed=1, pipeline=[pack])
    loader = dict(
        batch_size=4,
        num_workers=0,
        collate_fn=dict(type='default_collate'),
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dataset,
    )
    runner, keep = validated({}, val_dataloader=loader)
    assert sum(len(batch) for batch in runner.seen.teacher) == 2 * 12 + 2 * 10
    assert keep.metrics[0]['distill/teacher'] == keep.metrics[1]['distill/teacher']
