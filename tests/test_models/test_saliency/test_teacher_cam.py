"""Activation maps of a frozen teacher as saliency."""

from copy import deepcopy

import pytest
import torch

from mmtmix.models import TeacherCAM

pytestmark = pytest.mark.host


@pytest.fixture
def batch():
    """Four images and their scores."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.nn.functional.one_hot(torch.tensor([3, 1, 4, 1]), 10).float()
    return torch.randn(4, 3, 16, 16, generator=generator), scores


def test_the_map_is_that_of_the_label_scaled_to_one(make_teacher, batch):
    teacher = make_teacher()
    saliency = TeacherCAM(teacher)(*batch)
    model = teacher.model
    with torch.no_grad():
        (features,) = model.backbone(batch[0])
    assert saliency.shape == (4, 1, *features.shape[2:])
    for n, label in enumerate([3, 1, 4, 1]):
        row = model.head.fc.weight[label]
        cam = sum(w * feature for w, feature in zip(row, features[n], strict=True))
        cam = (cam - cam.min()) / (cam.max() - cam.min())
        torch.testing.assert_close(saliency[n, 0], cam.detach(), atol=1e-5, rtol=0)


def test_the_predicted_class_serves_teachers_of_other_classes(make_teacher, batch):
    teacher = make_teacher(num_classes=7)
    saliency = TeacherCAM(teacher, cam_class='predicted')(*batch)
    predicted = teacher(batch[0]).argmax(dim=1)
    torch.testing.assert_close(saliency, teacher.saliency(batch[0], predicted)[1])
    with pytest.raises(ValueError, match="has 7 classes and .* has 10; .*cam_class='predicted'"):
        TeacherCAM(teacher)(*batch)


def test_neither_gradients_nor_arguments_are_touched(make_teacher, batch):
    before = [tensor.clone() for tensor in batch]
    saliency = TeacherCAM(make_teacher())(*batch)
    assert not saliency.requires_grad
    assert all(torch.equal(a, b) for a, b in zip(batch, before, strict=True))


def test_a_config_names_the_teacher(teacher_args, batch):
    source = TeacherCAM(teacher_args())
    assert source(*batch).dtype == torch.float32
    with pytest.raises(ValueError, match='teacher has no checkpoint'):
        TeacherCAM(dict(config=teacher_args()['config']))
    source = TeacherCAM(dict(teacher_args(), checkpoint='nowhere.pth'))
    for use in (source.load, lambda: source(*batch)):
        with pytest.raises(FileNotFoundError, match='nowhere.pth'):
            use()


def test_an_unknown_class_is_refused(teacher_args):
    with pytest.raises(ValueError, match="cam_class must be one of .*'truth'"):
        TeacherCAM(teacher_args(), cam_class='truth')


def test_logits_of_the_same_pass_can_be_taken_once(make_teacher, batch):
    source = TeacherCAM(make_teacher())
    images, scores = batch
    assert source.take_logits(images) is None
    source(images, scores)
    torch.testing.assert_close(source.take_logits(images), source.teacher(images))
    assert source.take_logits(images) is None
    source(images, scores)
    copied = deepcopy(source)  # as EMAHook's copy of a model, which must not hold a batch
    assert copied.take_logits(images) is None
    assert source.take_logits(images.clone()) is None  # other images, as far as it knows
