"""VGG-16 for ImageNet, the one file of configs/_base_/models without an exact CAM."""

import pytest
import torch

from mmtmix.models.teachers.cam import has_exact_cam
from mmtmix.utils import load_config

pytestmark = pytest.mark.host


def test_it_has_the_public_networks_size_and_its_teacher_takes_grad_cam(freeze, tmp_path):
    teacher = freeze(load_config('configs/_base_/models/vgg16_imagenet.py').model.to_dict())
    (tmp_path / 'frozen.pth').unlink()
    model = teacher.model
    assert sum(weight.numel() for weight in model.parameters()) == 138_357_544
    assert teacher.num_classes == 1000
    assert not has_exact_cam(model)
    images = torch.randn(2, 3, 224, 224)
    logits, cam = teacher.cam(images)
    assert logits.shape == (2, 1000)
    # by hand
    features = model.backbone.features(images).requires_grad_()
    expected = model.backbone.classifier(features.flatten(1))
    torch.testing.assert_close(logits, expected.detach())
    (gradients,) = torch.autograd.grad(expected.amax(dim=1).sum(), features)
    weighted = (gradients.mean(dim=(2, 3), keepdim=True) * features).sum(dim=1, keepdim=True)
    assert cam.shape == (2, 1, 7, 7)
    torch.testing.assert_close(cam, weighted.relu().detach())
    assert cam.flatten(1).std(dim=1).gt(0).all()
