"""Distillation on logits against its formula, written out in numpy."""

import numpy as np
import pytest
import torch

from mmtmix.functional import kd_divergence


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(0)
    return [3 * torch.randn(5, 7, generator=generator) for _ in range(2)]


def softened(logits, temperature):
    powers = np.exp(logits.double().numpy() / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize('temperature', [1.0, 4.0, 20.0])
def test_it_is_the_divergence_of_softened_predictions_times_the_squared_temperature(
    logits, temperature
):
    student, teacher = (softened(side, temperature) for side in logits)
    expected = temperature**2 * np.sum(teacher * np.log(teacher / student)) / 5
    found = kd_divergence(*logits, temperature)
    assert (found.shape, found.dtype) == ((), torch.float32)
    assert found.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize('temperature', [1.0, 4.0])
def test_its_gradient_has_the_closed_form(logits, temperature):
    student, teacher = logits
    student.requires_grad_()
    kd_divergence(student, teacher, temperature).backward()
    sides = (softened(side.detach(), temperature) for side in logits)
    ours, theirs = (torch.from_numpy(side).float() for side in sides)
    torch.testing.assert_close(student.grad, temperature * (ours - theirs) / 5)


def test_the_temperature_is_four_by_default(logits):
    assert torch.equal(kd_divergence(*logits), kd_divergence(*logits, 4.0))


def test_the_teacher_gets_no_gradient(logits):
    student, teacher = (side.requires_grad_() for side in logits)
    kd_divergence(student, teacher).backward()
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None


def test_equal_predictions_cost_nothing(logits):
    student = logits[0].requires_grad_()
    # a constant in all logits changes no prediction
    loss = kd_divergence(student, student.detach() + 5)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-5)
    torch.testing.assert_close(student.grad, torch.zeros(5, 7))


def test_half_precision_is_compared_in_full(logits):
    halves = [side.bfloat16() for side in logits]
    found = kd_divergence(*halves)
    assert found.dtype == torch.float32
    assert torch.equal(found, kd_divergence(*[half.float() for half in halves]))
