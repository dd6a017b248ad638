"""Attacks against foolbox, and what they must never leave behind."""

import foolbox
import pytest
import torch
from torch import nn

from mmtmix.functional.attacks import fgsm, pgd

MEAN, STD = torch.tensor([120.0, 110.0, 100.0]), torch.tensor([60.0, 50.0, 70.0])


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 4)
    return nn.Sequential(*layers).eval()


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(256, (6, 3, 8, 8), generator=generator).float()
    return images, torch.randint(4, (6,), generator=generator)


def logits_of(network):
    return lambda pixels: network((pixels - MEAN[:, None, None]) / STD[:, None, None])


def theirs(network):
    preprocessing = dict(mean=MEAN / 255, std=STD / 255, axis=-3)
    # 1 / 255 of their unit is one of ours
    return foolbox.PyTorchModel(network, (0, 1), 'cpu', preprocessing)


@pytest.mark.parametrize('eps', [1.0, 8.0])
def test_fgsm_matches_foolbox(network, batch, eps):
    images, labels = batch
    attack = foolbox.attacks.LinfFastGradientAttack(random_start=False)
    wanted, _, _ = attack(theirs(network), images / 255, labels, epsilons=eps / 255)
    found = fgsm(logits_of(network), images, labels, eps, 0, 255)
    torch.testing.assert_close(found, 255 * wanted, atol=1e-3, rtol=0)


def test_pgd_matches_foolbox_without_a_random_start(network, batch):
    images, labels = batch
    attack = foolbox.attacks.LinfPGD(rel_stepsize=0.25, steps=5, random_start=False)
    wanted, _, _ = attack(theirs(network), images / 255, labels, epsilons=4 / 255)
    start = torch.zeros_like(images)
    found = pgd(logits_of(network), images, labels, 4.0, 0, 255, start, steps=5)
    torch.testing.assert_close(found, 255 * wanted, atol=1e-3, rtol=0)


def test_attacks_stay_in_the_ball_and_in_the_range_and_raise_the_loss(network, batch):
    images, labels = batch
    logits = logits_of(network)
    start = 2 * torch.rand(images.shape, generator=torch.Generator().manual_seed(2)) - 1
    loss = nn.CrossEntropyLoss()
    losses = [loss(logits(images), labels).item()]
    for found in (
        fgsm(logits, images, labels, 4.0, 0, 255),
        pgd(logits, images, labels, 4.0, 0, 255, start, steps=10),
    ):
        assert float((found - images).abs().max()) <= 4.0
        assert found.min() >= 0 and found.max() <= 255 and not found.requires_grad
        losses.append(loss(logits(found), labels).item())
    assert losses[0] < losses[1] <= losses[2]


def test_nothing_is_left_behind(network, batch):
    images, labels = batch
    before = {name: value.clone() for name, value in network.state_dict().items()}
    kept = images.clone()
    with torch.no_grad():
        fgsm(logits_of(network), images, labels, 2.0, 0, 255)
        pgd(logits_of(network), images, labels, 2.0, 0, 255, torch.zeros_like(images), steps=2)
    assert all(weight.grad is None for weight in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(images, kept) and images.grad is None and not images.requires_grad


def test_no_distance_is_no_change_and_a_negative_one_is_refused(network, batch):
    images, labels = batch
    assert torch.equal(fgsm(logits_of(network), images, labels, 0.0, 0, 255), images)
    with pytest.raises(ValueError, match='eps'):
        fgsm(logits_of(network), images, labels, -1.0, 0, 255)
    with pytest.raises(ValueError, match='steps'):
        pgd(logits_of(network), images, labels, 1.0, 0, 255, torch.zeros_like(images), steps=0)
