"""What is asked of a batch augment that mixes for a distillation."""

from types import SimpleNamespace

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS
from mmpretrain.structures import DataSample
from torch.utils.data import DataLoader

from mmtmix.engine.distillation import OnlineMixes
from mmtmix.models import SampleMixup

pytestmark = pytest.mark.host

NUM_CLASSES = 4


@BATCH_AUGMENTS.register_module(force=True)
class Asked(SampleMixup):
    """Notes how it is called; says what a teacher would, if it has one."""

    def __init__(self, teacher=None):
        super().__init__()
        self.calls = []
        if teacher is not None:
            self.teacher = teacher

    def __call__(self, inputs, scores, return_details=False, repeat=1):
        self.calls.append(return_details)
        return super().__call__(inputs, scores, return_details, repeat)

    def mix(self, inputs, *drawn):
        mixed, details = super().mix(inputs, *drawn)
        return mixed, dict(details, clean_logits=inputs.mean(dim=(2, 3)))


@pytest.fixture
def draw():
    """Mix one batch: ``draw(augment, teacher)`` gives the batch, and what the augment noted."""

    def run(augment, teacher):
        mixes = OnlineMixes(augment)
        loop = SimpleNamespace(dataloader=DataLoader(range(4), batch_size=4))
        mixes.prepare(SimpleNamespace(train_loop=loop), NUM_CLASSES, needs_targets=True)
        torch.manual_seed(0)
        inputs = torch.randn(4, 3, 8, 8)
        samples = [DataSample().set_gt_label(label) for label in range(4)]
        return inputs, mixes.draw(inputs, samples, teacher, True), mixes.augments[0].calls

    return run


@pytest.mark.parametrize('settings', [{}, dict(teacher='other')])
def test_details_that_nobody_reads_are_not_asked_for(draw, settings):
    _, batch, calls = draw(dict(type='Asked', **settings), 'teacher')
    assert calls == [False]
    assert batch.clean_logits is None and batch.logits is None


def test_answers_of_the_same_teacher_are_taken_and_the_mixes_stay_the_same(draw):
    inputs, batch, calls = draw(dict(type='Asked', teacher='teacher'), 'teacher')
    assert calls == [True]
    assert torch.equal(batch.clean_logits, inputs.mean(dim=(2, 3))) and batch.logits is None
    _, other, _ = draw(dict(type='Asked'), 'teacher')
    assert torch.equal(batch.inputs, other.inputs) and torch.equal(batch.targets, other.targets)
