"""A loss of one's own gets what it asks for, on clean and on mixed images."""

import pytest
import torch
from mmpretrain.registry import MODELS
from torch import nn

from mmtmix.models import DistillLoss

pytestmark = pytest.mark.host

OFFLINE = dict(dataloader=dict(dataset=dict(type='Noise', size=5, seed=2)))


@MODELS.register_module(force=True)
class HintLoss(DistillLoss):
    """Compares features, the student's on their way through a layer that learns along."""

    name = 'hint'
    needs_features = True

    def prepare(self, student_dim, teacher_dim, labels, seed):
        assert not len(labels)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(student_dim, teacher_dim)

    def forward(self, student, teacher, index, seed):
        assert student.features.requires_grad and not teacher.features.requires_grad
        return self.loss_weight * self.distance(student.features, teacher.features)

    def distance(self, ours, theirs):
        return (self.embed(ours) - theirs).square().mean()


@pytest.mark.parametrize('kd_on', ['clean', 'mixed', 'both'])
def test_features_are_those_of_the_images_that_are_compared(
    distill_runner, distill_hook, scalars, kd_on
):
    hook = dict(losses=[dict(type='HintLoss')], mixed=OFFLINE, kd_on=kd_on)
    # nothing moves, so the student at the end is the student of the batch
    runner = distill_runner(hook, optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.0)))
    runner.train()
    model, hook = runner.model, distill_hook(runner)
    (loss,), teacher = hook.losses, hook.objective.teacher
    steps = {'clean': ('loss_hint', 0), 'mixed': ('loss_hint_mixed', 1)}
    compared = steps if kd_on == 'both' else [kd_on]
    logged = {name: terms for name, terms in scalars(runner).items() if 'hint' in name}
    assert logged.keys() == {steps[kind][0] for kind in compared}
    for kind in compared:
        name, first = steps[kind]
        for term, images in zip(logged[name], runner.seen.student[first::2], strict=True):
            (ours,), (_, theirs) = model.extract_feat(images), teacher.features(images)
            assert term == pytest.approx(loss.distance(ours, theirs).item(), rel=1e-4)


def test_its_parameters_are_trained_with_the_student(distill_runner, distill_hook):
    states = []
    for lr in (0.0, 0.1):
        runner = distill_runner(
            dict(losses=[dict(type='HintLoss')]),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=lr)),
        )
        runner.train()
        states.append(distill_hook(runner).losses[0].embed.weight)
    assert states[0].shape == (64, 8)
    assert not torch.equal(*states)
