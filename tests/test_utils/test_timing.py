"""Times of calls, on the device that they run on."""

import itertools
import time

import pytest
import torch

from mmtmix.utils import Timing, seconds_of, time_in_turns


def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_cpu_is_timed_by_its_work_and_not_by_waiting():
    assert 0.02 <= seconds_of(lambda: work(0.02), 'cpu') < 0.5
    assert seconds_of(lambda: time.sleep(0.05), 'cpu') < 0.02
    assert seconds_of(lambda: work(0.005), 'cpu', count=4) >= 0.02


def test_a_gpu_is_timed_by_events_around_all_calls_of_a_row(monkeypatch):
    events = []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            events.append('record')

        def synchronize(self):
            events.append('wait for the last')

        def elapsed_time(self, end):
            return 1500.0

    class Device:
        def __init__(self, device):
            assert device == torch.device('cuda:1')

        def __enter__(self):
            events.append('enter')

        def __exit__(self, *error):
            events.append('exit')

    monkeypatch.setattr(torch.cuda, 'Event', Event)
    monkeypatch.setattr(torch.cuda, 'device', Device)
    monkeypatch.setattr(torch.cuda, 'synchronize', lambda: events.append('wait'))
    assert seconds_of(lambda: events.append('call'), 'cuda:1', count=2) == 1.5
    row = ['wait', 'record', 'call', 'call', 'record', 'wait for the last']
    assert events == ['enter', *row, 'exit']


def test_work_of_other_devices_is_waited_for(monkeypatch):
    events = []
    monkeypatch.setattr(torch.mps, 'synchronize', lambda: events.append('wait'))
    seconds_of(lambda: events.append('call'), 'mps')
    assert events == ['wait', 'call', 'wait']


def test_calls_are_timed_in_turns_after_warming_up():
    called = []
    calls = {name: lambda name=name: called.append(name) for name in 'ab'}
    found = time_in_turns(calls, 3, 'cpu', row_seconds=0)
    assert found.keys() == calls.keys()
    assert called == ['a', 'a', 'b', 'b', *'ababab']


def test_short_calls_are_timed_in_rows_and_the_quartiles_are_kept(monkeypatch):
    ticks = itertools.chain([0, 9, 0, 0.004], *([0, each] for each in (0.03, 0.06, 0.09)))
    monkeypatch.setattr(time, 'process_time', lambda: next(ticks))
    called = []
    found = time_in_turns({'a': lambda: called.append(1)}, 3, 'cpu')
    assert len(called) == 2 + 3 * 3  # three calls of 4 ms fill 10 ms
    assert found['a'] == Timing(median=pytest.approx(0.02), spread=pytest.approx(0.01))
