# MixBench, CIFAR-100 at 224 pixels, without mixing: `NETWORK` (deit_s, swin_t) after 200 epochs;
# OpenMixup prints 65.81 and 78.41, the best of the last 10 epochs. 1 GPU x 100.
# It is also the teacher of the rows that need one.
_base_ = [
    '../_base_/datasets/cifar100_openmixup_224.py',
    '../_base_/schedules/openmixup_vit_200e.py',
    '../_base_/default_runtime.py',
]
from mmtmix.recipes import variant

network = variant('NETWORK', 'deit_s', 'swin_t')
smooth = dict(type='LabelSmoothLoss', label_smooth_val=0.1, mode='original')
deit = dict(
    backbone=dict(
        type='VisionTransformer',
        arch='deit-small',
        img_size=224,
        patch_size=16,
        drop_path_rate=0.1,
    ),
    neck=None,
    head=dict(
        type='VisionTransformerClsHead',
        num_classes=100,
        in_channels=384,
        init_cfg=dict(type='TruncNormal', layer='Linear', std=0.02),
        loss=smooth,
    ),
)
swin = dict(
    backbone=dict(type='SwinTransformer', arch='tiny', img_size=224, drop_path_rate=0.2),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=768, init_cfg=None, loss=smooth),
)
model = dict(
    type='ImageClassifier',
    **dict(deit_s=deit, swin_t=swin)[network],
    init_cfg=[
        dict(type='TruncNormal', layer='Linear', std=0.02, bias=0.0),
        dict(type='Constant', layer='LayerNorm', val=1.0, bias=0.0),
    ],
)
if network == 'swin_t':
    optim_wrapper = dict(optimizer=dict(lr=5e-4))
