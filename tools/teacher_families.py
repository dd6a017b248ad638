"""Configs of small classifiers, one or more for each backbone of MMPretrain, for docs/teachers.md.

Each is built with random weights, for images of 64x64 pixels and 3 channels, or of its own `size`
and `channels`.
"""

_linear = 'LinearClsHead'
_token = 'VisionTransformerClsHead'
_vit = dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32)
_small = dict(img_size=64, patch_size=16)


def _pooled(width, head=_linear, neck=None, **backbone):
    """Return a classifier of a backbone, global average pooling and a linear head."""
    necks = dict(type='GlobalAveragePooling', **(neck or {}))
    return dict(backbone=backbone, neck=necks, head=dict(type=head, in_channels=width))


def _headed(width, head=_linear, **backbone):
    """Return a classifier whose backbone pools, or returns a class token, by itself."""
    return dict(backbone=backbone, head=dict(type=head, in_channels=width))


def _classifying(classifier, **backbone):
    """Return a classifier whose backbone classifies by itself."""
    return dict(backbone=dict(backbone, num_classes=5), head=dict(type='ClsHead'), **classifier)


families = {
    'AlexNet': dict(_classifying({}, type='AlexNet'), size=224),
    'BEiT': _headed(16, type='BEiTViT', arch=_vit, **_small),
    'CSPDarkNet': _pooled(1024, type='CSPDarkNet', depth=53),
    'CSPResNet': _pooled(1024, type='CSPResNet', depth=50),
    'CSPResNeXt': _pooled(2048, type='CSPResNeXt', depth=50),
    'Conformer': dict(
        backbone=dict(
            type='Conformer',
            arch=dict(embed_dims=24, channel_ratio=1, num_heads=2, depths=12),
            base_channels=8,
        ),
        head=dict(type='ConformerHead', in_channels=[32, 24]),
    ),
    'ConvMixer': _pooled(
        16,
        type='ConvMixer',
        arch=dict(embed_dims=16, depth=2, patch_size=7, kernel_size=7),
    ),
    'ConvNeXt': _headed(32, type='ConvNeXt', arch=dict(depths=[1] * 4, channels=[8, 16, 24, 32])),
    'ConvNeXt V2': _headed(
        32,
        type='ConvNeXt',
        arch=dict(depths=[1] * 4, channels=[8, 16, 24, 32]),
        use_grn=True,
        layer_scale_init_value=0.0,
    ),
    'DaViT': _pooled(
        64,
        type='DaViT',
        arch=dict(embed_dims=8, depths=[1] * 4, num_heads=[1, 1, 2, 2]),
        window_size=2,
        out_indices=(3,),
    ),
    'DeiT': _headed(16, type='VisionTransformer', arch=_vit, head=_token, **_small),
    'DeiT (distilled)': _headed(
        16, type='DistilledVisionTransformer', arch=_vit, head='DeiTClsHead', **_small
    ),
    'DeiT III': _headed(16, type='DeiT3', arch=_vit, head=_token, **_small),
    'DenseNet': _pooled(
        31, type='DenseNet', arch=dict(growth_rate=8, depths=[2] * 4, init_channels=8)
    ),
    'EdgeNeXt': _headed(
        64,
        type='EdgeNeXt',
        arch=dict(channels=[16, 24, 32, 64], depths=[2] * 4, num_heads=[4] * 4),
        out_indices=(3,),
    ),
    'EfficientFormer': dict(
        backbone=dict(type='EfficientFormer', arch='l1'),
        neck=dict(type='GlobalAveragePooling', dim=1),
        head=dict(type='EfficientFormerClsHead', in_channels=448),
        size=224,
    ),
    'EfficientNet': _pooled(1280, type='EfficientNet', arch='b0'),
    'EfficientNet V2': _pooled(1280, type='EfficientNetV2', arch='b0'),
    'EVA-02': _headed(
        16,
        head=_token,
        type='ViTEVA02',
        arch=dict(_vit, feedforward_channels=32),
        **_small,
    ),
    'HiViT': _pooled(
        64,
        type='HiViT',
        arch=dict(embed_dims=64, depths=[1, 1, 7], num_heads=2),
        out_indices=[6],
        **_small,
    ),
    'HorNet': _headed(
        64,
        type='HorNet',
        arch=dict(
            base_dim=8,
            depths=[1] * 4,
            orders=[2, 3, 3, 3],
            dw_cfg=[dict(type='DW', kernel_size=7)] * 4,
        ),
    ),
    'HRNet': dict(
        backbone=dict(type='HRNet', arch='w18'),
        neck=[
            dict(type='HRFuseScales', in_channels=(18, 36, 72, 144)),
            dict(type='GlobalAveragePooling'),
        ],
        head=dict(type=_linear, in_channels=2048),
    ),
    'Inception V3': dict(_classifying({}, type='InceptionV3', aux_logits=False), size=160),
    'LeNet-5': dict(_classifying({}, type='LeNet5'), size=32, channels=1),
    'LeViT': dict(
        _pooled(384, type='LeViT', arch='128s', out_indices=(2,), head='LeViTClsHead'),
        size=224,
    ),
    'MixMIM': dict(
        backbone=dict(
            type='MixMIMTransformer',
            arch=dict(embed_dims=16, depths=[1] * 4, num_heads=[1, 2, 2, 4]),
            img_size=64,
            window_size=[2, 2, 2, 2],
        ),
        head=dict(type=_linear, in_channels=128),
    ),
    'MLP-Mixer': _pooled(
        16,
        neck=dict(dim=1),
        type='MlpMixer',
        arch=dict(embed_dims=16, num_layers=2, tokens_mlp_dims=8, channels_mlp_dims=16),
        **_small,
    ),
    'MobileNet V2': _pooled(1280, type='MobileNetV2', widen_factor=0.1),
    'MobileNet V3': dict(
        backbone=dict(type='MobileNetV3', arch='small_050'),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='StackedLinearClsHead', in_channels=288, mid_channels=[16]),
    ),
    'MobileOne': _pooled(1024, type='MobileOne', arch='s0'),
    'MobileViT': _pooled(320, type='MobileViT', arch='xx_small'),
    'MViT': dict(
        backbone=dict(
            type='MViT',
            arch=dict(embed_dims=16, num_layers=4, num_heads=1, downscale_indices=[1, 2]),
            img_size=64,
            out_scales=2,
        ),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type=_linear, in_channels=64),
    ),
    'PoolFormer': _pooled(
        64,
        type='PoolFormer',
        arch=dict(
            layers=[1] * 4,
            embed_dims=[8, 16, 32, 64],
            mlp_ratios=[2] * 4,
            layer_scale_init_value=1e-5,
        ),
    ),
    'RegNet': _pooled(
        64, type='RegNet', arch=dict(w0=8, wa=12, wm=2, group_w=8, depth=5, bot_mul=1.0)
    ),
    'RepLKNet': _pooled(
        64,
        type='RepLKNet',
        arch=dict(
            large_kernel_sizes=[7] * 4,
            layers=[1] * 4,
            channels=[8, 16, 32, 64],
            small_kernel=3,
            dw_ratio=1,
        ),
    ),
    'RepMLP': _pooled(
        64,
        type='RepMLPNet',
        arch=dict(channels=[8, 16, 32, 64], depths=[1] * 4, sharesets_nums=[1, 2, 4, 8]),
        img_size=64,
    ),
    'RepVGG': _pooled(
        160,
        type='RepVGG',
        arch=dict(
            num_blocks=[1] * 4,
            width_factor=[0.25, 0.25, 0.25, 0.3125],
            group_layer_map=None,
            se_cfg=None,
        ),
    ),
    'Res2Net': _pooled(
        256, type='Res2Net', depth=50, scales=2, base_width=4, base_channels=8, stem_channels=8
    ),
    'ResNeSt': _pooled(2048, type='ResNeSt', depth=50),
    'ResNet': _pooled(64, type='ResNet', depth=18, base_channels=8, stem_channels=8),
    'ResNet (CIFAR)': _pooled(64, type='ResNet_CIFAR', depth=18, base_channels=8, stem_channels=8),
    'ResNet V1c': _pooled(64, type='ResNetV1c', depth=18, base_channels=8, stem_channels=8),
    'ResNet V1d': _pooled(64, type='ResNetV1d', depth=18, base_channels=8, stem_channels=8),
    'ResNeXt': _pooled(2048, type='ResNeXt', depth=50),
    'RevViT': _headed(32, type='RevVisionTransformer', arch=_vit, **_small),
    'RIFormer': _pooled(
        64,
        type='RIFormer',
        arch=dict(
            layers=[1] * 4,
            embed_dims=[8, 16, 32, 64],
            mlp_ratios=[2] * 4,
            layer_scale_init_value=1e-5,
        ),
    ),
    'SE-ResNet': _pooled(2048, type='SEResNet', depth=50),
    'SE-ResNeXt': _pooled(2048, type='SEResNeXt', depth=50),
    'ShuffleNet V1': _pooled(960, type='ShuffleNetV1', groups=3),
    'ShuffleNet V2': _pooled(1024, type='ShuffleNetV2', widen_factor=0.5),
    'Swin': _pooled(
        64,
        type='SwinTransformer',
        arch=dict(embed_dims=8, depths=[1] * 4, num_heads=[1, 1, 2, 2]),
        img_size=64,
        window_size=2,
    ),
    'Swin V2': _pooled(
        64,
        type='SwinTransformerV2',
        arch=dict(
            embed_dims=8, depths=[1] * 4, num_heads=[1, 1, 2, 2], extra_norm_every_n_blocks=0
        ),
        img_size=64,
        window_size=[2] * 4,
    ),
    'T2T-ViT': _headed(
        16,
        head=_token,
        type='T2T_ViT',
        img_size=64,
        embed_dims=16,
        num_layers=2,
        t2t_cfg=dict(token_dims=8, use_performer=False),
        layer_cfgs=dict(num_heads=2, feedforward_channels=32),
    ),
    'TinyViT': _headed(
        32,
        type='TinyViT',
        arch=dict(channels=[8, 16, 24, 32], num_heads=[1, 1, 2, 2], depths=[1] * 4),
        img_size=(64, 64),
        window_size=[2] * 4,
        out_indices=(3,),
    ),
    'TNT': _headed(
        16,
        type='TNT',
        arch=dict(
            embed_dims_outer=16,
            embed_dims_inner=8,
            num_layers=2,
            num_heads_outer=2,
            num_heads_inner=2,
        ),
        **_small,
    ),
    'Twins-PCPVT': _pooled(
        64,
        type='PCPVT',
        arch=dict(
            embed_dims=[8, 16, 32, 64],
            depths=[1] * 4,
            num_heads=[1, 1, 2, 2],
            patch_sizes=[4, 2, 2, 2],
            strides=[4, 2, 2, 2],
            mlp_ratios=[2] * 4,
            sr_ratios=[4, 2, 1, 1],
        ),
    ),
    'Twins-SVT': _pooled(
        64,
        type='SVT',
        arch=dict(
            embed_dims=[8, 16, 32, 64],
            depths=[2] * 4,
            num_heads=[1, 1, 2, 2],
            patch_sizes=[4, 2, 2, 2],
            strides=[4, 2, 2, 2],
            mlp_ratios=[2] * 4,
            sr_ratios=[4, 2, 1, 1],
            window_sizes=[2] * 4,
        ),
    ),
    'VAN': _pooled(
        64,
        type='VAN',
        arch=dict(embed_dims=[8, 16, 32, 64], depths=[1] * 4, ffn_ratios=[2] * 4),
    ),
    'VGG': dict(_classifying({}, type='VGG', depth=11), size=224),
    'ViG': dict(
        backbone=dict(type='Vig', arch='tiny'),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='VigClsHead', in_channels=192, hidden_dim=32),
        size=224,
    ),
    'Pyramid ViG': dict(
        backbone=dict(type='PyramidVig', arch='tiny'),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='VigClsHead', in_channels=384, hidden_dim=32),
        size=224,
    ),
    'ViT (class token)': _headed(16, type='VisionTransformer', arch=_vit, head=_token, **_small),
    'ViT (averaged)': _headed(
        16, type='VisionTransformer', arch=_vit, out_type='avg_featmap', **_small
    ),
    'ViT-SAM': _pooled(
        256,
        type='ViTSAM',
        arch=dict(_vit, global_attn_indexes=[1]),
        window_size=2,
        **_small,
    ),
    'XCiT': _headed(16, type='XCiT', img_size=64, embed_dims=16, depth=2, num_heads=2),
}
# backbones without a classifier of their own, and the reasons
left_out = {
    'SparseConvNeXt': 'masked pre-training of ConvNeXt',
    'SparseResNet': 'masked pre-training of ResNet',
    'TIMMBackbone': 'any network of timm',
    'CSPNet': 'the base of CSPDarkNet, CSPResNet and CSPResNeXt',
}
