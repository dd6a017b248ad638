"""keep_freed_memory: fewer page faults where glibc works on a CPU, and nothing elsewhere."""

import json
import os
import subprocess
import sys

import pytest

from mmtmix.utils import allocator

SET = allocator._VARIABLES
# Freed blocks of 40 MiB are above every threshold that glibc reaches by itself
CHILD = """
import ctypes, importlib.util, json, resource, sys, threading
spec = importlib.util.spec_from_file_location('allocator', {file!r})
allocator = importlib.util.module_from_spec(spec)
spec.loader.exec_module(allocator)
said = allocator.keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes, size = [ctypes.c_void_p], 40 * 2**20

def use():
    for _ in range(10):
        block = libc.malloc(size)
        ctypes.memset(block, 1, size)
        libc.free(block)

def faults(target):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    target()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def in_thread():
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()

print(json.dumps(dict(said=said, main=faults(use), thread=faults(in_thread))))
"""

needs_glibc = pytest.mark.skipif(not allocator._uses_glibc(), reason='the allocator is another')


@pytest.fixture
def clean(monkeypatch):
    """An environment and a process without settings of the allocator."""
    for name in (*SET, 'GLIBC_TUNABLES', allocator.SWITCH):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(allocator, '_note', '')  # another test may have called the function
    return monkeypatch


def run(**variables):
    done = subprocess.run(
        [sys.executable, '-c', CHILD.format(file=allocator.__file__)],
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_glibc
def test_freed_blocks_are_used_again_without_page_faults(clean):
    kept, plain = run(), run(**{allocator.SWITCH: '0'})
    assert 'keeps freed blocks of up to' in kept['said']
    assert plain['said'].endswith(f'unchanged: {allocator.SWITCH} is 0.')
    for place in ('main', 'thread'):
        assert kept[place] < plain[place] / 5, place


@needs_glibc
@pytest.mark.parametrize(
    ('variables', 'device', 'reason'),
    [
        ({}, 'cuda:1', 'the networks run on cuda:1'),
        ({allocator.SWITCH: '0'}, 'cpu', 'MMTMIX_MALLOPT is 0'),
        ({'MALLOC_TOP_PAD_': '0'}, 'cpu', 'MALLOC_TOP_PAD_ sets it'),
        ({'GLIBC_TUNABLES': 'glibc.malloc.trim_threshold=1'}, 'cpu', 'GLIBC_TUNABLES sets it'),
        ({'GLIBC_TUNABLES': 'glibc.rtld.nns=4', 'MALLOC_ARENA_MAX': '2'}, 'cpu', ''),
    ],
)
def test_other_devices_and_settings_of_the_user_are_left_alone(clean, variables, device, reason):
    for name, value in variables.items():
        clean.setenv(name, value)
    assert allocator._reason_against(device, os.environ) == reason
    if reason:
        assert reason in allocator.keep_freed_memory(device)
        assert not allocator.allocator_note()


class Library:
    """A C library that notes the calls of mallopt."""

    def __init__(self, largest):
        self.calls, self.largest = [], largest

    def mallopt(self, name, value):
        self.calls.append((name, value))
        return int(name != allocator._MMAP_THRESHOLD or value <= self.largest)


@pytest.mark.parametrize('largest', [32, 1024])
def test_an_old_glibc_gets_the_largest_threshold_that_it_takes(clean, largest):
    library = Library(largest * 2**20)
    clean.setattr(allocator, '_uses_glibc', lambda: True)
    clean.setattr(allocator.ctypes, 'CDLL', lambda name: library)
    assert f'up to {largest} MiB' in allocator.keep_freed_memory()
    assert allocator.allocator_note()
    assert dict(library.calls) == {-3: largest * 2**20, -1: 2**31 - 1, -2: 256 * 2**20}


def test_a_preloaded_allocator_is_left_alone(clean):
    places = iter([1, 2])  # of malloc and of gnu_get_libc_version
    clean.setattr(allocator, '_library_of', lambda function: next(places))
    assert 'not that of glibc' in allocator.keep_freed_memory()


def test_another_c_library_is_left_alone(clean):
    clean.setattr(allocator.ctypes, 'CDLL', lambda name: object())  # has no such functions
    assert 'not that of glibc' in allocator.keep_freed_memory()
