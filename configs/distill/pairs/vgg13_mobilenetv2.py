# SuperMix Table 3, VGG-13 (74.64) teaches MobileNetV2 (64.60 alone), CIFAR-100: KD 67.37, CRD
# 69.73; CE with ImgNet32 68.85, MixUp 71.13, CutMix 70.93, SuperMix 71.65; KD with ImgNet32 69.14,
# MixUp 71.29, CutMix 71.10, SuperMix 71.81. Means of 4 runs.
_base_ = [
    '../../_base_/models/mobilenetv2_half_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

# a fifth for this student, in both recipes
optim_wrapper = dict(optimizer=dict(lr=0.01))
mixed_recipe = dict(optim_wrapper=dict(optimizer=dict(lr=0.02)))

pair = 'vgg13_mobilenetv2'
teacher = dict(
    config='configs/distill/teacher_vgg13_cifar100.py',
    checkpoint='work_dirs/distill/teacher_vgg13_cifar100/last.pth',
)
teacher_run = dict(config=teacher['config'], produces=teacher['checkpoint'])
mixed_root = 'work_dirs/supermix/generate_vgg13_cifar100'
mixed_run = dict(
    config='configs/supermix/generate_vgg13_cifar100.py', produces=f'{mixed_root}/dataset.json'
)
