"""Shards of exact sizes, filled with what is worth keeping."""

import numpy as np
import pytest

from mmtmix.apps.generate.sampling import DrawSampler, draw_batch
from mmtmix.apps.generate.settings import GenerationSettings
from mmtmix.apps.generate.shard_maker import MAX_FRUITLESS, make_shards
from mmtmix.datasets.mixed_shards import decode_image

NUM_IMAGES = 30
ORDER = 'bgr'  # stored as RGB
COLUMNS = ('sources', 'flips', 'weights', 'classes', 'targets', 'winners', 'iterations')


def some(sources):
    return sources.sum(axis=1) % 3 == 0


class FakeMixer:
    """Finishes some of the mixes; their pixels and steps tell from which sources they are."""

    def __init__(self, finished=some):
        self.finished, self.batches = finished, []

    def __call__(self, items, draw):
        sources = draw.sources.numpy()
        assert [item['number'] for item in items] == sources.flatten().tolist()
        self.batches.append(sources)
        rows = np.arange(len(sources))
        images = np.zeros((len(sources), 3, 5, 3), dtype=np.uint8)
        images[:] = np.pad(sources, ((0, 0), (0, 1)))[:, None, None]
        return dict(
            images=images,
            sources=sources,
            flips=draw.flips.numpy(),
            weights=draw.draw.weights.numpy(),
            classes=sources % 4,
            targets=np.eye(4, dtype=np.float32)[rows % 4],
            winners=rows % 4,
            iterations=sources[:, 0],
            finished=np.asarray(self.finished(sources)),
            wanted=np.asarray(self.finished(sources)),
        )


def make_draw(shard, batch):
    return draw_batch((shard, batch), 0, (6, 2), NUM_IMAGES, 1.0, 0.5)


def make(numbers=(0, 1, 2), mixer=None, workers=0, raw_bytes=45, **settings):
    settings = GenerationSettings(**dict(num=23, shard_size=10, batch_size=6) | settings)
    dataset = [dict(number=number) for number in range(NUM_IMAGES)]
    sampler = DrawSampler(numbers, make_draw)
    return list(
        make_shards(dataset, sampler, mixer or FakeMixer(), settings, ORDER, workers, raw_bytes)
    )


def kept_of(shard, size, keep=some):
    """By hand: the sources to keep of one batch after another, and all that were drawn."""
    drawn, kept = [], []
    while len(kept) < size:
        batch = make_draw(shard, len(drawn) // 6).sources.numpy()
        drawn += list(batch)
        kept += list(batch[keep(batch)])
    return np.array(kept[:size]), np.array(drawn)


@pytest.mark.parametrize(('keep', 'raw_bytes'), [('finished', 45), ('all', 44)])
def test_a_shard_is_the_first_mixes_worth_keeping(keep, raw_bytes):
    rule = some if keep == 'finished' else lambda sources: np.ones(len(sources), dtype=bool)
    shards = make(keep=keep, raw_bytes=raw_bytes)  # an image has 45 bytes
    assert [number for number, *_ in shards] == [0, 1, 2]
    for (number, records, statistics), size in zip(shards, (10, 10, 3), strict=True):
        kept, drawn = kept_of(number, size, rule)
        assert np.array_equal(records.sources, kept)
        assert np.array_equal(records.finished, some(kept))
        assert np.array_equal(records.iterations, kept[:, 0])
        assert (statistics.drawn, statistics.finished) == (len(drawn), some(drawn).sum())
        assert statistics.iterations == drawn[:, 0].sum()
        assert records.format == (2 if raw_bytes == 45 else 1)
        for image, row in zip(records.images, kept, strict=True):
            stored = image if records.format == 2 else decode_image(image, 'rgb')
            assert stored[0, 0].tolist() == [0, *row[::-1]]


def test_a_shard_follows_from_its_number_alone():
    (alone,) = make(numbers=[1])
    assert_same(alone, make()[1])


def assert_same(left, right):
    assert left[0] == right[0] and left[2] == right[2]
    assert np.array_equal(left[1].images, right[1].images)
    for name in COLUMNS:
        assert np.array_equal(getattr(left[1], name), getattr(right[1], name)), name


def test_loader_workers_that_read_ahead_change_nothing():
    mixer = FakeMixer()
    for left, right in zip(make(mixer=mixer, workers=2), make(), strict=True):
        assert_same(left, right)
    # nothing is mixed that was read for a shard already full
    assert len(mixer.batches) == sum(len(kept_of(i, n)[1]) // 6 for i, n in enumerate((10, 10, 3)))


def test_shards_come_out_as_soon_as_they_are_full():
    mixer, settings = FakeMixer(), GenerationSettings(20, shard_size=10, batch_size=6)
    dataset = [dict(number=number) for number in range(NUM_IMAGES)]
    shards = make_shards(dataset, DrawSampler([0, 1], make_draw), mixer, settings, 'rgb')
    next(shards)
    assert len(mixer.batches) == len(kept_of(0, 10)[1]) // 6
    shards.close()


def test_nothing_to_make_makes_nothing():
    assert make(numbers=[]) == []


def test_batch_after_batch_without_an_image_ends_it():
    mixer = FakeMixer(lambda sources: np.zeros(len(sources), dtype=bool))
    with pytest.raises(RuntimeError, match=f'last {MAX_FRUITLESS} batches.* keep="all"'):
        make(mixer=mixer)
    assert len(mixer.batches) == MAX_FRUITLESS
    assert len(make(mixer=mixer, keep='all')) == 3


def test_rare_images_are_waited_for():
    mixer = FakeMixer()
    mixer.finished = lambda sources: np.arange(6) == (len(mixer.batches) % MAX_FRUITLESS)
    ((_, records, statistics),) = make([0], mixer, num=7)
    assert len(records) == 7 == statistics.finished
    assert statistics.drawn == 6 * len(mixer.batches) > 6 * MAX_FRUITLESS
