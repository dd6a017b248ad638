# TransformMix Tables 2, 4 and 8 ("direct"), CIFAR-100, WRN-28-10: 84.07 +- 0.05 / 96.97 +- 0.07
# top-1 / top-5, mean of three seeds. 1 GPU x 100. The teacher and the mixer are made first, see
# `requires`.
# Ours: cross entropy (see simple/wrn28_cifar100.py); every batch is mixed, alpha 1.
# Table 8, "transfer" (84.02 +- 0.045): the mixing module of CIFAR-10 on these images, with
#     --work-dir work_dirs/transformmix/wrn28_cifar100_from_cifar10 --cfg-options \
#       requires.1.config=configs/transformmix/search_wrn28_cifar10.py \
#       requires.1.produces=work_dirs/transformmix/search_wrn28_cifar10/mixer.pth \
#       model.train_cfg.augments.mixer=work_dirs/transformmix/search_wrn28_cifar10/mixer.pth
# Ours: it is WRN-28-10's, since the paper doesn't say whose; the teacher stays the target's.
_base_ = '../simple/wrn28_cifar100.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/wrn28_cifar100.py', 'last.pth')
search = stage('configs/transformmix/search_wrn28_cifar100.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher)))
