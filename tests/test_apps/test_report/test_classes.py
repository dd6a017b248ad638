"""Accuracy per class, confusion and comparison on the same images, against other sources."""

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from mmtmix.apps.report.classes import MOST_ROWS, class_report, share_of
from mmtmix.apps.report.comparison import SeedResult, compare, same_images
from mmtmix.evaluation.predictions import Predictions

pytestmark = pytest.mark.host


def predictions(num_classes, images=600, strength=2.0, seed=0, labels=None):
    rng = np.random.default_rng(seed)
    labels = rng.integers(num_classes, size=images) if labels is None else labels
    logits = rng.normal(size=(len(labels), num_classes))
    logits[np.arange(len(labels)), labels] += strength
    scores = np.exp(logits)
    scores = (scores / scores.sum(1, keepdims=True)).astype(np.float32)
    return Predictions(scores, labels, None, '0' * 64)


@pytest.mark.parametrize('num_classes', [2, 10, 100, 1000])
def test_tables_are_short_and_right(num_classes):
    given = predictions(num_classes)
    found = class_report(given)
    matrix = confusion_matrix(given.labels, given.predicted, labels=range(num_classes))
    if num_classes <= 10:
        assert found.matrix == matrix.tolist() and not found.is_part and not found.histogram
        assert [row.label for row in found.rows] == list(range(num_classes))
    else:
        assert found.matrix is None and found.is_part and len(found.rows) == MOST_ROWS
        assert sum(each.number for each in found.histogram) == (matrix.sum(1) > 0).sum()
        accuracy = [row.share.value for row in found.rows]
        assert accuracy == sorted(accuracy)
    assert len(found.pairs) <= MOST_ROWS
    np.fill_diagonal(matrix, 0)
    assert found.pairs[0].images == matrix.max()
    assert found.accuracy.value == pytest.approx(100 - given.error)
    assert found.measures['accuracy'] == pytest.approx(found.accuracy.value)
    assert sum(each.number for each in found.reliability) == 600


def test_many_classes_take_little_memory():
    # labels and classes of a forged file; a matrix of all pairs would take 80 GB
    scores = np.zeros((3, 10**5), np.float32)
    scores[[0, 1, 2], [7, 8, 99_999]] = 1
    given = Predictions(scores, np.array([7, 99_999, 99_999]), None, '0' * 64)
    tracemalloc.start()
    found = class_report(given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 2**20
    assert found.pairs == [('class 99999', 'class 8', 1, 50.0)]
    assert (found.matrix, found.classes, len(found.rows)) == (None, 10**5, MOST_ROWS)
    assert sum(each.number for each in found.histogram) == 2
    assert found.accuracy.value == pytest.approx(200 / 3)


def test_a_class_without_images_has_no_share():
    found = class_report(predictions(3, labels=np.array([0, 0, 2, 2])))
    assert [row.share is None for row in found.rows] == [False, True, False]


@pytest.mark.parametrize(('right', 'images'), [(0, 5), (5, 5), (87, 120)])
def test_interval_of_a_share_is_wilsons(right, images):
    z, p = 1.959963984540054, right / images
    middle = (p + z * z / (2 * images)) / (1 + z * z / images)
    half = math.sqrt(p * (1 - p) / images + (z / (2 * images)) ** 2) * z / (1 + z * z / images)
    assert share_of(right, images) == pytest.approx(
        (100 * p, 100 * (middle - half), 100 * (middle + half)), abs=1e-6
    )


def pair(only_first, only_second, both=20, neither=7):
    """Predictions of two runs that are right on such numbers of images."""
    first = np.repeat([1, 0, 1, 0], [only_first, only_second, both, neither])
    second = np.repeat([0, 1, 1, 0], [only_first, only_second, both, neither])
    labels = np.ones(len(first), np.int64)
    eye = np.eye(2, dtype=np.float32)
    return [Predictions(eye[each], labels, None, '0' * 64) for each in (first, second)]


@pytest.mark.parametrize(('b', 'c'), [(0, 0), (1, 0), (6, 0), (5, 0), (9, 2), (2, 9), (12, 11)])
def test_mcnemars_test_is_that_of_its_definition(b, c):
    found = same_images(*pair(b, c))
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert found.p_value == pytest.approx(min(1.0, 2 * tail))
    assert (found.only_first, found.only_second, found.images) == (b, c, b + c + 27)
    assert found.difference == pytest.approx(100 * (b - c) / (b + c + 27))
    assert found.low <= found.difference <= found.high
    excludes_zero = found.low > 0 or found.high < 0
    assert excludes_zero == (found.p_value < 0.05)


def test_what_cannot_be_compared_is_named():
    first, second = pair(3, 1)
    run = SeedResult(0, 50.0, first)
    found = compare('a', [run], 'b', [SeedResult(0, 40.0, second)])
    assert found.same_images.only_first == 3 and found.by_seed.mean == 10.0
    assert not found.has_interval and not found.fault
    assert 'no predictions' in compare('a', [run], 'b', [SeedResult(1, 40.0, None)]).fault
    assert 'differ' in compare('a', [run], 'b', [SeedResult(1, 4.0, predictions(2, 9))]).fault
    other = replace(second, test_set='f' * 16)
    found = compare('a', [run], 'b', [SeedResult(1, 4.0, other)])
    assert found.same_images and 'Make sure that the images are the same' in found.fault
    two = [SeedResult(5, 1.0, None), SeedResult(6, 1.0, None)]
    assert 'no seed in common' in compare('a', [run], 'b', two).fault
    assert compare('a', [run, *two], 'b', [SeedResult(6, 2.0, None), *two[:1]]).has_interval
