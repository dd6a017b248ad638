"""What a teacher's accuracy on the first training images leaves in the log."""

import logging

import pytest
import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.logging import MessageHub

from mmtmix.models.teachers import TeacherReport, beats_chance, report

pytestmark = pytest.mark.host


@pytest.fixture
def logged(monkeypatch):
    """What is logged, as (level, text)."""
    lines = []
    monkeypatch.setattr(
        report,
        'print_log',
        lambda text, logger, level=logging.INFO: lines.append((level, text)),
    )
    return lines


def start(name='a run'):
    MessageHub.get_instance(name).update_info('loop_stage', 'train')


def answers(hits, total, classes=10):
    """Logits and labels of which so many agree."""
    labels = torch.arange(total) % classes
    said = torch.where(torch.arange(total) < hits, labels, (labels + 1) % classes)
    return F.one_hot(said, classes).float(), F.one_hot(labels, classes)


@pytest.mark.parametrize(
    # 64 / 10 + 3 * sqrt(64 * 0.1 * 0.9) = 13.6, 100 / 2 + 3 * sqrt(25) = 65
    ('hits', 'total', 'classes', 'better'),
    [(13, 64, 10, False), (14, 64, 10, True), (65, 100, 2, False), (66, 100, 2, True)],
)
def test_chance_is_beaten_by_three_standard_deviations(hits, total, classes, better):
    assert beats_chance(hits, total, classes) is better


def test_batches_are_collected_and_reported_once_per_run(logged):
    start()
    told = TeacherReport()
    for hits in (20, 28, 5, 5):
        told(*answers(hits, 32))
    assert logged == [
        (logging.INFO, 'The teacher gets 48 of the first 64 training images right (75.0 %).')
    ]
    start('another run')
    told(*answers(96, 128))
    assert logged[1][1] == 'The teacher gets 96 of the first 128 training images right (75.0 %).'


def test_near_chance_the_log_warns_of_the_likely_causes(logged):
    start()
    TeacherReport()(*answers(13, 64))
    ((level, text),) = logged
    assert level == logging.WARNING
    for cause in (
        'near chance (10.0 %)',
        'checkpoint',
        'order of colour channels',
        'mean and std',
    ):
        assert cause in text


def test_mixed_images_count_by_their_largest_share(logged):
    start()
    logits, labels = answers(64, 64)
    TeacherReport()(logits, 0.7 * labels + 0.3 * labels.roll(1, dims=0))
    assert logged[0][1].endswith('right (100.0 %, mixed ones by their largest share).')


@pytest.mark.parametrize('stage', [None, 'val', 'test'])
def test_nothing_is_counted_but_in_training(logged, stage):
    if stage:
        MessageHub.get_instance('a run').update_info('loop_stage', stage)
    told = TeacherReport()
    assert not told.is_open
    told(*answers(64, 64))
    assert not logged


def test_another_label_space_and_a_closed_report_log_nothing(logged):
    start()
    told = TeacherReport()
    told(answers(64, 64, classes=7)[0], answers(64, 64)[1])
    assert not logged and told.is_open
    told.close()
    told(*answers(64, 64))
    assert not logged


class Steps(Hook):
    """Notes how many lines were logged when the first step was over, before its update too."""

    def __init__(self, lines):
        self.lines, self.counts = lines, []

    def before_run(self, runner):
        update = runner.optim_wrapper.update_params

        def spy(*args, **kwargs):
            self.counts.append(len(self.lines))
            return update(*args, **kwargs)

        runner.optim_wrapper.update_params = spy


def mixing(augments):
    return {'model.train_cfg.augments': augments, 'model.train_cfg.probs': None}


LOADER = {'train_dataloader.batch_size': 64, 'train_dataloader.dataset.indices': 128}


def test_mixers_distillation_and_an_average_report_once(method_runner, fitted_teacher, logged):
    mixers = [dict(type='AttentiveMix'), dict(type='SuperMix', labels='gt', max_iters=1)]
    augments = [dict(mixer, teacher=fitted_teacher) for mixer in mixers]
    hooks = [
        dict(type='EMAHook'),
        dict(type='DistillHook', preset='kd', teacher=fitted_teacher, validate_teacher=False),
        steps := Steps(logged),
    ]
    more = {'train_dataloader.sampler.shuffle': False, **mixing(augments)}
    method_runner('mixup', hooks=tuple(hooks), **LOADER, **more).train()
    ((level, text),) = logged
    assert level == logging.INFO and 'of the first 64 training images right' in text
    assert steps.counts == [1, 1]  # before the first update


def test_a_random_teacher_is_warned_of(method_runner, teacher_args, logged):
    augment = dict(type='AttentiveMix', teacher=teacher_args(in_channels=1))
    more = mixing([augment])
    method_runner('mixup', **LOADER, **more).train()
    ((level, text),) = logged
    assert level == logging.WARNING and 'near chance' in text
