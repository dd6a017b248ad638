# TransformMix Table 2, CIFAR-100, PreActResNet-18: 80.39 +- 0.04 / 95.37 +- 0.05 top-1 / top-5,
# mean of three seeds. 1 GPU x 100. The teacher and the mixer are made first, see `requires`.
# Ours: cross entropy (see simple/preactresnet18_cifar100.py); every batch is mixed, alpha 1.
_base_ = '../simple/preactresnet18_cifar100.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/preactresnet18_cifar100.py', 'last.pth')
search = stage('configs/transformmix/search_preactresnet18_cifar100.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher)))
