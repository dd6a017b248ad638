# SuperMix Table 2, VGG-13 (74.64) teaches VGG-8 (70.36 alone), CIFAR-100: KD 72.98, CRD 73.94; CE
# with ImgNet32 73.95, MixUp 74.56, CutMix 74.87, SuperMix 75.38; KD with ImgNet32 75.02, MixUp
# 75.58, CutMix 75.50, SuperMix 76.03. Means of 4 runs.
_base_ = [
    '../../_base_/models/vgg8_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

pair = 'vgg13_vgg8'
teacher = dict(
    config='configs/distill/teacher_vgg13_cifar100.py',
    checkpoint='work_dirs/distill/teacher_vgg13_cifar100/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_vgg13_cifar100'
mixed_run = dict(
    config='configs/supermix/generate_vgg13_cifar100.py', produces=f'{mixed_root}/dataset.json'
)
