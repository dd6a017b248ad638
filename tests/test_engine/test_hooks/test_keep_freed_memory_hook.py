"""KeepFreedMemoryHook: it sets up the allocator before anything is trained, and logs that."""

import pytest
from mmengine.device import get_device

from mmtmix.engine.hooks import keep_freed_memory_hook

pytestmark = pytest.mark.host


def test_a_run_sets_up_the_allocator_once_and_logs_it(probe_runner, monkeypatch):
    devices, lines = [], []
    monkeypatch.setattr(
        keep_freed_memory_hook, 'keep_freed_memory', lambda device: devices.append(device) or 'set'
    )
    monkeypatch.setattr(keep_freed_memory_hook, 'allocator_note', str)
    runner = probe_runner(dict(type='KeepFreedMemoryHook'), epochs=1)
    monkeypatch.setattr(runner.logger, 'info', lines.append)
    runner.train()
    assert devices == [get_device()]
    assert lines.count('set') == 1
