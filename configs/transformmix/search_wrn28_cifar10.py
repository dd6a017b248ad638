# TransformMix's search on CIFAR-10 for Tables 6 and 8, section 4.1: 100 epochs, batch 128, with
# the WRN-28-10 without mixing (96.13) as the teacher. 1 GPU x 128.
# Ours: momentum 0.9, which the paper doesn't state; a validation every 10 epochs.
_base_ = './search_resnet18_cifar10.py'

from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/simple/wrn28_cifar10.py', 'last.pth')
requires = [teacher]
model = dict(teacher=teacher_from(teacher))
