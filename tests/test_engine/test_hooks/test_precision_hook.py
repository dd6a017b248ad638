"""PrecisionHook: a run's precision is in its checkpoints, and a change is reported."""

import pytest
import torch

from mmtmix.utils import load_checkpoint

pytestmark = pytest.mark.host


def test_precision_is_in_checkpoints_and_a_change_is_reported(method_runner, tmp_path, caplog):
    runner = method_runner('simple', **{'optim_wrapper.dtype': 'float32'})
    runner.train()
    for name in ('epoch_1.pth', 'last.pth'):
        assert load_checkpoint(tmp_path / 'run' / name)['meta']['precision'] == 'float32'
    other = {'optim_wrapper.dtype': 'bfloat16', 'resume': True, 'log_level': 'WARNING'}
    runner = method_runner('simple', epochs=2, **other)
    lines = []
    runner.logger.warning = lambda text, *args: lines.append(text)
    runner.train()
    assert [line for line in lines if 'begun in float32 and goes on in bfloat16' in line]
    assert load_checkpoint(tmp_path / 'run' / 'last.pth')['meta']['precision'] == 'bfloat16'


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({'optim_wrapper.type': 'OptimWrapper'}, 'float32'),
        ({'optim_wrapper.dtype': 'bfloat16'}, 'bfloat16'),
    ],
)
def test_precision_of_other_wrappers(method_runner, options, expected):
    from mmtmix.engine.hooks.precision_hook import training_precision

    runner = method_runner('simple', **options)
    wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    assert training_precision(wrapper) == expected
    with wrapper.optim_context(runner.model):
        computed = torch.ones(2, 2) @ torch.ones(2, 2)
    assert str(computed.dtype) == f'torch.{expected}'
