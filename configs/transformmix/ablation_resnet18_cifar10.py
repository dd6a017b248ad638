# TransformMix Table 4, CIFAR-10, ResNet-18, `ABLATION`: softmax_cam 95.62 +- 0.06, stn_only (the
# default) 96.03 +- 0.02, mask_only 96.02 +- 0.01. 1 GPU x 100. The teacher and the mixer are
# made first, see `requires`.
# Both parts together are resnet18_cifar10.py.
_base_ = '../simple/resnet18_cifar10.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/resnet18_cifar10.py', 'last.pth')
search = stage('configs/transformmix/search_ablation_resnet18_cifar10.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher)))
