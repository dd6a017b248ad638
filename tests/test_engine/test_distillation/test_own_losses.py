"""A loss of one's own gets what it asks for, on clean and on mixed images."""

import pytest
from mmpretrain.registry import MODELS

from mmtmix.models import DistillLoss

pytestmark = pytest.mark.host

OFFLINE = dict(dataloader=dict(dataset=dict(type='Noise', size=5, seed=2)))


def distance(student, teacher):
    return (student.mean(dim=1) - teacher.mean(dim=1)).square().mean()


@MODELS.register_module(force=True)
class FeatureLoss(DistillLoss):
    """Compares the means of features, of whatever dimensions."""

    name = 'features'
    needs_features = True

    def forward(self, student, teacher, index, seed):
        assert student.features.requires_grad and not teacher.features.requires_grad
        return self.loss_weight * distance(student.features, teacher.features)


@pytest.mark.parametrize('kd_on', ['clean', 'mixed', 'both'])
def test_features_are_those_of_the_images_that_are_compared(
    distill_runner, distill_hook, scalars, kd_on
):
    hook = dict(losses=[dict(type='FeatureLoss')], mixed=OFFLINE, kd_on=kd_on)
    # nothing moves, so the student at the end is the student of the batch
    runner = distill_runner(hook, optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.0)))
    runner.train()
    model, teacher = runner.model, distill_hook(runner).objective.teacher
    steps = {'clean': ('loss_features', 0), 'mixed': ('loss_features_mixed', 1)}
    compared = steps if kd_on == 'both' else [kd_on]
    logged = {name: terms for name, terms in scalars(runner).items() if 'features' in name}
    assert logged.keys() == {steps[kind][0] for kind in compared}
    for kind in compared:
        name, first = steps[kind]
        for term, images in zip(logged[name], runner.seen.student[first::2], strict=True):
            (ours,), (_, theirs) = model.extract_feat(images), teacher.features(images)
            assert term == pytest.approx(distance(ours, theirs).item(), rel=1e-4)
