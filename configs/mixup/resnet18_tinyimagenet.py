# TransformMix Table 9, Tiny-ImageNet, ResNet-18, AutoMix protocol, "MixUp": 63.86 top-1 (from
# AutoMix; the median over the last 10 epochs there). 1 GPU x 100.
# Ours: alpha 1, what AutoMix's public configs start from; it was searched per method.
_base_ = '../simple/resnet18_tinyimagenet.py'
model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
