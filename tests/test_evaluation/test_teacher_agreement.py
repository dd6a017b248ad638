"""Percentages of a student beside its teacher, whatever the batches."""

import pytest
import torch
from mmpretrain.registry import METRICS

import mmtmix.evaluation  # noqa: F401  (registers the metric)

pytestmark = pytest.mark.host


def samples(*rows):
    """As MMPretrain and DistillHook leave them: two tensors and a number."""
    return [
        dict(gt_label=torch.tensor([truth]), pred_label=torch.tensor([ours]), teacher_label=theirs)
        for truth, ours, theirs in rows
    ]


@pytest.fixture
def metric():
    return METRICS.build(dict(type='TeacherAgreement'))


def test_it_counts_samples_over_all_batches(metric):
    # right, right; wrong alike; wrong each in its way
    metric.process({}, samples((0, 0, 0), (1, 2, 2), (1, 2, 0)))
    # the teacher alone is right
    metric.process({}, samples((3, 1, 3)))
    assert metric.evaluate(size=4) == {
        'distill/student': pytest.approx(25.0),
        'distill/teacher': pytest.approx(50.0),
        'distill/agreement': pytest.approx(50.0),
    }


def test_an_evaluation_begins_anew(metric):
    metric.process({}, samples((0, 0, 0)))
    assert set(metric.evaluate(size=1).values()) == {100.0}
    metric.process({}, samples((0, 1, 2)))
    assert set(metric.evaluate(size=1).values()) == {0.0}
