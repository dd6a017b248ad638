# SuperMix Table 2, ResNet-110 (74.31) teaches ResNet-20 (69.06 alone), CIFAR-100: KD 70.67, CRD
# 71.46; CE with ImgNet32 71.48, MixUp 72.27, CutMix 72.68, SuperMix 72.75; KD with ImgNet32 72.23,
# MixUp 72.82, CutMix 72.83, SuperMix 72.96. Means of 4 runs.
_base_ = [
    '../../_base_/models/resnet20_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

pair = 'resnet110_resnet20'
teacher = dict(
    config='configs/distill/teacher_resnet110_cifar100.py',
    checkpoint='work_dirs/distill/teacher_resnet110_cifar100/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_resnet110_cifar100'
mixed_run = dict(
    config='configs/supermix/generate_resnet110_cifar100.py', produces=f'{mixed_root}/dataset.json'
)
