"""Re-normalisation, against what MMPretrain's own data preprocessors make of raw images."""

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmpretrain.models.utils import ClsDataPreprocessor

from mmtmix.models.teachers import ChannelOrder, InputStats, Renormalize

pytestmark = pytest.mark.host

IMAGENET = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
CIFAR = dict(mean=[125.307, 122.961, 113.8575], std=[51.5865, 50.847, 51.255], to_rgb=False)
GREY = dict(mean=[72.9], std=[90.0])


def stats_of(settings):
    """What comes out for images that are loaded in BGR."""
    return InputStats.from_preprocessor(settings, ChannelOrder('bgr'))


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
    renormalize = Renormalize(*(stats_of(settings) for settings in (source, target)))
    result = renormalize(preprocess(source, raw))
    torch.testing.assert_close(result, preprocess(target, raw), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize('known', ['source', 'target', None])
def test_an_unknown_order_is_refused_for_colours_alone_and_for_the_side_it_is_on(known):
    stats = dict(source=InputStats((1.0,), (2.0,)), target=InputStats((1.0,), (2.0,)))
    if known:
        stats[known] = stats[known].in_order('rgb')
    renormalize = Renormalize(**stats)
    assert torch.equal(renormalize(torch.ones(2, 1, 4, 4)), torch.ones(2, 1, 4, 4))
    with pytest.raises(ValueError, match='the order of the colour channels is unknown') as caught:
        renormalize(torch.ones(2, 3, 4, 4))
    assert ("that of the task's images" in str(caught.value)) == (known != 'source')
    assert ("the teacher's own" in str(caught.value)) == (known != 'target')


@pytest.mark.parametrize(('swapped', 'same'), [((), True), ((0, 1), True), ((0,), False)])
def test_unknown_orders_of_the_same_loader_can_be_compared(swapped, same):
    orders = [ChannelOrder(loader='own.Pictures') for _ in range(2)]
    for side in swapped:
        orders[side] = orders[side].swapped()
    inputs = torch.randn(2, 3, 4, 4)
    result = Renormalize(*(InputStats().in_order(order) for order in orders))(inputs)
    assert torch.equal(result, inputs if same else inputs.flip(1))


@pytest.mark.parametrize(
    ('given', 'error', 'said'),
    [
        (dict(to_rgb=False), ValueError, "to_rgb.*give channel_order='rgb' or 'bgr'"),
        (dict(bgr_to_rgb=True), ValueError, 'give channel_order'),
        (dict(means=[1]), TypeError, "input_stats has no 'means'; did you mean 'mean'"),
        (
            dict(channel_order='RGB'),
            ValueError,
            "channel_order must be one of None, 'rgb', 'bgr', got 'RGB'",
        ),
        ([1], TypeError, 'input_stats must be dict'),
    ],
)
def test_what_says_no_statistics_is_refused(given, error, said):
    with pytest.raises(error, match=said):
        InputStats.from_dict(given)


def test_equal_statistics_leave_the_inputs_as_they_are():
    stats = InputStats.from_preprocessor(IMAGENET)
    inputs = torch.randn(2, 3, 4, 4)
    assert torch.equal(Renormalize(stats, stats)(inputs), inputs)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_the_dtype_stays_and_the_inputs_are_not_written_to(dtype):
    inputs = torch.randn(2, 3, 4, 4).to(dtype)
    before = inputs.clone()
    renormalize = Renormalize(stats_of(IMAGENET), stats_of(CIFAR))
    assert renormalize(inputs).dtype == dtype
    assert torch.equal(inputs, before)


@pytest.mark.parametrize('loaded', ['rgb', 'bgr'])
@pytest.mark.parametrize('key', ['to_rgb', 'bgr_to_rgb', 'rgb_to_bgr'])
def test_every_name_of_the_channel_swap_is_a_swap_of_what_is_loaded(key, loaded):
    order = ChannelOrder(loaded)
    assert InputStats.from_preprocessor({key: True}, order).channel_order != loaded
    assert InputStats.from_preprocessor({key: False}, order).channel_order == loaded
    assert InputStats.from_preprocessor({key: True}).channel_order is None


def test_without_mean_and_std_inputs_are_not_normalised():
    stats = InputStats.from_preprocessor(dict(type='ClsDataPreprocessor'))
    assert (stats.mean, stats.std, stats.channel_order) == ((), (), None)


def test_the_models_own_preprocessor_goes_before_the_configs():
    config = Config(dict(model=dict(type='X', data_preprocessor=CIFAR), data_preprocessor=GREY))
    assert InputStats.from_config(config) == InputStats.from_preprocessor(CIFAR)
    config.model.pop('data_preprocessor')
    assert InputStats.from_config(config) == InputStats.from_preprocessor(GREY)
    config.pop('data_preprocessor')
    assert InputStats.from_config(config) is None


def test_the_running_task_is_read_from_the_runner(start_run):
    run = start_run(dict(model=dict(type='X'), data_preprocessor=IMAGENET))
    assert InputStats.of_running_task() == InputStats.from_preprocessor(IMAGENET)
    run.end()
    assert InputStats.of_running_task() is None


def test_text_in_the_message_hub_is_never_executed(start_run, tmp_path):
    made = tmp_path / 'made'
    text = f'open({str(made)!r}, "w")\ndata_preprocessor = dict(mean=[1.0], std=[2.0])'
    start_run(dict(data_preprocessor=IMAGENET)).message_hub.update_info('cfg', text)
    assert InputStats.of_running_task() == InputStats.from_preprocessor(IMAGENET)
    assert not made.exists()


def test_what_python_does_not_print_is_no_hindrance(start_run):
    start_run(dict(data_preprocessor=IMAGENET, clip=dict(max_norm=float('inf')), b=object()))
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
    assert InputStats.of_running_task() is None
    ask.heard.clear()
    runner.test()  # of a Runner that has trained
    assert ask.heard['test'] == own
    assert InputStats.of_running_task() is None


def test_a_running_config_without_a_preprocessor_is_refused_with_the_cure(start_run):
    start_run(dict(a=1))
    with pytest.raises(ValueError, match=r'has no data_preprocessor.*input_stats=dict\('):
        InputStats.of_running_task()
