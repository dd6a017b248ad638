# SuperMix section 4: 500,000 mixes of two CIFAR-100 images for the students of ResNet-50
# (MobileNetV2, VGG-8). Ours: batch 128; min_iters, see README.md.
_base_ = '../distill/teacher_resnet50_cifar100.py'

from mmtmix.recipes import stage, supermix

teacher = stage('configs/distill/teacher_resnet50_cifar100.py', 'last.pth')
requires = [teacher]
model = dict(train_cfg=dict(augments=supermix(teacher, min_iters=1, solver='paper')))
generation = dict(num=500_000, seed=0)
