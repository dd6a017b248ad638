"""CRD against a second implementation, which gathers rows and divides by Z."""

import math

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS

from mmtmix.models.losses import CRDLoss, NetworkOutputs

pytestmark = pytest.mark.host
LABELS = torch.arange(30) % 3
DIMS = dict(student_dim=5, teacher_dim=7)


def build(**settings):
    settings = dict(dict(feature_dim=4, num_negatives=11, loss_weight=1.0), **settings)
    loss = MODELS.build(dict(type='CRDLoss', **settings))
    loss.prepare(**DIMS, labels=LABELS, seed=3)
    return loss


def make_batch(number, dtype=torch.float32):
    generator = torch.Generator().manual_seed(number)
    index = torch.randperm(30, generator=generator)[:6]
    sides = (torch.randn(6, dim, generator=generator).to(dtype) for dim in DIMS.values())
    student, teacher = (NetworkOutputs(torch.zeros(6, 3), features) for features in sides)
    return student, teacher, index, 100 + number


class NaiveCRD:
    """Literally what the paper says, with the weights, banks and draws of the loss under test."""

    def __init__(self, loss):
        self.weights = {
            name: value.detach().clone().requires_grad_()
            for name, value in loss.embeddings.named_parameters()
        }
        self.banks = dict(student=loss.student_bank.clone(), teacher=loss.teacher_bank.clone())
        self.z = {}
        self.loss = loss

    def embed(self, side, features):
        weight, bias = (self.weights[f'{side}.{name}'] for name in ('weight', 'bias'))
        embedded = features @ weight.T + bias
        return embedded / embedded.pow(2).sum(dim=1, keepdim=True).sqrt()

    def __call__(self, student, teacher, index, seed):
        negatives = self.loss._draw_negatives(index, seed)
        self.seen = dict(
            student=self.embed('student', student.features),
            teacher=self.embed('teacher', teacher.features),
        )
        total = 0
        for side, other in (('student', 'teacher'), ('teacher', 'student')):
            rows = torch.cat([index[:, None], negatives], dim=1)
            views = self.banks[other][rows]  # (N, 1 + K, D)
            exponentials = torch.exp((views * self.seen[side][:, None]).sum(dim=2) / 0.07)
            if side not in self.z:
                self.z[side] = exponentials.mean().item() * 30
            probability, odds = exponentials / self.z[side], 11 / 30
            total -= torch.log(probability[:, 0] / (probability[:, 0] + odds)).sum() / 6
            total -= torch.log(odds / (probability[:, 1:] + odds)).sum() / 6
        self.index = index
        return total

    def move_banks(self):
        for side, bank in self.banks.items():
            for number, row in zip(self.index, self.seen[side].detach(), strict=True):
                moved = 0.5 * bank[number] + 0.5 * row
                bank[number] = moved / moved.norm()


def test_it_equals_the_naive_one_over_steps_with_bank_updates():
    loss = build()
    naive = NaiveCRD(loss)
    optimizers = [
        torch.optim.SGD(parameters, lr=0.05, momentum=0.9)
        for parameters in (loss.parameters(), naive.weights.values())
    ]
    for number in range(3):
        values = [crd(*make_batch(number)) for crd in (loss, naive)]
        torch.testing.assert_close(*values)
        for value, optimizer in zip(values, optimizers, strict=True):
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        loss.after_step()
        naive.move_banks()
        for name, parameter in loss.embeddings.named_parameters():
            torch.testing.assert_close(parameter.detach(), naive.weights[name].detach())
        torch.testing.assert_close(loss.student_bank, naive.banks['student'])
        torch.testing.assert_close(loss.teacher_bank, naive.banks['teacher'])
        # Z stays that of the first batch
        frozen = [math.log(naive.z[side]) for side in ('student', 'teacher')]
        assert loss.log_normalizers.tolist() == pytest.approx(frozen, rel=1e-5)


def test_gradients_reach_the_students_features():
    student, teacher, *rest = make_batch(0)
    student.features.requires_grad_()
    build()(student, teacher, *rest).backward()
    assert student.features.grad.abs().sum(dim=1).gt(0).all()


def test_the_weight_is_a_factor():
    batch = make_batch(0)
    torch.testing.assert_close(build(loss_weight=0.8)(*batch), 0.8 * build()(*batch))


def test_negatives_are_of_other_classes_and_the_same_only_for_the_same_seed():
    loss, index = build(), torch.arange(6)
    first = loss._draw_negatives(index, 5)
    assert first.shape == (6, 11)
    assert (LABELS[first] != LABELS[index][:, None]).all()
    assert torch.equal(first, loss._draw_negatives(index, 5))
    assert not torch.equal(first, loss._draw_negatives(index, 6))


def test_banks_change_after_the_step_alone_and_only_rows_that_were_seen():
    loss = build(momentum=0.3)
    before = {name: getattr(loss, name).clone() for name in ('student_bank', 'teacher_bank')}
    student, teacher, index, seed = make_batch(0)
    loss(student, teacher, index, seed).backward()
    assert all(torch.equal(getattr(loss, name), bank) for name, bank in before.items())
    with torch.no_grad():
        seen = loss.embeddings(student.features, teacher.features)
    loss.after_step()
    others = torch.ones(30).index_fill(0, index, 0).bool()
    for (name, bank), new in zip(before.items(), seen, strict=True):
        found = getattr(loss, name)
        assert torch.equal(found[others], bank[others])
        expected = F.normalize(0.3 * bank[index] + 0.7 * new)
        torch.testing.assert_close(found[index], expected)
        torch.testing.assert_close(found[index].norm(dim=1), torch.ones(6))
    moved = loss.student_bank.clone()
    loss.after_step()  # nothing was seen since
    assert torch.equal(loss.student_bank, moved)


def test_preparing_depends_on_its_seed_and_leaves_torchs_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    state, same = first.state_dict(), build().state_dict()
    for name in ('embeddings.student.weight', 'student_bank', 'teacher_bank'):
        assert torch.equal(state[name], same[name])
    first.prepare(**DIMS, labels=LABELS, seed=4)
    assert not torch.equal(first.student_bank, same['student_bank'])
    assert not torch.equal(first.student_bank, first.teacher_bank)


def test_its_state_is_embeddings_banks_and_normalizers():
    layers = (f'{side}.{part}' for side in ('student', 'teacher') for part in ('weight', 'bias'))
    kept = {f'embeddings.{layer}' for layer in layers}
    kept |= {'student_bank', 'teacher_bank', 'log_normalizers'}
    loss = build()
    assert set(loss.state_dict()) == kept
    loss(*make_batch(0))  # a wrapped module would bring keys of its own
    assert set(loss.state_dict()) == kept
    assert len(list(loss.parameters())) == 4


def test_normalizers_that_were_loaded_stay():
    loss, resumed = build(), build()
    assert loss.log_normalizers.isnan().all()
    loss(*make_batch(0))
    resumed.load_state_dict(loss.state_dict())
    resumed(*make_batch(1))
    assert torch.equal(resumed.log_normalizers, loss.log_normalizers)


def test_under_autocast_and_of_half_features_it_computes_in_float32():
    student, teacher, *rest = make_batch(0, torch.bfloat16)
    with torch.autocast('cpu', torch.bfloat16):
        loss = build()
        found = loss(student, teacher, *rest)
    loss.after_step()
    assert found.dtype == loss.student_bank.dtype == torch.float32
    for outputs in (student, teacher):
        outputs.features = outputs.features.float()
    assert torch.equal(found, build()(student, teacher, *rest))


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('feature_dim', 0, 'an integer >= 1'),
        ('num_negatives', 2.5, 'an integer >= 1'),
        ('temperature', 0, 'a finite number > 0'),
        ('momentum', 1, 'a finite number >= 0 and < 1'),
        ('momentum', -0.1, 'a finite number >= 0 and < 1'),
        ('loss_weight', -1, 'a finite number >= 0'),
    ],
)
def test_arguments_out_of_range_are_refused(name, value, said):
    with pytest.raises((TypeError, ValueError), match=f'{name} must be {said}, got {value}'):
        CRDLoss(**{name: value})


def test_networks_and_data_that_dont_fit_are_refused():
    with pytest.raises(ValueError, match='unknown for the student and the teacher'):
        CRDLoss().prepare(0, 0, LABELS, seed=0)
    with pytest.raises(ValueError, match='number of features, which is unknown for the teacher'):
        CRDLoss().prepare(5, 0, LABELS, seed=0)
    with pytest.raises(ValueError, match='at least two classes'):
        CRDLoss().prepare(5, 7, torch.ones(4, dtype=torch.long), seed=0)


def test_the_defaults_are_the_papers():
    loss = CRDLoss()
    assert (loss.feature_dim, loss.num_negatives, loss.loss_weight) == (128, 16384, 0.8)
    assert (loss.temperature, loss.momentum) == (0.07, 0.5)
