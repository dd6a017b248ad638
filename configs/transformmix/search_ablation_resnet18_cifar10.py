# TransformMix's search for Table 4, CIFAR-10, ResNet-18, with a part of the mixing module;
# `ABLATION` says which: softmax_cam 95.62 +- 0.06, stn_only (the default) 96.03 +- 0.02,
# mask_only 96.02 +- 0.01. 1 GPU x 128.
# Ours: the masks without a network are the softmax of the CAMs over a temperature, which is all
# that is learned with softmax_cam.
_base_ = './search_resnet18_cifar10.py'
from mmtmix.recipes import variant

parts = dict(
    softmax_cam=dict(transform='none', mask='softmax_cam'),
    stn_only=dict(transform='stn', mask='softmax_cam'),
    mask_only=dict(transform='none', mask='network'),
)
model = dict(mixer=parts[variant('ABLATION', 'stn_only', 'softmax_cam', 'mask_only')])
