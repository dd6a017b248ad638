"""Accuracy per class, confusion and comparison on the same images, against other sources."""

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from mmtmix.apps.report.classes import MOST_ROWS, class_report, share_of
from mmtmix.apps.report.comparison import SeedResult, compare, paired_interval, same_images
from mmtmix.apps.report.settings import images_of
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
    assert found.low < found.difference < found.high
    # at a difference of 0 the score test is McNemar's without correction
    excludes_zero = found.low > 0 or found.high < 0
    assert excludes_zero == ((b - c) ** 2 > 1.959964**2 * (b + c))


@pytest.mark.parametrize(
    ('b', 'c', 'images', 'low', 'high'),
    [
        # Fagerland, Lydersen and Laake (2014), airways of Bentur et al. (2009)
        (1, 7, 21, -0.517, -0.026),
        # R's contingencytables, responses of Cavo et al. (2012)
        (6, 16, 161, -0.1240, -0.0054),
        # nothing or all differs: both ends have closed forms
        (0, 0, 36, -3.8415 / 39.8415, 3.8415 / 39.8415),
        (9, 0, 9, (9 - 3.8415) / (9 + 3.8415), 1.0),
    ],
)
def test_interval_of_paired_shares_is_tangos(b, c, images, low, high):
    assert paired_interval(b, c, images) == pytest.approx((low, high), abs=6e-4)
    assert paired_interval(c, b, images) == pytest.approx((-high, -low), abs=6e-4)


IMAGES = dict(type='FashionMNIST', data_root='data')


def result(seed, accuracy, predictions=None, **changes):
    """A finished run of known sets."""
    known = SeedResult(seed, accuracy, predictions, f'run{seed}', '', IMAGES, IMAGES)
    return known._replace(**changes)


def test_what_cannot_be_compared_is_named():
    first, second = pair(3, 1)
    run = result(0, 50.0, first)
    found = compare('a', [run], 'b', [result(0, 40.0, second)])
    assert found.same_images.only_first == 3 and found.by_seed.mean == 10.0
    assert not found.has_interval
    assert found.faults == (
        'The images of their test sets are the same, and are read in other ways, such as by '
        'another pipeline.',
    )
    given = [replace(each, test_set='f' * 16) for each in (first, second)]
    found = compare('a', [result(0, 5.0, given[0])], 'b', [result(0, 4.0, given[1])])
    assert found.same_images and not found.faults
    assert 'no predictions' in compare('a', [run], 'b', [result(1, 40.0)]).faults[0]
    two = [result(5, 1.0), result(6, 1.0)]
    assert 'no seed in common' in compare('a', [run], 'b', two).faults[0]
    assert compare('a', [run, *two], 'b', [result(6, 2.0), two[0]]).has_interval


def test_other_images_have_no_difference():
    digits = dict(IMAGES, type='MNIST')
    first, second = pair(3, 1)
    run = result(0, 50.0, first)
    # labels of the test set
    found = compare('a', [run], 'b', [result(0, 40.0, predictions(2, 9))])
    assert (found.by_seed, found.same_images) == (None, None) and 'labels' in found.faults[0]
    # its settings
    found = compare('a', [run], 'b', [result(0, 40.0, second, test_images=digits)])
    assert (found.by_seed, found.same_images) == (None, None)
    assert found.faults == ('Their test sets differ in type, so their images are not compared.',)
    found = compare('a', [run], 'b', [result(1, 40.0, second, test_images=None)])
    assert found.same_images is None and 'is not known' in found.faults[0]
    # two seeds, validated on other images
    runs = [result(seed, 80.0 + seed) for seed in (0, 1)]
    others = [result(seed, 90.0, val_images=digits) for seed in (0, 1)]
    found = compare('a', runs, 'b', others)
    assert not found.has_interval and found.same_images is None
    assert found.faults == (
        'Their validation sets differ in type, so their accuracies are not compared.',
    )


def test_only_finished_runs_are_compared():
    runs = [result(seed, 80.0 + seed) for seed in (0, 1, 2)]
    others = [result(0, 70.0), result(1, 71.0), result(2, 9.0, unfinished='running')]
    found = compare('a', runs, 'b', others)
    assert found.by_seed.by_seed == {0: 10.0, 1: 10.0}
    assert found.faults == ('run2 is left out, since it is not finished (running).',)
    found = compare('a', runs, 'b', others[2:])
    assert (found.by_seed, found.same_images) == (None, None)
    assert found.faults[1] == 'So there are not two finished runs to compare.'


def test_images_of_a_loader_are_those_of_its_data_set():
    plain = dict(type='CustomDataset', data_root='./photos/', data_prefix='val', pipeline=[1])
    resident = dict(type='mmtmix.ResidentDataset', max_bytes=1, dataset=dict(plain, pipeline=[2]))
    expected = dict(type='CustomDataset', data_root='photos', data_prefix='val')
    assert images_of(dict(dataset=plain)) == images_of(dict(dataset=resident)) == expected
    subset = dict(type='SubsetDataset', dataset=plain, indices=(1, 2))
    assert images_of(dict(dataset=subset))['dataset'] == expected
    assert images_of({}) is images_of(None) is None
