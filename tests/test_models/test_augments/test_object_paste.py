"""Pasted objects, against what a loop over pixels makes of the details' shift."""

import itertools

import pytest
import torch

from mmtmix.models import ObjectPaste, object_masks

pytestmark = pytest.mark.host
HEIGHT, WIDTH = 14, 10
SHAPES, PLACES = ['box', 'mask'], ['over', 'own', 'random', 'clear']
EVERY = pytest.mark.parametrize(('shape', 'place'), [*itertools.product(SHAPES, PLACES)])


def objects(count=8):
    """An L of its own size and place in each image; none in the last one."""
    masks = torch.zeros(count, HEIGHT, WIDTH).bool()
    for n in range(count - 1):
        top, left = n, n % 5
        masks[n, top : top + 3 + n % 3, left] = True
        masks[n, top + 2 + n % 3, left : left + 4] = True
    return masks


def oracle(**settings):
    return ObjectPaste(**dict(saliency='TrueMasks', labels='gt') | settings)


def mix(make_batch, shape, place, seed=0, **settings):
    batch = make_batch(8, (3, HEIGHT, WIDTH))
    augment = oracle(shape=shape, place=place, **settings)
    torch.manual_seed(seed)
    with object_masks(objects()):
        return batch, augment(*batch, return_details=True)


def box_of(mask):
    rows, columns = mask.nonzero(as_tuple=True)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def pasted_pixels(mask, shape):
    pixels = mask.clone()
    if shape == 'box' and mask.any():
        top, bottom, left, right = box_of(mask)
        pixels[top:bottom, left:right] = True
    return pixels.nonzero().tolist()


@EVERY
def test_the_partner_s_object_lies_over_the_own_image(make_batch, shape, place):
    (images, scores), (mixed, targets, details) = mix(make_batch, shape, place)
    masks = objects()
    for n in range(8):
        partner = int(details['index'][n, 1])
        down, right = details['shift'][n].tolist()
        expected, cover = images[n].clone(), torch.zeros(HEIGHT, WIDTH)
        for r, c in pasted_pixels(masks[partner], shape):
            assert 0 <= r + down < HEIGHT and 0 <= c + right < WIDTH  # wholly inside
            expected[:, r + down, c + right] = images[partner, :, r, c]
            cover[r + down, c + right] = 1
        assert torch.equal(mixed[n], expected)
        assert torch.equal(details['masks'][n, 1, 0], cover)
        share = cover.mean()
        torch.testing.assert_close(targets[n], (1 - share) * scores[n] + share * scores[partner])
        assert torch.equal(details['saliency'][n, :, 0].bool(), masks[[n, partner]])
        if place == 'own':
            assert (down, right) == (0, 0)
    rest = (details['masks'] * details['warped']).sum(dim=1)
    assert torch.equal(rest, mixed)


@pytest.mark.parametrize('shape', SHAPES)
def test_a_clear_place_covers_the_fewest_object_pixels(make_batch, shape):
    _, (_, _, details) = mix(make_batch, shape, 'clear')
    masks = objects()
    for n in range(8):
        partner = int(details['index'][n, 1])
        pixels = pasted_pixels(masks[partner], shape)
        if not pixels:
            continue
        top, bottom, left, right = map(int, box_of(masks[partner]))
        counts = {
            (down, right_): sum(bool(masks[n, r + down, c + right_]) for r, c in pixels)
            for down in range(-top, HEIGHT - bottom + 1)
            for right_ in range(-left, WIDTH - right + 1)
        }
        assert counts[tuple(details['shift'][n].tolist())] == min(counts.values())


@pytest.mark.parametrize('place', ['random', 'clear'])
def test_places_are_drawn_from_all(make_batch, place):
    batch = torch.rand(400, 1, 6, 5), torch.eye(400)
    masks = torch.zeros(400, 6, 5).bool()
    masks[:, 2:4, 1:4] = True  # a box of 2 x 3: 5 x 3 places
    with object_masks(masks):
        _, _, details = oracle(place=place)(*batch, return_details=True)
    corners = (details['shift'] + torch.tensor([2, 1])).tolist()
    counts = {corner: corners.count(list(corner)) for corner in set(map(tuple, corners))}
    if place == 'random':
        assert len(counts) == 15 and min(counts.values()) > 10
    else:  # above or below the own object, which no place beside avoids
        assert {row for row, _ in counts} == {0, 4} and len(counts) == 6


@EVERY
def test_visible_labels_count_what_is_left_of_both_objects(make_batch, shape, place):
    (_, scores), (_, targets, details) = mix(make_batch, shape, place, labels='visible')
    masks = objects()
    for n in range(7):
        partner = int(details['index'][n, 1])
        if partner == 7:  # nothing is pasted
            torch.testing.assert_close(targets[n], scores[n])
            continue
        cover = details['masks'][n, 1, 0].bool()
        left = float((masks[n] & ~cover).sum()) / float(masks[n].sum())
        expected = (left * scores[n] + scores[partner]) / (left + 1)
        torch.testing.assert_close(targets[n], expected)


def test_the_object_of_a_soft_map_is_what_exceeds_the_threshold(make_batch):
    class Ramp(type(oracle().saliency)):
        needs_batch = False

        def __call__(self, batch_inputs, batch_scores):
            line = torch.linspace(0, 2, WIDTH)
            return line.expand(len(batch_inputs), 1, HEIGHT, WIDTH)

    images, scores = make_batch(4, (3, HEIGHT, WIDTH))
    augment = oracle(saliency=Ramp(), place='own', threshold=0.7)
    _, _, details = augment(images, scores, return_details=True)
    shown = torch.linspace(0, 1, WIDTH) > 0.7
    assert torch.equal(details['masks'][:, 1, 0].bool(), shown.expand(4, HEIGHT, WIDTH))
    # labels count the object, and not what is below the threshold
    assert torch.equal(details['saliency'][:, 0, 0].bool(), shown.expand(4, HEIGHT, WIDTH))


def test_by_default_the_mask_is_pasted_over_the_own_object(make_batch):
    batch = make_batch(8, (3, HEIGHT, WIDTH))
    torch.manual_seed(0)
    with object_masks(objects()):
        mixed, targets = ObjectPaste(saliency='TrueMasks')(*batch)
    _, (expected, labels, _) = mix(make_batch, 'mask', 'over', opacity='full', labels='visible')
    _, (boxes, *_) = mix(make_batch, 'box', 'over')
    assert torch.equal(mixed, expected) and not torch.equal(mixed, boxes)
    assert torch.equal(targets, labels)


def test_a_single_image_stays_and_three_are_refused(make_batch):
    images, scores = make_batch(1)
    mixed, targets, details = oracle()(images, scores, return_details=True)
    assert torch.equal(mixed, images) and torch.equal(targets, scores)
    assert details['shift'].shape == (1, 2)
    with pytest.raises(ValueError, match='num_mix must be .*2.*got 3.*one partner'):
        oracle(num_mix=3)


def test_over_puts_the_centre_of_one_box_on_that_of_the_other(make_batch):
    _, (_, _, details) = mix(make_batch, 'mask', 'over')
    masks = objects()
    for n in range(7):  # the last image has no object
        partner = int(details['index'][n, 1])
        if partner == 7:
            continue
        (top, bottom, left, right), below = box_of(masks[partner]), box_of(masks[n])
        for shift, first, last, start, end, side in zip(
            details['shift'][n].tolist(),
            (top, left),
            (bottom, right),
            below[::2],
            below[1::2],
            (HEIGHT, WIDTH),
            strict=True,
        ):
            centred = int(start) + (int(end - start) - int(last - first)) // 2
            expected = min(max(centred, 0), side - int(last - first))
            assert int(first) + shift == expected


@pytest.mark.parametrize('labels', ['gt', 'visible'])
def test_a_drawn_opacity_blends_the_objects(make_batch, labels):
    settings = dict(opacity='drawn', alpha=2.0, labels=labels)
    (images, scores), (mixed, targets, details) = mix(make_batch, 'mask', 'over', **settings)
    masks = objects()
    for n in range(8):
        partner, opacity = int(details['index'][n, 1]), float(details['drawn_weights'][n, 1])
        down, right = details['shift'][n].tolist()
        expected, below = images[n].clone(), masks[n].float()
        for r, c in pasted_pixels(masks[partner], 'mask'):
            at = (..., r + down, c + right)
            expected[at] = (1 - opacity) * expected[at] + opacity * images[partner, :, r, c]
            below[at] *= 1 - opacity
        torch.testing.assert_close(mixed[n], expected)
        count = int(masks[partner].sum())
        seen = [1 - opacity * count / (HEIGHT * WIDTH), opacity * count / (HEIGHT * WIDTH)]
        if labels == 'visible' and masks[n].any() and count:
            seen = [float(below.sum() / masks[n].sum()), opacity]
            seen = [part / sum(seen) for part in seen]
        if labels == 'gt' or (masks[n].any() and count):
            torch.testing.assert_close(
                targets[n], seen[0] * scores[n] + seen[1] * scores[partner], atol=1e-5, rtol=1e-4
            )


def test_a_teacher_s_maps_are_refined_and_another_source_is_taken_as_it_is(fitted_teacher):
    augment = ObjectPaste(fitted_teacher)
    assert [type(part).__name__ for part in augment.saliency.parts] == [
        'RefinedSaliency',
        'TeacherCAM',
    ]
    assert ObjectPaste(saliency=augment.saliency.source).saliency is augment.saliency.source
    for both in ({}, dict(teacher=fitted_teacher, saliency='TrueMasks')):
        with pytest.raises(ValueError, match='give either a teacher'):
            ObjectPaste(**both)
