# TransformMix Table 6, CIFAR-10, WRN-28-10, "TransformMix": 97.21 +- 0.016 top-1. 1 GPU x 100.
# The teacher and the mixer are made first, see `requires`.
# Ours: the paper doesn't say how the networks of CIFAR-10 are trained: as WRN-28-10 on
# CIFAR-100; every batch is mixed, alpha 1.
_base_ = '../simple/wrn28_cifar10.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/wrn28_cifar10.py', 'last.pth')
search = stage('configs/transformmix/search_wrn28_cifar10.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher)))
