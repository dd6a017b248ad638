"""peak_memory: what a call takes at its peak, whatever was there before."""

from pathlib import Path

import pytest
import torch

from mmtmix.utils import peak_memory

MIB = 2**20

needs_linux = pytest.mark.skipif(
    not Path('/proc/self/clear_refs').exists(), reason='the kernel counts on Linux alone'
)


def take(mib):
    torch.ones(mib * MIB, dtype=torch.uint8)


@needs_linux
@pytest.mark.parametrize('device', ['cpu', torch.device('cpu')])
def test_a_temporary_is_seen(device):
    assert peak_memory(lambda: take(64), device) == pytest.approx(64 * MIB, rel=0.3)


@needs_linux
def test_what_was_there_before_does_not_count():
    kept = torch.ones(64 * MIB, dtype=torch.uint8)
    take(128)  # an earlier peak
    assert peak_memory(lambda: None, 'cpu') < 16 * MIB
    assert peak_memory(lambda: take(64), 'cpu') == pytest.approx(64 * MIB, rel=0.3)
    assert kept[-1] == 1


@needs_linux
def test_what_a_call_keeps_counts_and_its_result_is_dropped():
    kept = []
    found = peak_memory(lambda: kept.append(torch.ones(64 * MIB, dtype=torch.uint8)), 'cpu')
    assert found == pytest.approx(64 * MIB, rel=0.3)


def test_nothing_is_counted_where_nothing_counts():
    calls = []
    assert peak_memory(lambda: calls.append(1), 'meta') is None
    assert not calls
