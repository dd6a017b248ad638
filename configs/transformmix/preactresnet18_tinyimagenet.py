# TransformMix Tables 2, 7 and 8 (k = 2, "direct"), Tiny-ImageNet, PreActResNet-18: 65.72 +- 0.16
# / 85.01 +- 0.25 top-1 / top-5, mean of three seeds. 1 GPU x 100. The teacher and the mixer are
# made first, see `requires`.
# Ours: cross entropy (see simple/preactresnet18_tinyimagenet.py); every batch is mixed, alpha 1.
# Table 8, "transfer" (65.62 +- 0.29): the mixing module of CIFAR-10 on these images, with
#     --work-dir work_dirs/transformmix/preactresnet18_tinyimagenet_from_cifar10 --cfg-options \
#       requires.1.config=configs/transformmix/search_wrn28_cifar10.py \
#       requires.1.produces=work_dirs/transformmix/search_wrn28_cifar10/mixer.pth \
#       model.train_cfg.augments.mixer=work_dirs/transformmix/search_wrn28_cifar10/mixer.pth
# Ours: it is WRN-28-10's, since the paper doesn't say whose; the teacher stays the target's.
_base_ = '../simple/preactresnet18_tinyimagenet.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/preactresnet18_tinyimagenet.py', 'last.pth')
search = stage('configs/transformmix/search_preactresnet18_tinyimagenet.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher)))
