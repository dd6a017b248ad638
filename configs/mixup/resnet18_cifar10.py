# TransformMix Tables 4 and 6, CIFAR-10, ResNet-18, "Mixup": 95.55 top-1. 1 GPU x 100.
# Ours: alpha 1, as PuzzleMix's recipe has on CIFAR-100.
_base_ = '../simple/resnet18_cifar10.py'
model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
