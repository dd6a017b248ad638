"""Calibration errors against a few plain lines, and by hand where the answer is known."""

import builtins
import sys
import tracemalloc

import numpy as np
import pytest

from mmtmix.evaluation.calibration import calibration, reliability_bins
from mmtmix.evaluation.predictions import Predictions

pytestmark = pytest.mark.host


def predictions(scores, labels):
    return Predictions(np.asarray(scores, np.float32), np.asarray(labels), None, '0' * 64)


def random_predictions(images=400, classes=7, sharpness=2.0):
    generator = np.random.default_rng(3)
    logits = sharpness * generator.normal(size=(images, classes))
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    softer = scores**0.5 / (scores**0.5).sum(axis=1, keepdims=True)
    labels = np.array([generator.choice(classes, p=row) for row in softer])
    return predictions(scores, labels)


def gaps(confidence, right, edges):
    """Shares and gaps of bins, image by image."""
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = [i for i, c in enumerate(confidence) if low <= c < high or (high == 1 == c)]
        if inside:
            share = len(inside) / len(confidence)
            yield share, abs(np.mean(confidence[inside]) - np.mean(right[inside]))


def reference(found, num_bins):
    scores = found.scores.astype(float)
    confidence, right = scores.max(1), scores.argmax(1) == found.labels
    edges = np.linspace(0, 1, num_bins + 1)
    wide = list(gaps(confidence, right, edges))
    order = np.sort(confidence)
    equal = [chunk[0] for chunk in np.array_split(order, num_bins)] + [1.0]
    by_class = [
        sum(share * gap for share, gap in gaps(scores[:, c], found.labels == c, edges))
        for c in range(scores.shape[1])
    ]
    return dict(
        ece=100 * sum(share * gap for share, gap in wide),
        rms=100 * np.sqrt(sum(share * gap**2 for share, gap in wide)),
        max=100 * max(gap for _, gap in wide),
        adaptive=100 * sum(share * gap for share, gap in gaps(confidence, right, equal)),
        classwise=100 * np.mean(by_class),
        nll=-np.mean(
            [np.log(row[label]) for row, label in zip(scores, found.labels, strict=True)]
        ),
        brier=np.mean(
            [
                sum((p - (c == label)) ** 2 for c, p in enumerate(row))
                for row, label in zip(scores, found.labels, strict=True)
            ]
        ),
    )


@pytest.mark.parametrize('num_bins', [15, 10, 1])
def test_measures_match_plain_sums_over_images(num_bins):
    found = random_predictions()
    measured = calibration(found, num_bins)
    for name, value in reference(found, num_bins).items():
        assert measured[name] == pytest.approx(value, rel=1e-4), name


def test_measures_do_not_depend_on_the_parts_in_which_they_are_summed(monkeypatch):
    found = random_predictions()
    whole = calibration(found)
    monkeypatch.setattr('mmtmix.evaluation.calibration._PART', 50)  # 7 images at a time
    assert calibration(found) == pytest.approx(whole, rel=1e-12)


def test_memory_is_a_small_multiple_of_the_scores():
    rng = np.random.default_rng(0)
    scores = rng.random((2000, 2000), np.float32)
    found = predictions(scores / scores.sum(axis=1, keepdims=True), np.arange(2000))
    calibration(found)  # what it imports does not count
    tracemalloc.start()
    calibration(found)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * scores.nbytes  # less than two arrays in float64


def test_confidences_of_exactly_one_count_in_the_last_bin():
    # ten sure and half of them wrong, ten of 0.98 that are all right: one bin of 0.99 and 0.75
    scores = [[1.0, 0.0]] * 10 + [[0.98, 0.02]] * 10
    measured = calibration(predictions(scores, [0, 1] * 5 + [0] * 10))
    assert measured['ece'] == pytest.approx(24.0, abs=1e-3)
    assert measured['max'] == pytest.approx(24.0, abs=1e-3)
    assert measured['overconfidence'] == pytest.approx(24.0, abs=1e-3)


def test_a_perfect_and_a_sure_wrong_classifier():
    perfect = calibration(predictions(np.eye(3), np.arange(3)))
    assert all(abs(perfect[name]) < 1e-4 for name in ('ece', 'rms', 'classwise', 'brier', 'nll'))
    wrong = calibration(predictions(np.eye(3), np.array([1, 2, 0])))
    assert wrong['ece'] == pytest.approx(100, abs=1e-3)
    assert wrong['brier'] == pytest.approx(2)
    assert np.isfinite(wrong['nll']) and wrong['nll'] > 80  # a score of 0 is no infinity


def test_bins_of_a_diagram_hold_every_image_once():
    found = random_predictions()
    bins = reliability_bins(found, 5)
    assert bins.count.sum() == len(found.labels)
    filled = bins.count > 0
    assert (np.isnan(bins.accuracy) == ~filled).all()
    inside = (bins.confidence >= bins.edges[:-1]) & (bins.confidence <= bins.edges[1:])
    assert inside[filled].all()
    ece = np.nansum(bins.count * np.abs(bins.accuracy - bins.confidence)) / bins.count.sum()
    assert calibration(found, 5)['ece'] == pytest.approx(100 * ece, rel=1e-4)


def test_one_class_and_no_bins_are_refused():
    with pytest.raises(ValueError, match='two or more classes'):
        calibration(predictions(np.ones((2, 1)), np.zeros(2, np.int64)))
    with pytest.raises(ValueError, match='num_bins'):
        calibration(random_predictions(), 0)


def test_without_torchmetrics_the_error_has_the_command(monkeypatch):
    for name in [name for name in sys.modules if name.startswith('torchmetrics')]:
        monkeypatch.delitem(sys.modules, name)
    load = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith('torchmetrics'):
            raise ImportError('No module named torchmetrics')
        return load(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', refuse)
    with pytest.raises(ImportError, match=r"pip install 'mmtmix\[evaluate\]'"):
        calibration(random_predictions())
