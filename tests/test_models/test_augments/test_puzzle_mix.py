"""PuzzleMix: its mix taken apart, its cut by brute force, and what it refuses."""

import itertools
import math
import sys

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.models import PuzzleMix, SaliencySource
from mmtmix.models.augments import puzzle_mix
from mmtmix.models.augments.blocks import draw_blocks, read_blocks
from mmtmix.models.draw import REPLAY

pytestmark = pytest.mark.host


class Given(SaliencySource):
    """Saliency that is drawn once, and counts how often it is asked."""

    def __init__(self, size=None):
        self.size, self.calls = size, 0

    def __call__(self, batch_inputs, batch_scores):
        self.calls += 1
        generator = torch.Generator().manual_seed(3)
        shape = len(batch_inputs), 1, *(self.size or batch_inputs.shape[-2:])
        return torch.rand(shape, generator=generator) ** 4


def mix(batch, seed=0, **settings):
    settings = dict(dict(saliency=Given()), **settings)
    torch.manual_seed(seed)
    return PuzzleMix(**settings)(*batch, return_details=True)


@pytest.mark.parametrize('shape', [(3, 16, 16), (1, 12, 20), (3, 7, 5), (3, 28, 28)])
@pytest.mark.parametrize('settings', [dict(transport=False), dict(t_size=-1), dict(t_size=2)])
@pytest.mark.parametrize('block_num', [None, 1, 4, 16])
def test_a_mix_and_its_target_add_up_pixel_by_pixel(make_batch, shape, settings, block_num):
    inputs, scores = make_batch(6, shape)
    mixed, targets, details = mix((inputs, scores), block_num=block_num, **settings)
    seen = details.pop('saliency')
    assert seen.shape == (6, 2, 1, *shape[1:]) and seen.isfinite().all()
    details.pop('plan', None)  # of the transport
    shapes = {name: tuple(value.shape) for name, value in details.items() if name not in REPLAY}
    assert shapes == dict(
        weights=(6, 2), index=(6, 2), warped=(6, 2, *shape), masks=(6, 2, 1, *shape[1:])
    )
    masks, weights = details['masks'], details['weights']
    assert set(masks.unique().tolist()) <= {0.0, 0.5, 1.0}
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(6, 1, *shape[1:]))
    torch.testing.assert_close(masks.mean(dim=(2, 3, 4)), weights)
    for n in range(6):
        image, label = torch.zeros(shape), torch.zeros(10)
        for i, partner in enumerate(details['index'][n]):
            if not settings.get('transport', True):
                assert torch.equal(details['warped'][n, i], inputs[partner])
            image += masks[n, i] * details['warped'][n, i]
            label += weights[n, i] * scores[partner]
        torch.testing.assert_close(mixed[n], image)
        torch.testing.assert_close(targets[n], label)


def least_cost_labels(images, saliency, pair, lam, std):
    """The published energy on 2 x 2 blocks of 8 x 8 images, for all 3^4 labellings, in loops."""
    blocks = {}
    for image in pair:
        quarters = saliency[image, 0].view(2, 4, 2, 4).sum(dim=(1, 3))
        blocks[image] = quarters / quarters.sum()
    pooled = images * std / 255  # blocks of 4 pixels are averaged whole
    pooled = {image: pooled[image].view(-1, 2, 4, 2, 4).mean(dim=(2, 4)) for image in pair}
    beta, gamma, eta = 1.2 / 2 / 16, 0.5, 0.2 / 4
    prior = [(1 - lam) ** 2, 2 * lam * (1 - lam), lam**2]
    edges = [((0, 0), (1, 0)), ((0, 1), (1, 1)), ((0, 0), (0, 1)), ((1, 0), (1, 1))]
    best = None
    own, other = pair
    for labels in itertools.product(range(3), repeat=4):
        share = {(y, x): labels[2 * y + x] / 2 for y in range(2) for x in range(2)}
        cost = 0.0
        for (y, x), z in share.items():
            cost += float(z * blocks[other][y, x] + (1 - z) * blocks[own][y, x])
            cost -= eta * math.log(prior[int(2 * z)] + 1e-8)
        for p, q in edges:
            d = {
                (a, b): float((pooled[a][:, p[0], p[1]] - pooled[b][:, q[0], q[1]]).abs().mean())
                for a in pair
                for b in pair
            }
            colour = share[p] * (d[own, own] + d[own, other]) / 2
            colour += (1 - share[p]) * (d[other, own] + d[other, other]) / 2
            colour += share[q] * (d[own, own] + d[other, own]) / 2
            colour += (1 - share[q]) * (d[own, other] + d[other, other]) / 2
            bend = (d[own, other] + d[other, own] - d[own, own] - d[other, other]) / 2
            square = (share[p] - share[q]) ** 2
            cost += beta * square + beta * gamma * (colour + bend * square)
        if best is None or cost < best[0]:
            best = cost, labels
    return best[1]


@pytest.mark.parametrize('channels', [1, 3])
def test_the_masks_are_those_of_least_published_energy(make_batch, monkeypatch, channels):
    inputs, scores = make_batch(8, (channels, 8, 8))
    drawn = torch.linspace(0.05, 0.95, 8)
    drawn = torch.stack([drawn, 1 - drawn], dim=1)
    monkeypatch.setattr(f'{puzzle_mix.BatchAugment.__module__}.draw_weights', lambda *_: drawn)
    settings = dict(block_num=2, transport=False, input_stats=dict(std=[60.0] * channels))
    _, _, details = mix((inputs, scores), **settings)
    saliency = Given()(inputs, scores)
    found = set()
    for n in range(8):
        pair = details['index'][n].tolist()
        labels = least_cost_labels(inputs, saliency, pair, float(drawn[n, 0]), 60.0)
        cells = details['masks'][n, 0, 0, ::4, ::4].flatten()
        assert (2 * cells).tolist() == list(labels)
        found |= set(labels)
    assert found == {0, 1, 2}


def test_block_counts_are_drawn_a_batch_from_four(make_batch, monkeypatch):
    cut, seen = puzzle_mix.cut_grids, []

    def cut_and_note(*terms):
        seen.append(tuple(terms[0].shape))
        return cut(*terms)

    monkeypatch.setattr(puzzle_mix, 'cut_grids', cut_and_note)
    for seed in range(30):
        mix(make_batch(4, (1, 32, 32)), seed, transport=False)
    assert set(seen) == {(4, 3, blocks, blocks) for blocks in (2, 4, 8, 16)}
    mix(make_batch(4, (1, 6, 32)), block_num=8, n_labels=2)
    assert seen[-1] == (4, 2, 6, 8)


def test_transport_shows_more_saliency_and_moves_whole_blocks(make_batch):
    inputs, scores = make_batch(10, (1, 8, 8))
    inputs = torch.rand(10, 64).argsort(dim=1).view(10, 1, 8, 8).float()  # no value twice
    saliency = Given()
    _, _, details = mix((inputs, scores), saliency=saliency, block_num=4, t_size=-1, t_eps=0.01)
    values = saliency(inputs, scores)
    before = after = 0.0
    for n, i in itertools.product(range(10), range(2)):
        partner = details['index'][n, i]
        flat = inputs[partner].flatten().tolist()
        place = torch.tensor([flat.index(v) for v in details['warped'][n, i].flatten().tolist()])
        corners = place.view(8, 8)[::2, ::2]
        for dy, dx in itertools.product(range(2), range(2)):
            assert torch.equal(place.view(8, 8)[dy::2, dx::2], corners + 8 * dy + dx)
        mask = details['masks'][n, i].flatten()
        before += float((mask * values[partner].flatten()).sum())
        after += float((mask * values[partner].flatten()[place]).sum())
    assert after > 1.02 * before


def test_saliency_may_be_smaller_than_the_image(make_batch):
    batch = make_batch(6, (3, 14, 18))
    mixed, _, details = mix(batch, saliency=Given((5, 3)), block_num=8, t_size=1)
    torch.testing.assert_close((details['masks'] * details['warped']).sum(dim=1), mixed)


def test_several_mixes_of_a_batch_ask_once(make_batch):
    inputs, scores = make_batch(4)
    saliency = Given()
    torch.manual_seed(0)
    mixer = PuzzleMix(saliency=saliency, block_num=4)
    mixed, targets, details = mixer(inputs, scores, return_details=True, repeat=3)
    assert saliency.calls == 1
    assert mixed.shape == (12, 3, 16, 16)
    torch.testing.assert_close((details['masks'] * details['warped']).sum(dim=1), mixed)
    expected = (details['weights'][..., None] * scores[details['index']]).sum(dim=1)
    torch.testing.assert_close(targets, expected)
    assert not torch.equal(details['index'][:4], details['index'][4:8])


def test_images_without_saliency_are_mixed_too(make_batch):
    class Nothing(SaliencySource):
        def __call__(self, batch_inputs, batch_scores):
            return torch.zeros_like(batch_inputs[:, :1])

    mixed, targets, _ = mix(make_batch(), saliency=Nothing(), block_num=4)
    assert mixed.isfinite().all()
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(6))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('transport', [True, False])
def test_the_inputs_keep_their_dtype(make_batch, dtype, transport):
    inputs, scores = make_batch()
    inputs = inputs.to(dtype).float()
    settings = dict(block_num=4, transport=transport)
    expected, targets, _ = mix((inputs, scores), **settings)
    mixed, same_targets, details = mix((inputs.to(dtype), scores), **settings)
    assert mixed.dtype == details['warped'].dtype == dtype
    torch.testing.assert_close(mixed.float(), expected, atol=1e-2, rtol=1e-2)
    assert torch.equal(same_targets, targets)


def test_a_seed_repeats_the_mix_and_arguments_are_not_written_to(make_batch):
    batch = make_batch()
    before = [tensor.clone() for tensor in batch]
    first, second = mix(batch), mix(batch)
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[0], mix(batch, seed=1)[0])
    first[0].zero_()
    assert all(torch.equal(a, b) for a, b in zip(batch, before, strict=True))


def test_a_batch_of_one_comes_back_unmixed_and_nobody_is_asked(make_batch):
    inputs, scores = make_batch(1)
    saliency = Given()
    mixed, targets, _ = mix((inputs, scores), saliency=saliency)
    assert torch.equal(mixed, inputs)
    assert torch.equal(targets, scores)
    assert saliency.calls == 0


def test_colours_are_compared_as_the_run_normalises_them(make_batch, start_run):
    batch, settings = make_batch(), dict(block_num=8, gamma=1.0, beta=5.0, transport=False)
    plain = mix(batch, **settings)[0]
    given = mix(batch, input_stats=dict(std=[250.0]), **settings)[0]
    assert not torch.equal(given, plain)
    assert torch.equal(mix(batch, input_stats=dict(std=[64.0]), **settings)[0], plain)
    start_run(dict(data_preprocessor=dict(mean=[0.0] * 3, std=[250.0] * 3)))
    assert torch.equal(mix(batch, **settings)[0], given)
    start_run(dict(model=dict()))
    with pytest.raises(
        ValueError, match=r'no normalisation of the images; set input_stats=dict\(std='
    ):
        mix(batch, **settings)
    with pytest.raises(ValueError, match='input_stats must be dict.*mean'):
        PuzzleMix(saliency=Given(), input_stats=dict(mean=[1.0]))


def test_a_run_that_starts_later_or_after_another_is_seen(make_batch, start_run):
    batch, settings = make_batch(), dict(block_num=8, gamma=1.0, beta=5.0, transport=False)
    augment = PuzzleMix(saliency=Given(), **settings)
    for std in (64.0, 250.0, 20.0):
        if std != 64.0:  # what stands in outside of a run
            start_run(dict(data_preprocessor=dict(mean=[0.0], std=[std])))
        expected = mix(batch, input_stats=dict(std=[std]), **settings)[0]
        torch.manual_seed(0)
        assert torch.equal(augment(*batch)[0], expected)


@pytest.mark.parametrize(
    ('block_num', 'expected'),
    [(None, {2, 4, 8, 16}), ([2, 4, 8], {2, 4, 8}), ((5,), {5}), (3, {3})],
)
def test_blocks_are_drawn_from_those_that_are_listed(block_num, expected):
    choices = read_blocks(block_num)
    generator = torch.Generator().manual_seed(0)
    drawn = [draw_blocks(choices, generator) for _ in range(400)]
    assert set(drawn) == expected
    for blocks in expected:
        assert drawn.count(blocks) / 400 == pytest.approx(1 / len(expected), abs=0.1)


def test_a_mix_has_one_of_the_listed_numbers_of_blocks(make_batch):
    """Masks of random saliency change at each edge of their cells, and nowhere else."""
    batch, seen = make_batch(8, (3, 32, 32)), set()
    for seed in range(12):
        masks = mix(batch, seed, block_num=[2, 8], beta=0.0)[2]['masks']
        edges = (masks.diff(dim=3) != 0).any(dim=4).sum(dim=(0, 1, 2)).nonzero()[:, 0] + 1
        seen.add(tuple(edges.tolist()))
    assert seen == {(16,), tuple(range(4, 32, 4))}


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (
            dict(num_mix=3),
            'num_mix must be an integer equal to 2, got 3; PuzzleMix mixes two images',
        ),
        (dict(alpha=0), 'alpha must be a finite number > 0'),
        (dict(beta=-1), 'beta must be a finite number >= 0, got -1'),
        (dict(eta=float('nan')), 'eta must be a finite number >= 0, got nan'),
        (dict(n_labels=1), 'n_labels must be an integer >= 2, got 1'),
        (dict(n_labels=2.5), 'n_labels must be an integer >= 2, got 2.5'),
        (dict(neigh_size=0), 'neigh_size must be an integer >= 1, got 0'),
        (dict(block_num=0), 'block_num must be an integer >= 1, got 0'),
        (dict(block_num=[]), r'block_num must be a list of integers >= 1, got \[\]'),
        (dict(block_num=[2, 0.5]), r'block_num must be a list of integers >= 1, got \[2, 0.5\]'),
        (dict(block_num=True), 'block_num must be .*got True'),
        (dict(t_size=0), 't_size must be an integer >= 1, got 0; .*-1 moves'),
        (dict(saliency='Guess'), "saliency must be one of .*, got 'Guess'"),
    ],
)
def test_arguments_out_of_range_are_refused(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        BATCH_AUGMENTS.build(dict(type='PuzzleMix', **settings))


def test_without_the_library_it_is_not_even_built(monkeypatch):
    monkeypatch.setitem(sys.modules, 'maxflow', None)
    with pytest.raises(ImportError, match='pip install PyMaxflow'):
        PuzzleMix()


def test_without_a_live_model_the_error_names_the_hook(make_batch):
    with pytest.raises(RuntimeError, match=r"custom_hooks=\[dict\(type='LiveModelHook'\)\]"):
        PuzzleMix()(*make_batch())
