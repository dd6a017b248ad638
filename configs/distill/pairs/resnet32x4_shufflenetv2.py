# SuperMix Table 3, ResNet-32x4 (79.42) teaches ShuffleNetV2 (71.82 alone), CIFAR-100: KD 74.45,
# CRD 75.65; CE with ImgNet32 77.56, MixUp 78.84, CutMix 79.32, SuperMix 79.53; KD with ImgNet32
# 77.90, MixUp 79.14, CutMix 79.53, SuperMix 79.80. Means of 4 runs.
_base_ = [
    '../../_base_/models/shufflenetv2_cifar100.py',
    '../../_base_/datasets/cifar100_supermix.py',
    '../../_base_/schedules/distill_cifar100.py',
    '../../_base_/default_runtime.py',
]

# a fifth for this student, in both recipes
optim_wrapper = dict(optimizer=dict(lr=0.01))
mixed_recipe = dict(optim_wrapper=dict(optimizer=dict(lr=0.02)))

pair = 'resnet32x4_shufflenetv2'
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
