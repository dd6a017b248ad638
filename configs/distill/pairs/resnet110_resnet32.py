# SuperMix Table 2, ResNet-110 (74.31) teaches ResNet-32 (71.14 alone), CIFAR-100: KD 73.08, CRD
# 73.48; CE with ImgNet32 73.17, MixUp 74.60, CutMix 74.24, SuperMix 74.80; KD with ImgNet32 74.24,
# MixUp 74.94, CutMix 74.87, SuperMix 75.21. Means of 4 runs.
_base_ = [
    '../../_base_/models/resnet32_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

pair = 'resnet110_resnet32'
teacher = dict(
    config='configs/distill/teacher_resnet110_cifar100.py',
    checkpoint='work_dirs/distill/teacher_resnet110_cifar100/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_resnet110_cifar100'
mixed_run = dict(
    config='configs/supermix/generate_resnet110_cifar100.py', produces=f'{mixed_root}/dataset.json'
)
