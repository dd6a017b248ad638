"""What a teacher's last layer sees, beside its logits."""

import pytest
import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch import nn

from mmtmix.models import FrozenTeacher

pytestmark = pytest.mark.host


class Small(BaseBackbone):
    """Classifies itself, as MMPretrain's VGG does."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(5, 3)

    def forward(self, inputs):
        return (self.classifier(self.body(inputs)),)


@pytest.fixture
def images():
    return torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize('compile', [False, dict(backend='eager')])
def test_features_are_what_the_last_layer_sees_from_the_same_pass(teacher_args, images, compile):
    teacher, passes = FrozenTeacher(**teacher_args(), compile=compile), []
    expected = teacher(images)
    teacher.model.backbone.conv1.register_forward_hook(lambda *args: passes.append(1))
    logits, features = teacher.features(images)
    assert len(passes) == 1
    assert features.shape == (4, 64)
    assert torch.equal(logits, expected)
    torch.testing.assert_close(teacher.model.head.fc(features), logits)


def test_features_are_of_renormalised_inputs(teacher_args, images):
    args = dict(teacher_args(), channel_order='rgb')
    task = dict(mean=[0.0] * 3, std=[1.0] * 3, channel_order='rgb')
    own = args['config']['data_preprocessor']
    raw = images * torch.tensor(own['std'])[:, None, None]
    raw = raw + torch.tensor(own['mean'])[:, None, None]
    found = FrozenTeacher(**args, input_stats=task).features(raw)
    torch.testing.assert_close(found, FrozenTeacher(**args).features(images), atol=1e-4, rtol=1e-4)


def test_features_of_a_head_that_hides_them_are_refused(make_teacher, images):
    teacher = make_teacher()
    teacher.model.head = nn.Flatten()
    with pytest.raises(ValueError, match='has no pre_logits, so its features are unknown'):
        teacher.features(images)


def test_features_of_a_network_that_classifies_in_its_backbone_are_not_its_logits(images):
    model = ImageClassifier(backbone=dict(type=Small), head=dict(type='ClsHead'))
    teacher = FrozenTeacher(model=model, mean=120.0, std=60.0)
    logits, features = teacher.features(images)
    assert features.shape == (4, 5) and teacher.feature_dim == 5
    torch.testing.assert_close(model.backbone.classifier(features), logits)


@pytest.mark.parametrize(
    ('head', 'backbone', 'known'), [(7, None, 7), (None, 9, 9), (None, -1, None), (7, 9, 7)]
)
def test_classes_are_those_of_the_head_or_else_of_the_backbone(
    make_teacher, head, backbone, known
):
    """MMPretrain's VGG classifies in its backbone."""
    teacher = make_teacher()
    del teacher.model.head.num_classes
    for part, number in ((teacher.model.head, head), (teacher.model.backbone, backbone)):
        if number is not None:
            part.num_classes = number
    assert teacher.num_classes == known
