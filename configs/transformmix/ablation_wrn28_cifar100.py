# TransformMix Table 4, CIFAR-100, WRN-28-10, `ABLATION`: softmax_cam 82.66 +- 0.08, stn_only
# (the default) 83.79 +- 0.04, mask_only 83.52 +- 0.01. 1 GPU x 100. The teacher and the mixer
# are made first, see `requires`.
# Both parts together are wrn28_cifar100.py.
_base_ = '../simple/wrn28_cifar100.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/wrn28_cifar100.py', 'last.pth')
search = stage('configs/transformmix/search_ablation_wrn28_cifar100.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher)))
