"""Re-normalisation, against what MMPretrain's own data preprocessors make of raw images."""

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmpretrain.models.utils import ClsDataPreprocessor

from mmtmix.models.teachers.input_stats import InputStats, Renormalize

pytestmark = pytest.mark.host

IMAGENET = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
CIFAR = dict(mean=[125.307, 122.961, 113.8575], std=[51.5865, 50.847, 51.255], to_rgb=False)
GREY = dict(mean=[72.9], std=[90.0])


def preprocess(settings, raw):
    return ClsDataPreprocessor(**settings)(dict(inputs=raw))['inputs']


@pytest.mark.parametrize(
    ('source', 'target', 'channels'),
    [
        (IMAGENET, CIFAR, 3),
        (CIFAR, IMAGENET, 3),
        (dict(CIFAR, to_rgb=True), CIFAR, 3),
        (IMAGENET, dict(IMAGENET, mean=[100, 90, 80]), 3),
        (dict(to_rgb=True), CIFAR, 3),
        (IMAGENET, dict(), 3),
        (GREY, dict(mean=[0], std=[255]), 1),
        (dict(GREY, to_rgb=True), dict(mean=[10], std=[20]), 1),
    ],
)
def test_images_become_what_the_other_preprocessor_makes_of_them(source, target, channels):
    raw = torch.randint(256, (2, channels, 5, 7), dtype=torch.uint8)
    renormalize = Renormalize(*map(InputStats.from_preprocessor, (source, target)))
    result = renormalize(preprocess(source, raw))
    torch.testing.assert_close(result, preprocess(target, raw), atol=1e-4, rtol=1e-4)


def test_equal_statistics_leave_the_inputs_as_they_are():
    stats = InputStats.from_preprocessor(IMAGENET)
    inputs = torch.randn(2, 3, 4, 4)
    assert torch.equal(Renormalize(stats, stats)(inputs), inputs)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_the_dtype_stays_and_the_inputs_are_not_written_to(dtype):
    inputs = torch.randn(2, 3, 4, 4).to(dtype)
    before = inputs.clone()
    renormalize = Renormalize(*map(InputStats.from_preprocessor, (IMAGENET, CIFAR)))
    assert renormalize(inputs).dtype == dtype
    assert torch.equal(inputs, before)


@pytest.mark.parametrize('key', ['to_rgb', 'bgr_to_rgb'])
def test_both_names_of_the_channel_swap_are_read(key):
    assert InputStats.from_preprocessor({key: True}).to_rgb


def test_without_mean_and_std_inputs_are_not_normalised():
    assert InputStats.from_preprocessor(dict(type='ClsDataPreprocessor')) == InputStats()


def test_the_models_own_preprocessor_goes_before_the_configs():
    config = Config(dict(model=dict(type='X', data_preprocessor=CIFAR), data_preprocessor=GREY))
    assert InputStats.from_config(config) == InputStats.from_preprocessor(CIFAR)
    config.model.pop('data_preprocessor')
    assert InputStats.from_config(config) == InputStats.from_preprocessor(GREY)
    config.pop('data_preprocessor')
    assert InputStats.from_config(config) is None


def test_the_running_task_is_read_from_the_message_hub():
    config = Config(dict(model=dict(type='X'), data_preprocessor=IMAGENET))
    MessageHub.get_instance('a_run').update_info('cfg', config.pretty_text)
    assert InputStats.of_running_task() == InputStats.from_preprocessor(IMAGENET)


def test_outside_of_a_run_there_is_no_running_task():
    assert InputStats.of_running_task() is None


class Ask(Hook):
    """Asks for the running task's statistics wherever a loop is."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.heard = {}

    def before_run(self, runner):
        self.heard['before_run'] = InputStats.of_running_task()

    def _after_iter(self, runner, batch_idx, data_batch=None, outputs=None, mode='train'):
        self.heard[mode] = InputStats.of_running_task()


def test_a_run_in_progress_is_told_from_a_finished_one(method_runner):
    runner, ask = method_runner('mixup'), Ask()
    runner.register_hook(ask)
    own = InputStats.from_config(runner.cfg)
    assert InputStats.of_running_task() is None
    runner.train()
    assert ask.heard == dict(before_run=own, train=own, val=own)
    assert MessageHub.get_current_instance().get_info('cfg')  # MMEngine forgets nothing
    assert InputStats.of_running_task() is None
    ask.heard.clear()
    runner.test()  # of a Runner that has trained
    assert ask.heard['test'] == own
    assert InputStats.of_running_task() is None


@pytest.mark.parametrize(
    ('text', 'said'),
    [('model = <object at 0x7f>', 'cannot be read back'), ('a = 1', 'has no data_preprocessor')],
)
def test_a_running_config_that_says_nothing_is_refused_with_the_cure(text, said):
    MessageHub.get_instance('a_run').update_info('cfg', text)
    with pytest.raises(ValueError, match=rf'(?s){said}.*input_stats=dict\('):
        InputStats.of_running_task()
