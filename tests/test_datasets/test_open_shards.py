"""Which shards of a set are mapped to memory at a time."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mmtmix.datasets.mixed_shards import MixedSet, shard_name
from mmtmix.datasets.mixed_shards import mixed_set as mixed_sets
from mmtmix.datasets.mixed_shards.files import open_shard


def test_few_shards_are_open_at_a_time(make_set):
    folder, images, records = make_set(sizes=[2] * 8)
    mixed = MixedSet(folder, max_open=3)
    for position in np.random.default_rng(0).permutation(np.repeat(np.arange(16), 4)):
        shard, record = mixed.locate(position)
        assert np.array_equal(shard.image(record, 'rgb'), images[position])
        del shard
        if sys.platform == 'linux':
            mapped = Path('/proc/self/maps').read_text().splitlines()
            open_now = {line.split()[-1] for line in mapped if str(folder) in line}
            assert 1 <= len(open_now) <= 3
    assert np.array_equal(mixed.column('winners'), np.concatenate([r.winners for r in records]))


def test_by_default_no_shard_is_opened_twice(make_set, monkeypatch):
    folder, images, _ = make_set(sizes=[2] * 128, raw=True)
    opened = []

    def counting(*args):
        opened.append(args[2])
        return open_shard(*args)

    monkeypatch.setattr(mixed_sets, 'open_shard', counting)
    descriptors = os.listdir('/proc/self/fd') if sys.platform == 'linux' else []
    mixed = MixedSet(folder)
    for position in np.random.default_rng(0).permutation(np.repeat(np.arange(256), 3)):
        shard, record = mixed.locate(position)
        assert np.array_equal(shard.image(record, 'rgb'), images[position])
    for _ in range(2):
        assert sum(len(places) for _, _, places in mixed.groups(np.arange(256)[::-1])) == 256
    assert sorted(opened) == list(range(128))
    if descriptors:
        assert len(os.listdir('/proc/self/fd')) == len(descriptors)  # a mapping takes none


def test_the_number_of_open_shards_fits_the_system(make_set, monkeypatch):
    folder, _, _ = make_set(sizes=[2] * 8)
    assert 1 <= MixedSet(folder).max_open <= mixed_sets.most_mappings() // 2
    monkeypatch.setattr(mixed_sets, 'most_mappings', lambda: 20)
    assert MixedSet(folder).max_open == 5
    assert MixedSet(folder, max_open=20).max_open == 20
    for bad in (0, 21):
        with pytest.raises(ValueError, match=f'max_open must be .*20.*got {bad}.*max_map_count'):
            MixedSet(folder, max_open=bad)


def test_shards_are_closed_where_the_system_has_no_more_mappings(make_set, monkeypatch):
    folder, images, _ = make_set(sizes=[2] * 8, raw=True)
    mixed, limit, refused = MixedSet(folder), 4, []
    from_file = torch.from_file

    def limited(*args, **kwargs):
        if len(mixed._open) >= limit:
            refused.append(args)
            raise RuntimeError(
                'unable to mmap 99 bytes from file <x>: Cannot allocate memory (12)'
            )
        return from_file(*args, **kwargs)

    monkeypatch.setattr(torch, 'from_file', limited)
    for position in np.arange(16):
        shard, record = mixed.locate(position)
        assert np.array_equal(shard.image(record, 'rgb'), images[position])
    assert refused and len(mixed._open) <= limit
    limit = 0  # nothing of this set can make room
    with pytest.raises(OSError, match=r'cannot be read.*shard-00000'):
        mixed.locate(0)


@pytest.mark.skipif(sys.platform != 'linux', reason='limits descriptors as Linux does')
def test_a_process_without_free_descriptors_is_not_told_that_a_shard_is_missing(make_set):
    resource = pytest.importorskip('resource')
    folder, _, _ = make_set()
    mixed, before, held = MixedSet(folder), resource.getrlimit(resource.RLIMIT_NOFILE), []
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        with pytest.raises(OSError, match='Too many open files'):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        with pytest.raises(OSError, match='cannot be read: Too many open files'):
            mixed.locate(0)
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_shard_that_is_opened_again_is_checked_again(make_set):
    folder, _, _ = make_set()
    mixed = MixedSet(folder, max_open=1)
    mixed.locate(0)
    mixed.locate(10)
    path = folder / shard_name(0)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r'shard-00000.*truncated'):
        mixed.locate(0)
