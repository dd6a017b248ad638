"""A stream without an end, from anywhere and over several ranks."""

from itertools import islice

import pytest
from mmpretrain.registry import DATA_SAMPLERS

from mmtmix.datasets import endless_sampler

pytestmark = pytest.mark.host


def build(size=7, **settings):
    settings = dict(dict(type='EndlessSampler', dataset=range(size), seed=3), **settings)
    return DATA_SAMPLERS.build(settings)


def take(sampler, number=28):
    return list(islice(sampler, number))


def test_every_pass_has_each_sample_once_in_an_order_of_its_own():
    stream = take(build())
    passes = [tuple(stream[start : start + 7]) for start in range(0, 28, 7)]
    assert all(sorted(each) == list(range(7)) for each in passes)
    assert len(set(passes)) == 4


def test_it_repeats_by_its_seed_alone():
    assert take(build()) == take(build())
    # no pass of a seed is a pass of its neighbour
    first, second = (take(build(50, seed=seed), 200) for seed in (3, 4))
    orders = [{tuple(each[at : at + 50]) for at in range(0, 200, 50)} for each in (first, second)]
    assert not orders[0] & orders[1]


@pytest.mark.parametrize('start', [1, 6, 7, 8, 20])
def test_starting_anywhere_is_skipping_what_comes_before(start):
    sampler = build()
    expected = take(sampler)[start:]
    sampler.start = start
    assert take(sampler, 28 - start) == expected


@pytest.mark.parametrize('start', [0, 5])
def test_ranks_take_turns_in_what_one_process_would_see(monkeypatch, start):
    ranks = []
    for rank in range(2):
        monkeypatch.setattr(endless_sampler, 'get_dist_info', lambda rank=rank: (rank, 2))
        sampler = build()
        sampler.start = start
        ranks.append(take(sampler, 10))
    monkeypatch.undo()
    together = [number for pair in zip(*ranks, strict=True) for number in pair]
    assert together == take(build())[start : start + 20]


def test_unshuffled_passes_count_up():
    assert take(build(3, shuffle=False), 8) == [0, 1, 2, 0, 1, 2, 0, 1]


def test_without_a_seed_ranks_agree_on_one(monkeypatch):
    monkeypatch.setattr(endless_sampler, 'sync_random_seed', lambda: 3)
    assert take(build(seed=None)) == take(build(seed=3))


def test_a_single_sample_repeats():
    assert take(build(1), 3) == [0, 0, 0]


def test_an_empty_data_set_is_refused():
    with pytest.raises(ValueError, match='range is empty: there is nothing to draw from'):
        build(0)


def test_epochs_of_a_given_size_go_on_where_the_one_before_stopped():
    sampler = build(epoch_size=5)
    epochs = []
    for epoch in range(4):
        sampler.set_epoch(epoch)
        epochs.append(list(sampler))
    assert [len(each) for each in epochs] == [5] * 4
    assert sum(epochs, []) == take(build(), 20)
    assert len(sampler) == 5


def test_ranks_share_an_epoch(monkeypatch):
    ranks = []
    for rank in range(2):
        monkeypatch.setattr(endless_sampler, 'get_dist_info', lambda rank=rank: (rank, 2))
        sampler = build(epoch_size=6)
        sampler.set_epoch(1)
        ranks.append(list(sampler))
    monkeypatch.undo()
    together = [number for pair in zip(*ranks, strict=True) for number in pair]
    assert together == take(build())[6:12]


def test_a_stream_without_an_end_has_no_length():
    sampler = build()
    sampler.set_epoch(3)
    assert sampler.start == 0
    with pytest.raises(TypeError, match='without epoch_size has no length'):
        len(sampler)


@pytest.mark.parametrize('size', [0, -1, 100.0, True, '5'])
def test_an_epoch_of_nothing_is_refused(size):
    said = f'epoch_size must be an integer >= 1, got {size!r}; at least one sample per rank'
    with pytest.raises((TypeError, ValueError), match=said):
        build(epoch_size=size)
