"""Activation maps of MMPretrain's families: exact where they can be, Grad-CAM elsewhere."""

import pytest
import torch
from mmpretrain.models.backbones import VGG
from torch import nn

from mmtmix.functional import evidence_from_saliency

# MMCV warns of a default of the Hsigmoid in MobileNetV3
pytestmark = [pytest.mark.host, pytest.mark.filterwarnings('ignore:In MMCV')]


class SmallVGG(VGG):
    """VGG-11 for 64 pixels, its FC stack narrow."""

    def __init__(self, num_classes):
        super().__init__(depth=11, num_classes=num_classes)
        self.classifier = nn.Sequential(
            nn.Linear(4 * 512, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, num_classes)
        )


def pooled(width, **backbone):
    return dict(
        type='ImageClassifier',
        backbone=backbone,
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=5, in_channels=width),
    )


EXACT = dict(
    wrn=pooled(64, type='WideResNet', depth=10, widen_factor=1),
    wrn_puzzle=pooled(64, type='WideResNet', depth=10, widen_factor=1, layout='puzzle'),
    resnet_cifar=pooled(64, type='ResNet_CIFAR', depth=18, base_channels=8, stem_channels=8),
    resnet=pooled(64, type='ResNet', depth=18, base_channels=8, stem_channels=8),
    mobilenet_v2=pooled(1280, type='MobileNetV2', widen_factor=0.1),
    shufflenet_v2=pooled(1024, type='ShuffleNetV2', widen_factor=0.5),
    densenet=pooled(
        31, type='DenseNet', arch=dict(growth_rate=8, depths=[2] * 4, init_channels=8)
    ),
    regnet=pooled(
        64, type='RegNet', arch=dict(w0=8, wa=12, wm=2, group_w=8, depth=5, bot_mul=1.0)
    ),
    swin=pooled(
        64,
        type='SwinTransformer',
        arch=dict(embed_dims=8, depths=[1] * 4, num_heads=[1, 1, 2, 2]),
        img_size=64,
        window_size=2,
    ),
)
VIT = dict(
    type='ImageClassifier',
    backbone=dict(
        type='VisionTransformer',
        arch=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32),
        img_size=64,
        patch_size=16,
    ),
    head=dict(type='VisionTransformerClsHead', num_classes=5, in_channels=16),
)
# and the layer that Grad-CAM should explain
OTHERS = dict(
    vgg=(
        dict(
            type='ImageClassifier',
            backbone=dict(type=SmallVGG, num_classes=5),
            head=dict(type='ClsHead'),
        ),
        'backbone.features.12',
    ),
    vit=(VIT, 'backbone.layers.1.ln1'),
    convnext=(
        dict(
            type='ImageClassifier',
            backbone=dict(type='ConvNeXt', arch=dict(depths=[1] * 4, channels=[8, 16, 24, 32])),
            head=dict(type='LinearClsHead', num_classes=5, in_channels=32),
        ),
        'backbone.stages.3',
    ),
    mobilenet_v3=(
        dict(
            type='ImageClassifier',
            backbone=dict(type='MobileNetV3', arch='small_050'),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(
                type='StackedLinearClsHead', num_classes=5, in_channels=288, mid_channels=[16]
            ),
        ),
        'backbone.layer12',
    ),
)
MLP_MIXER = dict(
    type='ImageClassifier',
    backbone=dict(
        type='MlpMixer',
        arch=dict(embed_dims=16, num_layers=2, tokens_mlp_dims=8, channels_mlp_dims=16),
        img_size=64,
        patch_size=16,
    ),
    neck=dict(type='GlobalAveragePooling', dim=1),
    head=dict(type='LinearClsHead', num_classes=5, in_channels=16),
)


@pytest.fixture
def images():
    return torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize('family', EXACT)
def test_the_mean_of_a_cam_is_the_logit_without_its_bias(family, freeze, images):
    teacher = freeze(EXACT[family])
    plain = teacher.model(images, mode='tensor')
    for classes in (torch.tensor([0, 1, 2]), torch.tensor([4, 4, 3])):
        logits, cam = teacher.cam(images, classes)
        torch.testing.assert_close(logits, plain)
        expected = logits[range(3), classes] - teacher.model.head.fc.bias[classes]
        torch.testing.assert_close(cam.mean(dim=(1, 2, 3)), expected, atol=1e-5, rtol=1e-4)
        assert cam.flatten(1).std(dim=1).gt(0).all()


@pytest.mark.parametrize('family', ['wrn', 'swin'])
def test_the_mean_of_exact_evidence_is_the_logit_of_each_class(family, freeze, images):
    teacher, classes = freeze(EXACT[family]), torch.tensor([0, 3, 2])
    logits, evidence = teacher.evidence(images, None, 8)
    assert evidence.shape == (3, 5, 8, 8)
    torch.testing.assert_close(evidence.mean(dim=(2, 3)), logits, atol=1e-4, rtol=1e-4)
    side = teacher.cam(images, classes)[1].size(-1)
    cam, own = teacher.cam(images, classes)[1][:, 0], teacher.evidence(images, None, side)[1]
    shift = own[range(3), classes] - cam
    torch.testing.assert_close(shift, shift[:, :1, :1].expand_as(cam), atol=1e-4, rtol=1e-4)


def test_averaged_tokens_give_exact_evidence(freeze, images):
    logits, evidence = freeze(MLP_MIXER).evidence(images, None, 4)
    torch.testing.assert_close(evidence.mean(dim=(2, 3)), logits, atol=1e-4, rtol=1e-4)
    assert evidence.std(dim=(2, 3)).gt(0).all()


@pytest.mark.parametrize('saliency', ['grad_cam', 'input_gradient'])
def test_evidence_of_other_saliency_is_that_of_the_own_class(saliency, freeze, images):
    teacher, classes = freeze(EXACT['wrn'], saliency=saliency), torch.tensor([1, 4, 1])
    logits, evidence = teacher.evidence(images, classes, 8)
    assert evidence.shape == (3, 5, 8, 8) and not evidence.requires_grad
    again, maps = teacher.saliency(images, classes)
    torch.testing.assert_close(evidence, evidence_from_saliency(maps, again, classes, 8))
    assert evidence[2, 1].any() and not evidence[:, [0, 2, 3]].any()


@pytest.mark.parametrize('family', sorted(EXACT.keys() - {'swin'}))
def test_on_the_pooled_layer_grad_cam_is_the_positive_part_of_the_cam(family, freeze, images):
    classes = torch.tensor([2, 0, 4])
    _, cam = freeze(EXACT[family]).cam(images, classes)
    _, graded = freeze(EXACT[family], saliency='grad_cam').cam(images, classes)
    pixels = cam.size(-2) * cam.size(-1)
    torch.testing.assert_close(graded, cam.relu() / pixels, atol=1e-6, rtol=1e-4)


def explain(model, layer, image, chosen):
    """Grad-CAM of one image by the book: keep the layer's output and its gradient."""
    kept = []
    handle = model.get_submodule(layer).register_forward_hook(
        lambda module, args, output: kept.append(output.requires_grad_().clone()) or kept[-1]
    )
    with torch.enable_grad():
        logits = model(image[None], mode='tensor')
        gradients = torch.autograd.grad(logits[0, chosen], kept[0])[0][0]
    handle.remove()
    output = kept[0].detach()[0]
    if output.dim() == 2:  # tokens, the class token first
        output, gradients = (t[1:].T.reshape(-1, 4, 4) for t in (output, gradients))
    total = sum(g.mean() * feature for g, feature in zip(gradients, output, strict=True))
    return total.clamp_min(0)


@pytest.mark.parametrize('family', OTHERS)
def test_elsewhere_it_is_grad_cam_of_the_last_layer_with_a_map(family, freeze, images):
    classifier, layer = OTHERS[family]
    teacher = freeze(classifier)
    classes = torch.tensor([1, 4, 1])
    logits, cam = teacher.cam(images, classes)
    torch.testing.assert_close(logits, teacher.model(images, mode='tensor'))
    assert cam.any()
    for image, chosen, found in zip(images, classes, cam, strict=True):
        expected = explain(teacher.model, layer, image, chosen)
        torch.testing.assert_close(found[0], expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize('family', ['convnext', 'vit'])
@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_grad_cam_works_where_gradients_are_off_and_leaves_none(family, dtype, freeze, images):
    teacher = freeze(OTHERS[family][0], dtype=dtype)
    with torch.no_grad():
        logits, cam = teacher.cam(images)
    assert cam.dtype == torch.float32
    assert cam.any()
    assert not logits.requires_grad
    assert not cam.requires_grad
    assert all(parameter.grad is None for parameter in teacher.model.parameters())


def test_patch_tokens_keep_the_aspect_of_the_image(freeze):
    _, cam = freeze(VIT).cam(torch.randn(2, 3, 32, 96))
    assert cam.shape == (2, 1, 2, 6)


def test_averaged_tokens_give_exact_maps(freeze, images):
    teacher, classes = freeze(MLP_MIXER), torch.tensor([0, 4, 2])
    logits, cam = teacher.cam(images, classes)
    expected = logits[range(3), classes] - teacher.model.head.fc.bias[classes]
    torch.testing.assert_close(cam.mean(dim=(1, 2, 3)), expected, atol=1e-5, rtol=1e-4)


def test_a_cam_layer_set_by_hand_is_explained(freeze, images):
    _, cam = freeze(MLP_MIXER, cam_layer='backbone.layers.0').cam(images)
    assert cam.shape == (3, 1, 4, 4)
    assert cam.any()
    resnet = freeze(EXACT['resnet_cifar'], cam_layer='backbone.layer2')
    _, cam = resnet.cam(images, torch.tensor([3, 3, 3]))
    expected = explain(resnet.model, 'backbone.layer2', images[0], 3)
    torch.testing.assert_close(cam[0, 0], expected, atol=1e-6, rtol=1e-4)


def test_a_cam_layer_that_does_not_exist_is_refused(freeze):
    with pytest.raises(ValueError, match="cam_layer='backbone.stage9' is no module.*head.fc"):
        freeze(EXACT['wrn'], cam_layer='backbone.stage9')


@pytest.mark.parametrize('layer', ['backbone', 'neck', 'head.fc', 'head.loss_module'])
def test_a_cam_layer_without_a_map_is_refused(layer, freeze, images):
    teacher = freeze(EXACT['wrn'], cam_layer=layer)
    with pytest.raises(ValueError, match=f'cam_layer={layer!r}.*set cam_layer='):
        teacher.cam(images)


@pytest.mark.parametrize('family', ['vit', 'mobilenet_v3'])
def test_an_input_gradient_is_that_of_each_images_own_logit(family, freeze):
    teacher = freeze(OTHERS[family][0], saliency='input_gradient')
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    classes = torch.tensor([2, 0, 4])
    logits, maps = teacher.cam(images, classes)
    torch.testing.assert_close(logits, teacher(images))
    assert not logits.requires_grad and not maps.requires_grad
    for n, chosen in enumerate(classes):

        def score(image, chosen=chosen):
            return teacher.model(image[None], mode='tensor')[0, chosen]

        expected = torch.autograd.functional.jacobian(score, images[n])
        expected = (expected.pow(2).sum(dim=0) / 3).sqrt()
        torch.testing.assert_close(maps[n, 0], expected, atol=1e-6, rtol=1e-3)
    saliency = teacher.saliency(images, classes, 16)[1]
    assert saliency.shape == (3, 1, 16, 16)
    with pytest.raises(ValueError, match="cam_layer='backbone' is a layer for Grad-CAM"):
        freeze(OTHERS[family][0], saliency='input_gradient', cam_layer='backbone')


def test_images_too_small_for_a_map_are_refused(freeze):
    teacher = freeze(OTHERS['mobilenet_v3'][0])
    with pytest.raises(ValueError, match='or use larger images'):
        teacher.cam(torch.randn(2, 3, 1, 1))


@pytest.mark.parametrize('family', ['vit', 'convnext', 'mobilenet_v3'])
def test_an_exact_cam_cannot_be_insisted_on_where_there_is_none(family, freeze):
    teacher = freeze(OTHERS[family][0], saliency='cam')
    with pytest.raises(ValueError, match="saliency='cam' needs .*use 'grad_cam' or 'auto'"):
        teacher.cam(torch.randn(2, 3, 64, 64))
    with pytest.raises(ValueError, match="saliency='cam' is the classic CAM of the last one"):
        freeze(OTHERS[family][0], saliency='cam', cam_layer='backbone')
