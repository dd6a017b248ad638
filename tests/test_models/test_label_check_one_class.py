"""Labels of several classes an image, and mixers that take one."""

import pytest
import torch

from mmtmix.models import SampleMixup, SuperMix, TeacherCAM, TransformMix, TransformMixer
from mmtmix.models.label_check import check_one_class

pytestmark = pytest.mark.host


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16, torch.int64])
def test_one_hot_labels_pass_and_multi_hot_ones_do_not(dtype):
    scores = torch.eye(4, dtype=dtype)
    check_one_class(scores)
    check_one_class(torch.empty(0, 3, dtype=dtype))
    scores[2, 0] = 1
    with pytest.raises(ValueError, match=r'several classes of an image \(row 2 sums to 2\)'):
        check_one_class(scores)


def test_labels_of_no_class_do_not_pass_as_class_0():
    scores = torch.eye(4)
    scores[3] = 0
    with pytest.raises(ValueError, match=r'names no class of an image \(row 3 sums to 0\)'):
        check_one_class(scores)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_soft_labels_pass_however_they_are_rounded(dtype):
    generator = torch.Generator().manual_seed(0)
    for classes in (2, 10, 1000):
        logits = torch.randn(64, classes, generator=generator)
        check_one_class(logits.softmax(dim=1).to(dtype))
        smooth = torch.full((64, classes), 0.1 / classes)
        smooth[:, 1] += 0.9
        check_one_class(smooth.to(dtype))


def test_nobody_waits_for_another_device():
    check_one_class(torch.ones(2, 3, device='meta'))


@pytest.fixture
def multi_hot():
    """Four images of two classes each."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 3, 16, 16, generator=generator), torch.eye(10)[:4] + torch.eye(10)[4:8]


def test_mixers_that_ask_for_a_class_refuse_several(make_teacher, multi_hot):
    teacher, module = make_teacher(), TransformMixer(cam_size=18)
    for refuses in (
        TransformMix(teacher, module),
        SuperMix(teacher),
        SuperMix(teacher, labels='gt'),
        TeacherCAM(teacher),
    ):
        with pytest.raises(ValueError, match='takes one class per image'):
            refuses(*multi_hot)
    predicted = TransformMix(teacher, module, cam_class='predicted')
    for takes in (predicted, SampleMixup()):
        _, targets = takes(*multi_hot)
        torch.testing.assert_close(targets.sum(dim=1), torch.full((4,), 2.0))
