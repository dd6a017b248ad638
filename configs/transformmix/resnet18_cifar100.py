# TransformMix Figure 7, CIFAR-100, ResNet-18; curves are printed, no numbers. The points are
# `MASK_LAYERS` (7a: 2, 3, 4), `MASK_CHANNELS` (7b: 8, 16, 32, 64), `MASK_KERNEL` (7c: 3, 5, 7),
# `ALPHA` (7d: 0.2, 0.5, 1, 2, 3, 4); the defaults are in all four. 1 GPU x 100. The teacher and
# the mixer are made first, see `requires`.
#     python tools/train.py configs/transformmix/resnet18_cifar100.py --variant MASK_KERNEL=5
# Ours: alpha is the search's as well; 200 epochs as in simple/resnet18_cifar100.py.
_base_ = '../simple/resnet18_cifar100.py'

from mmtmix.recipes import stage, transformmix, variant

teacher = stage('configs/simple/resnet18_cifar100.py', 'last.pth')
search = stage('configs/transformmix/search_resnet18_cifar100.py', 'mixer.pth')
requires = [teacher, search]
model = dict(
    train_cfg=dict(
        augments=transformmix(search, teacher, alpha=float(variant('ALPHA', 1, 0.2, 0.5, 2, 3, 4)))
    )
)
