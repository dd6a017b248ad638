"""Real networks of timm and transformers, where these are installed."""

import pytest
import torch
from mmpretrain.registry import MODELS

from mmtmix.models import FrozenTeacher

STATS = dict(mean=[120.0] * 3, std=[60.0] * 3)


def spread(model):
    """Make what is constant at first, as a head of zeros, as spread as trained weights are."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() <= 1 and not name.endswith('bias'):
                weight.uniform_(0.5, 1.5)
            elif not weight.flatten()[:8].any():
                weight.normal_(std=0.3)
    return model


def found(model, size):
    torch.manual_seed(0)
    images = torch.randn(2, 3, size, size)
    teacher = FrozenTeacher(model=spread(model), **STATS)
    assert teacher.saliency(images)[1].any()
    assert teacher.num_classes == 5
    assert teacher.features(images)[1].size(1) == teacher.feature_dim
    return teacher.saliency_source


TIMM = {
    'vit_tiny_patch16_224': (
        dict(depth=2, img_size=64),
        "Grad-CAM of 'blocks.1.norm1' (tokens, 1",
    ),
    'swin_tiny_patch4_window7_224': (
        dict(img_size=64, window_size=2, depths=(1, 1, 1, 1)),
        "exact class activation maps of 'norm' (channels last)",
    ),
    'convnext_atto': (dict(depths=(1, 1, 1, 1)), "Grad-CAM of 'norm_pre' (channels first)"),
    'efficientnet_b0': ({}, "exact class activation maps of 'bn2' (channels first)"),
}


@pytest.mark.parametrize('name', TIMM)
def test_networks_of_timm(name):
    timm = pytest.importorskip('timm')
    options, source = TIMM[name]
    assert found(timm.create_model(name, num_classes=5, **options), 64).startswith(source)


def test_mmpretrains_wrapper_of_timm():
    pytest.importorskip('timm')
    model = MODELS.build(
        dict(
            type='TimmClassifier',
            model_name='vit_tiny_patch16_224',
            num_classes=5,
            depth=2,
            img_size=64,
            with_cp=True,
            _scope_='mmpretrain',
        )
    )
    assert found(model, 64) == "Grad-CAM of 'model.blocks.1.norm1' (tokens, 1 extra)"


def test_networks_of_transformers():
    transformers = pytest.importorskip('transformers')
    common = dict(num_labels=5, image_size=64)
    vit = transformers.ViTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        **common,
    )
    swin = transformers.SwinConfig(
        embed_dim=12, depths=[1] * 4, num_heads=[1, 1, 2, 2], window_size=2, **common
    )
    resnet = transformers.ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 16],
        depths=[1] * 4,
        layer_type='basic',
        num_labels=5,
    )
    for config, source in ((vit, 'tokens, 1 extra'), (swin, 'exact'), (resnet, 'exact')):
        model = transformers.AutoModelForImageClassification.from_config(config)
        assert source in found(model, 64)
