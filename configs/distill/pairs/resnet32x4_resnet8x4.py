# SuperMix Table 2, ResNet-32x4 (79.42) teaches ResNet-8x4 (72.50 alone), CIFAR-100: KD 73.33, CRD
# 75.51; CE with ImgNet32 75.57, MixUp 76.73, CutMix 76.81, SuperMix 77.16; KD with ImgNet32 76.46,
# MixUp 77.07, CutMix 76.90, SuperMix 77.59. Means of 4 runs.
_base_ = [
    '../../_base_/models/resnet8x4_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

pair = 'resnet32x4_resnet8x4'
teacher = dict(
    config='configs/distill/teacher_resnet32x4_cifar100.py',
    checkpoint='work_dirs/distill/teacher_resnet32x4_cifar100/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_resnet32x4_cifar100'
mixed_run = dict(
    config='configs/supermix/generate_resnet32x4_cifar100.py',
    produces=f'{mixed_root}/dataset.json',
)
