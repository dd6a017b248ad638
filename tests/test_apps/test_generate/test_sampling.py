"""What is drawn for a batch, and in which order batches are asked for."""

from itertools import combinations, islice

import pytest
import torch

from mmtmix.apps.generate.sampling import DrawSampler, batch_generator, draw_batch, draw_sources

CONSTANT = torch.zeros(1000, dtype=torch.long)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_every_set_of_different_images_is_equally_likely():
    num, sets = 20_000, list(combinations(range(5), 3))
    sources = draw_sources(num, 3, 5, seeded())
    rows = [tuple(sorted(row)) for row in sources.tolist()]
    assert sorted(set(rows)) == sets
    expected = num / len(sets)
    chi2 = sum((rows.count(images) - expected) ** 2 / expected for images in sets)
    assert chi2 < 27.9  # 9 degrees of freedom, one seed in 1,000 fails
    first = torch.bincount(sources[:, 0], minlength=5)
    assert (first - num / 5).abs().max() < 5 * (num * 0.2 * 0.8) ** 0.5


def test_with_labels_no_class_is_there_twice_and_each_image_is_drawn():
    labels = torch.tensor([0, 0, 0, 0, 1, 2])
    sources = draw_sources(3000, 2, 6, seeded(), labels)
    classes = labels[sources]
    assert (classes[:, 0] != classes[:, 1]).all()
    pairs = torch.bincount(sources.sort(dim=1).values @ torch.tensor([6, 1]), minlength=36)
    allowed = [pairs[6 * a + b].item() for a, b in combinations(range(6), 2) if b > 3]
    assert sum(allowed) == 3000
    assert min(allowed) > 0.7 * 3000 / 9  # 9 pairs of different classes


@pytest.mark.parametrize(
    ('num_mix', 'num_images', 'labels', 'message'),
    [
        (3, 2, None, 'num_mix=3, but the data set has only 2 images'),
        (2, 1000, CONSTANT, 'num_mix=2, but no set .* has fewer classes'),
        (2, 10**6, torch.arange(10**6) == 3, 'num_mix=2, but no set .* drawn in 1000 tries'),
    ],
)
def test_what_cannot_be_drawn_is_said(num_mix, num_images, labels, message):
    with pytest.raises(ValueError, match=message):
        draw_sources(4, num_mix, num_images, seeded(), labels)


def draw(place, seed=0, **settings):
    values = dict(size=(6, 3), num_images=50, alpha=1.0, flip_prob=0.5) | settings
    return draw_batch(place, seed, **values)


def same(left, right):
    pairs = [(getattr(left, name), getattr(right, name)) for name in ('sources', 'flips')]
    pairs.append((left.draw.weights, right.draw.weights))
    return all(torch.equal(*pair) for pair in pairs)


def test_a_draw_depends_on_seed_shard_and_batch_alone():
    first = draw((2, 5), seed=7)
    torch.rand(10)  # whatever else the process draws
    again = draw((2, 5), seed=7)
    assert same(first, again)
    assert torch.equal(first.draw.generator.get_state(), again.draw.generator.get_state())
    others = [draw((2, 5), 8), draw((5, 2), 7), draw((2, 6), 7), draw((3, 5), 7)]
    assert not any(same(first, other) for other in others)
    assert first.draw.generator.initial_seed() == batch_generator(7, 2, 5).initial_seed()


def test_places_do_not_run_into_each_other():
    places = [(seed, shard, batch) for seed in (1, 11) for shard in range(12) for batch in (0, 1)]
    assert len({batch_generator(*place).initial_seed() for place in places}) == len(places)


def test_a_draw_has_the_documented_types():
    drawn = draw((4, 0))
    assert (drawn.shard, drawn.sources.shape, drawn.sources.dtype) == (4, (6, 3), torch.int64)
    assert (drawn.flips.shape, drawn.flips.dtype) == ((6, 3), torch.bool)
    # the images come row by row
    assert torch.equal(drawn.sources.flatten()[drawn.draw.index], drawn.sources)
    torch.testing.assert_close(drawn.draw.weights.sum(dim=1), torch.ones(6))
    assert not draw((4, 0), flip_prob=0.0).flips.any()
    assert draw((4, 0), flip_prob=1.0).flips.all()
    assert 0.4 < draw((4, 0), size=(2000, 2), flip_prob=0.5).flips.float().mean() < 0.6


def test_the_sampler_goes_on_with_a_shard_until_it_is_full():
    asked = []

    def make_draw(shard, batch):
        asked.append((shard, batch))
        return draw((shard, batch))

    sampler = DrawSampler([3, 1, 8], make_draw)
    indices = []
    for batch in sampler:
        indices.append(batch)
        if asked[-1] in {(3, 2), (1, 0), (8, 1)}:
            sampler.finish_shard()
    assert asked == [(3, 0), (3, 1), (3, 2), (1, 0), (8, 0), (8, 1)]
    assert [drawn.shard for _, drawn in sampler.pending] == [3, 3, 3, 1, 8, 8]
    assert indices == [drawn.sources.flatten().tolist() for _, drawn in sampler.pending]


def test_what_was_read_ahead_stays_pending_in_order():
    sampler = DrawSampler([0, 1], lambda *place: draw(place))
    ahead = list(islice(iter(sampler), 3))
    assert sampler.take().sources.flatten().tolist() == ahead[0]
    assert len(sampler.pending) == 2
    assert {drawn.shard for _, drawn in sampler.pending} == {0}


def test_what_was_read_ahead_of_a_full_shard_is_not_taken_for_the_same_shard_again():
    """Another process has taken the shard over, and died."""
    sampler = DrawSampler([5, 5], lambda *place: draw(place))
    batches = iter(sampler)
    ahead = list(islice(batches, 3))
    assert sampler.take().sources.flatten().tolist() == ahead[0]
    sampler.finish_shard()
    again = next(batches)
    assert [sampler.take(), sampler.take()] == [None, None]
    assert sampler.take().sources.flatten().tolist() == again == ahead[0]


def test_no_shards_ask_for_nothing():
    assert list(DrawSampler([], draw)) == []
