"""Times of calls, on the device that they run on."""

import time

import pytest
import torch

from mmtmix.utils import median_seconds, seconds_of


def test_a_call_takes_as_long_as_it_does():
    assert 0.02 <= seconds_of(lambda: time.sleep(0.02), 'cpu') < 0.5


@pytest.mark.parametrize(('device', 'named'), [('cuda:1', [torch.device('cuda:1')]), ('mps', [])])
def test_what_was_started_on_its_device_is_waited_for(monkeypatch, device, named):
    events = []
    monkeypatch.setattr(
        getattr(torch, torch.device(device).type), 'synchronize', lambda *args: events.append(args)
    )
    seconds_of(lambda: events.append('call'), device)
    assert events == [tuple(named), 'call', tuple(named)]


def test_calls_are_timed_in_turns_after_warming_up():
    called = []
    calls = {name: lambda name=name: called.append(name) for name in 'ab'}
    assert median_seconds(calls, 3, 'cpu').keys() == calls.keys()
    assert called == ['a', 'b'] * 5
