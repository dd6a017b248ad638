# TransformMix's search on CIFAR-100 for Table 2, section 4.1: 100 epochs, batch 128, with the
# PreActResNet-18 without mixing (76.33) as the teacher. 1 GPU x 128.
# Ours: the teacher is of the architecture that is trained afterwards; momentum 0.9, which the
# paper doesn't state; a validation every 10 epochs.
_base_ = './search_wrn28_cifar100.py'

from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/simple/preactresnet18_cifar100.py', 'last.pth')
requires = [teacher]
model = dict(teacher=teacher_from(teacher))
