# SuperMix Table 3, ResNet-50 (79.34) teaches VGG-8 (70.36 alone), CIFAR-100: KD 73.81, CRD 74.30;
# CE with ImgNet32 73.96, MixUp 75.41, CutMix 75.84, SuperMix 76.07; KD with ImgNet32 74.32, MixUp
# 75.59, CutMix 76.01, SuperMix 76.28. Means of 4 runs.
_base_ = [
    '../../_base_/models/vgg8_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

pair = 'resnet50_vgg8'
teacher = dict(
    config='configs/distill/teacher_resnet50_cifar100.py',
    checkpoint='work_dirs/distill/teacher_resnet50_cifar100/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_resnet50_cifar100'
mixed_run = dict(
    config='configs/supermix/generate_resnet50_cifar100.py', produces=f'{mixed_root}/dataset.json'
)
