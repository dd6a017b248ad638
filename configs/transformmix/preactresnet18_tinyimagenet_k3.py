# TransformMix Table 7, Tiny-ImageNet, PreActResNet-18, k = 3: 66.03 / 85.16 top-1 / top-5. 1 GPU
# x 100. The teacher and the mixer are made first, see `requires`.
# Ours: cross entropy (see simple/preactresnet18_tinyimagenet.py); every batch is mixed, Dir(1,
# 1, 1).
_base_ = '../simple/preactresnet18_tinyimagenet.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/preactresnet18_tinyimagenet.py', 'last.pth')
search = stage('configs/transformmix/search_preactresnet18_tinyimagenet_k3.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher, num_mix=3)))
