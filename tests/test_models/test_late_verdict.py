"""NaN and infinity are noticed, at once on the CPU and without a wait on CUDA."""

import pytest
import torch

from mmtmix.models.late_verdict import FiniteCheck, settle_verdicts

pytestmark = pytest.mark.host


@pytest.fixture
def check():
    return FiniteCheck('batch_inputs', 'look for a std of 0')


@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_a_single_bad_value_is_an_error_with_the_cure(check, value, dtype):
    batch = torch.zeros(2, 3, 4, 5, dtype=dtype)
    batch[1, 2, 3, 4] = value
    said = r'batch_inputs of shape \(2, 3, 4, 5\) holds NaN or infinity; look for .*std of 0'
    with pytest.raises(ValueError, match=said):
        check(batch)


def test_infinities_that_cancel_are_noticed(check):
    with pytest.raises(ValueError, match='holds NaN or infinity'):
        check(torch.tensor([float('inf'), float('-inf')]))


def test_the_largest_finite_half_precision_values_pass(check):
    check(torch.full((2, 3, 64, 64), 65504.0, dtype=torch.float16))
    check(torch.empty(0))


class OnCuda(torch.Tensor):
    """A tensor that says it is on CUDA."""

    is_cuda = True


@pytest.fixture
def cuda(monkeypatch):
    """A pretended CUDA stream; copies arrive when ``finish`` is called."""

    class Event:
        recorded = []

        def record(self):
            self.done = False
            self.recorded.append(self)

        def query(self):
            return self.done

        def synchronize(self):
            self.done = True

        @classmethod
        def finish(cls):
            for event in cls.recorded:
                event.done = True

    monkeypatch.setattr(torch.cuda, 'Event', Event)
    return Event


def on_cuda(*values):
    return torch.tensor(values).as_subclass(OnCuda)


def test_on_cuda_the_verdict_is_raised_once_it_has_arrived(check, cuda):
    check(on_cuda(1.0, float('nan'), 3.0))
    check(on_cuda(1.0))
    cuda.finish()
    with pytest.raises(ValueError, match=r'shape \(3,\) holds NaN'):
        check(on_cuda(1.0))


def test_on_cuda_good_batches_pass_and_are_forgotten(check, cuda):
    for _ in range(3):
        check(on_cuda(1.0, 2.0))
        cuda.finish()
    check(on_cuda(1.0))
    assert len(check._pending) == 1


def test_where_the_host_waits_anyway_the_last_verdict_is_raised(check, cuda):
    check(on_cuda(1.0))
    settle_verdicts()
    check(on_cuda(float('inf')))
    with pytest.raises(ValueError, match='holds NaN or infinity'):
        settle_verdicts()
    settle_verdicts()  # each is raised once
