# SuperMix section 4: 500,000 mixes of two CIFAR-100 images for the students of ResNet-32x4
# (ResNet-8x4, ShuffleNetV1, ShuffleNetV2). alpha 3, lambda_s 25, masks 8x8 and sigma 1 are the
# defaults. At least one step per mix (min_iters 1), as in the public code that the figures come
# from. Ours: batch 128.
_base_ = '../distill/teacher_resnet32x4_cifar100.py'

from mmtmix.recipes import stage, supermix

teacher = stage('configs/distill/teacher_resnet32x4_cifar100.py', 'last.pth')
requires = [teacher]
model = dict(train_cfg=dict(augments=supermix(teacher, min_iters=1)))
generation = dict(num=500_000, seed=0)
