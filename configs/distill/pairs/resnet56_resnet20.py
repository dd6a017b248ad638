# SuperMix Table 2, ResNet-56 (72.34) teaches ResNet-20 (69.06 alone), CIFAR-100: KD 70.66, CRD
# 71.16; CE with ImgNet32 71.38, MixUp 72.00, CutMix 72.33, SuperMix 72.64; KD with ImgNet32 72.22,
# MixUp 72.89, CutMix 72.67, SuperMix 73.19. Means of 4 runs.
_base_ = [
    '../../_base_/models/resnet20_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

pair = 'resnet56_resnet20'
teacher = dict(
    config='configs/distill/teacher_resnet56_cifar100.py',
    checkpoint='work_dirs/distill/teacher_resnet56_cifar100/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_resnet56_cifar100'
mixed_run = dict(
    config='configs/supermix/generate_resnet56_cifar100.py', produces=f'{mixed_root}/dataset.json'
)
