# TransformMix's search for Table 4, CIFAR-100, WRN-28-10, with a part of the mixing module;
# `ABLATION` says which: softmax_cam 82.66 +- 0.08, stn_only (the default) 83.79 +- 0.04,
# mask_only 83.52 +- 0.01. 1 GPU x 128.
# Ours: the masks without a network are the softmax of the CAMs over a temperature, which is all
# that is learned with softmax_cam.
_base_ = './search_wrn28_cifar100.py'
from mmtmix.recipes import variant

parts = dict(
    softmax_cam=dict(transform='none', mask='softmax_cam'),
    stn_only=dict(transform='stn', mask='softmax_cam'),
    mask_only=dict(transform='none', mask='network'),
)
model = dict(mixer=parts[variant('ABLATION', 'stn_only', 'softmax_cam', 'mask_only')])
