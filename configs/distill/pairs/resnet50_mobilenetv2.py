# SuperMix Table 3, ResNet-50 (79.34) teaches MobileNetV2 (64.60 alone), CIFAR-100: KD 67.35, CRD
# 69.11; CE with ImgNet32 68.01, MixUp 71.71, CutMix 70.64, SuperMix 72.13; KD with ImgNet32 68.44,
# MixUp 71.99, CutMix 70.93, SuperMix 72.40. Means of 4 runs.
_base_ = [
    '../../_base_/models/mobilenetv2_half_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

# a fifth for this student, in both recipes
optim_wrapper = dict(optimizer=dict(lr=0.01))
mixed_recipe = dict(optim_wrapper=dict(optimizer=dict(lr=0.02)))

pair = 'resnet50_mobilenetv2'
teacher = dict(
    config='configs/distill/teacher_resnet50_cifar100.py',
    checkpoint='work_dirs/distill/teacher_resnet50_cifar100/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_resnet50_cifar100'
mixed_run = dict(
    config='configs/supermix/generate_resnet50_cifar100.py', produces=f'{mixed_root}/dataset.json'
)
