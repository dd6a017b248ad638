"""What MMEngine's own runs write is read back without running code."""

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

from mmtmix.utils import load_checkpoint, load_safely


@pytest.fixture
def run_checkpoint(tmp_path):
    """What a run with a one-cycle schedule holds besides its weights."""
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    content = dict(
        message_hub=dict(log_scalars=dict(loss=history), runtime_info=dict(score=np.float64(3))),
        param_schedulers=[dict(anneal_func=OneCycleParamScheduler._annealing_cos)],
    )
    torch.save(content, tmp_path / 'epoch_1.pth')
    return tmp_path / 'epoch_1.pth'


@pytest.mark.host
def test_run_checkpoint_is_read_safely(run_checkpoint):
    content = load_checkpoint(run_checkpoint)
    assert content['message_hub']['log_scalars']['loss'].mean() == 1.5
    assert content['message_hub']['runtime_info']['score'] == 3
    anneal = content['param_schedulers'][0]['anneal_func']
    assert anneal is OneCycleParamScheduler._annealing_cos


@pytest.mark.host
def test_reading_one_file_does_not_take_back_what_resuming_needs(run_checkpoint):
    load_safely()
    load_checkpoint(run_checkpoint)
    assert 'message_hub' in torch.load(run_checkpoint, weights_only=True)


@pytest.mark.parametrize('method', ['step', '__init__', '__subclasses__'])
def test_other_methods_of_known_classes_are_refused(tmp_path, method):
    class Ask:
        def __reduce__(self):
            return getattr, (OneCycleParamScheduler, method)

    torch.save(dict(x=Ask()), tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=f'may not name {method!r}'):
        load_checkpoint(tmp_path / 'x.pth')
